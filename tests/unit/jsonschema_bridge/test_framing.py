"""Confluent's wire format: what is framed comes back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge import framing
from jsonschema_bridge.errors import NotFramed

SCHEMA_IDS = st.integers(0, framing.MAX_SCHEMA_ID)


@given(SCHEMA_IDS, st.binary())
def test_what_was_framed_comes_back(schema_id: int, payload: bytes) -> None:
    assert framing.unframe(framing.frame(schema_id, payload)) == (schema_id, payload)


@given(st.binary(max_size=12))
def test_any_bytes_are_taken_apart_without_loss_or_refused(framed: bytes) -> None:
    try:
        schema_id, payload = framing.unframe(framed)
    except NotFramed:
        return
    assert framing.frame(schema_id, payload) == framed


def test_the_prefix_is_a_zero_and_four_bytes_big_endian() -> None:
    assert framing.prefix(258) == b"\0\0\0\1\2"
    assert len(framing.prefix(0)) == framing.PREFIX_BYTES


@pytest.mark.parametrize("schema_id", [-1, 2**31])
def test_an_id_that_is_no_int32_is_never_written(schema_id: int) -> None:
    with pytest.raises(ValueError, match=str(schema_id)):
        framing.prefix(schema_id)


@pytest.mark.parametrize(
    ("framed", "reason"),
    [
        (b"", "0 bytes"),
        (b"\0\0\0\1", "4 bytes"),
        (b"\1\0\0\0\1x", "first byte is 1"),
        (b"\xff\0\0\0\1x", "first byte is 255"),
        (b'{"a":1}', "first byte is 123"),
        (b"\0\x80\0\0\0x", "2147483648"),
    ],
)
def test_bytes_that_are_not_framed_are_refused_with_what_is_wrong(framed: bytes, reason: str) -> None:
    with pytest.raises(NotFramed, match=reason):
        framing.unframe(framed)
