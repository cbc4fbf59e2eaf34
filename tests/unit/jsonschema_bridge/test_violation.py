"""A violation is small, can be encoded, and points where it says."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.violation import ACTUAL_BYTES, bounded, pointer

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**40), 10**40) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(), inner, max_size=60),
    max_leaves=100,
)
ELLIPSIS_BYTES = len("…".encode())


@given(VALUES)
def test_whatever_stood_there_what_is_repeated_is_small_and_can_be_encoded(value: object) -> None:
    repeated = bounded(value)

    msgspec.json.encode(repeated)
    text = repeated if isinstance(repeated, str) else json.dumps(repeated, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) <= ACTUAL_BYTES + ELLIPSIS_BYTES


@pytest.mark.parametrize("value", [None, True, 0, -(2**63), 2**64 - 1, 1.5, "", "é" * 100, [1, {"a": None}], {}])
def test_a_small_value_is_repeated_as_it_is(value: object) -> None:
    assert bounded(value) == value


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        ("x" * 1_000_000, "x" * 200 + "…"),
        ("é" * 101, "é" * 100 + "…"),
        ("a" + "é" * 100, "a" + "é" * 99 + "…"),
        (["y" * 1_000_000], '["' + "y" * 198 + "…"),
        ([[0]] * 100_000, "[" + "[0]," * 49 + "[0]…"),
    ],
)
def test_a_big_value_is_cut_at_a_character_and_says_so(value: object, repeated: str) -> None:
    assert bounded(value) == repeated


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        (10**30, "1" + "0" * 30),
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        ({"id": [10**30]}, '{"id":[' + "1" + "0" * 30 + "]}"),
        (float("inf"), "Infinity"),
    ],
)
def test_a_number_that_has_no_encoding_is_repeated_as_text(value: object, repeated: str) -> None:
    assert bounded(value) == repeated


def test_a_value_as_deep_as_the_parser_allows_is_repeated() -> None:
    value: object = 1
    for _ in range(200):
        value = [value]

    assert bounded(value) == "[" * 200 + "…"


@pytest.mark.parametrize(
    ("path", "expected"),
    [([], ""), (["a", 0, "b"], "/a/0/b"), (["a/b", "c~d", "~1", ""], "/a~1b/c~0d/~01/")],
)
def test_a_pointer_escapes_slash_and_tilde(path: list[str | int], expected: str) -> None:
    assert pointer(path) == expected
