"""Which branch of a union a value takes."""

from typing import Any

import pytest

from tests.compiling import avro

CAT = {"type": "record", "name": "pets.Cat", "fields": [{"name": "name", "type": "string"}]}
DOG = {"type": "record", "name": "pets.Dog", "fields": [{"name": "name", "type": "string"}]}
FISH = {"type": "record", "name": "pets.Fish", "fields": [{"name": "length", "type": "int"}]}


@pytest.mark.parametrize(
    ("union", "value", "branch"),
    [
        (["null", "string"], None, 0),
        (["null", "string"], "x", 1),
        (["long", "int"], 1, 1),
        (["int", "long"], 2**31, 1),
        (["int", "double"], 1, 0),
        (["int", "double"], 1.0, 1),
        (["double", "float"], 1.5, 1),
        (["float", "double"], 0.1, 1),
        (["float", "long"], 2**24 + 1, 1),
        (["string", "long"], 3.0, 1),
        (["float", "int"], 2**31, 0),
        ([CAT, FISH], {"length": 3}, 1),
        ([CAT, {"type": "map", "values": "int"}], {"name": 1}, 1),
        (["string", "bytes"], "\u20ac", 0),
        (["int", {"type": "array", "items": "int"}], [1], 1),
    ],
)
def test_a_plain_value_takes_the_branch_that_holds_it_without_loss(union: Any, value: object, branch: int) -> None:
    encoded = avro(union).encode_plain(value)

    assert isinstance(encoded, bytes)
    assert encoded[0] == 2 * branch


@pytest.mark.parametrize(
    ("union", "value", "labels"),
    [
        ([CAT, DOG], {"name": "Rex"}, ["pets.Cat", "pets.Dog"]),
        (["string", "bytes"], "x", ["string", "bytes"]),
        (["string", {"type": "enum", "name": "E", "symbols": ["A"]}], "A", ["string", "E"]),
    ],
)
def test_a_plain_value_that_two_branches_take_is_refused_with_both_names(
    union: Any, value: object, labels: list[str]
) -> None:
    [violation] = avro(union).encode_plain(value)

    assert not isinstance(violation, int)
    assert (violation.keyword, violation.expected) == ("union", labels)
    assert all(label in violation.message for label in labels)


def test_a_plain_value_of_the_only_possible_branch_is_told_what_is_wrong_in_it() -> None:
    [violation] = avro(["null", "string", CAT]).encode_plain({"name": 1})

    assert not isinstance(violation, int)
    assert (violation.pointer, violation.keyword, violation.schema_pointer) == ("/name", "type", "/2/fields/0/type")


def test_a_tagged_value_names_its_branch_in_full() -> None:
    codec = avro(["null", CAT, DOG, {"type": "map", "values": "int"}])

    assert codec.encode_json({"pets.Dog": {"name": "Rex"}}) == b"\x04\x06Rex"
    assert codec.encode_json({"map": {"a": 1}}) == b"\x06\x02\x02a\x02\x00"
    assert codec.encode_json(None) == codec.encode_json({"null": None}) == b"\0"


@pytest.mark.parametrize("value", ["x", {}, {"int": 1}, {"string": "x", "null": None}, ["string"], 1])
def test_a_value_that_is_not_tagged_is_refused(value: object) -> None:
    [violation] = avro(["null", "string"]).encode_json(value)

    assert not isinstance(violation, int)
    assert violation.keyword == "union"


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        pytest.param({"colour": "red"}, ["pets.Cat", "pets.Fish"], id="those that take objects"),
        pytest.param(["x"], ["pets.Cat", "pets.Fish", "string"], id="all, where none takes arrays"),
    ],
)
def test_a_plain_value_that_no_branch_takes_is_told_the_nearest_ones(value: object, labels: list[str]) -> None:
    [violation] = avro([CAT, FISH, "string"]).encode_plain(value)

    assert not isinstance(violation, int)
    assert (violation.keyword, violation.expected) == ("union", labels)


def test_trials_of_branches_do_not_multiply_with_depth() -> None:
    node = {"type": "record", "name": "A", "fields": [{"name": "n", "type": ["null", "A", "B"]}]}
    other = {"type": "record", "name": "B", "fields": [{"name": "n", "type": ["null", "A", "B"]}]}
    node["fields"] = [{"name": "n", "type": ["null", "A", other]}]
    value: Any = None
    for _ in range(60):
        value = {"n": value}

    encoded = avro(["null", node, "B"]).encode_plain(value)

    # 2**60 trials would outlast any test.
    assert isinstance(encoded, list)
