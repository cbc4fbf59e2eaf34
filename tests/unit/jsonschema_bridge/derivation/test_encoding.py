"""What derived Avro carries, and what a record that it cannot carry is told."""

from typing import Any

import pytest

from jsonschema_bridge.violation import Violation
from tests.derivations import back, broken, derived, rules

OPEN = {
    "title": "T",
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}},
    "required": ["a"],
}


def test_an_extra_member_of_an_open_object_breaks_a_rule() -> None:
    form = derived(OPEN)

    assert rules(form) == [("", "extra")]
    assert form.encode({"a": "x", "ä/b": 5}) == [
        Violation(
            pointer="/ä~1b",
            keyword="carry",
            schema_pointer="",
            expected="no other fields",
            actual=5,
            message="Avro cannot carry the value: T has no field 'ä/b'",
        )
    ]


def test_extra_members_of_an_open_object_go_into_a_map_by_option() -> None:
    form = derived(OPEN, extra="map")

    assert rules(form) == []
    for value in ({"a": "x"}, {"a": "x", "b": True}, {"a": "x", "c": [None], "additionalProperties": {"a": 1}}):
        assert back(form, value) == value


def test_extra_members_that_have_a_schema_are_carried_whatever_the_option() -> None:
    form = derived({**OPEN, "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 9}})

    assert rules(form) == []
    assert back(form, {"a": "x", "c": 7}) == {"a": "x", "c": 7}


@pytest.mark.parametrize(
    ("schema", "rule", "good", "bad"),
    [
        ({"type": "integer"}, "int64", 2**63 - 1, 2**63),
        ({"type": "integer", "minimum": 0}, "int64", 5.0, 2**64),
        ({"type": "number"}, "exact", 1e300, 2**53 + 1),
        ({"type": "string", "contentEncoding": "base64"}, "base64", "TWE=", "TWE"),
        ({"type": "string", "contentEncoding": "base64"}, "base64", "", "TWF=\n"),
        ({"properties": {"a": {"type": "null"}}, "additionalProperties": False}, "type", {"a": None}, 5),
        ({"minItems": 2, "items": {"type": "null"}}, "type", [None, None], "text"),
        ({"pattern": "a"}, "type", "a", None),
    ],
)
def test_each_rule_is_told_and_kept(schema: object, rule: str, good: object, bad: object) -> None:
    member = {"type": "object", "properties": {"m": schema}, "required": ["m"], "additionalProperties": False}
    form = derived(member)

    assert rules(form) == [("/properties/m", rule)]
    assert back(form, {"m": good}) == {"m": good}
    assert broken(form, {"m": bad}) == [("/m", "/properties/m")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": -(2**63), "exclusiveMaximum": 2**63 - 1},
        {"type": "integer", "allOf": [{"minimum": 0}, {"maximum": 5}]},
        {"type": "number", "minimum": -(2**53), "maximum": 2**53},
        {"enum": [2**63 - 1, "a"]},
        {"const": 1.5},
    ],
)
def test_numbers_within_bounds_need_no_rule(schema: object) -> None:
    assert rules(derived(schema)) == []


@pytest.mark.parametrize(("listed", "rule"), [([2**63], "int64"), ([1.5, 2**53 + 1], "exact")])
def test_listed_numbers_that_no_type_holds_are_told(listed: list[float], rule: str) -> None:
    form = derived({"enum": listed})

    assert rules(form) == [("", rule)]
    assert broken(form, listed[-1]) == [("", "")]


def test_a_value_goes_to_the_alternative_that_takes_it() -> None:
    alternatives = [
        {"type": "object", "properties": {"kind": {"const": "a-1"}, "x": {"type": "string"}}, "required": ["kind"]},
        {"type": "object", "properties": {"kind": {"const": 2}, "x": {"type": "string"}}, "required": ["kind"]},
        {"type": "object", "properties": {"y": {"type": "string"}}},
        {"type": "array", "items": {"type": "string"}},
    ]
    form = derived({"oneOf": alternatives}, extra="map")

    values: tuple[Any, ...] = ({"kind": "a-1"}, {"kind": 2, "x": "q"}, {"y": "q"}, {"kind": "b", "z": 1}, ["a"])
    encoded = [form.encode(value) for value in values]
    assert [each[0] for each in encoded if isinstance(each, bytes)] == [2, 4, 6, 6, 0]  # zigzag of the branch
    assert [back(form, value) for value in values] == list(values)


def test_the_alternative_that_declares_a_member_comes_before_one_that_would_take_it_as_extra() -> None:
    alternatives = [{"type": "object", "properties": {name: {"type": "string"}}} for name in "ab"]
    form = derived({"anyOf": alternatives}, extra="map")

    assert form.encode({"b": "q"}) == b"\x02\x02\x02q\x00"
    assert form.encode({"a": "q"}) == b"\x00\x02\x02q\x00"
    assert form.encode({"a": "q", "b": "q"}) == b'\x00\x02\x02q\x02\x02b\x06"q"\x00'


def test_null_for_a_member_that_may_only_be_absent_leaves_it_to_the_next_alternative() -> None:
    alternatives = [{"type": "object", "properties": {"a": {"type": kind}}} for kind in ("string", "null")]
    form = derived({"anyOf": alternatives})

    assert back(form, {"a": None}) == {"a": None}


def test_a_value_that_no_alternative_takes_breaks_a_rule() -> None:
    alternatives = [{"type": "object", "properties": {name: {"type": "string"}}} for name in "ab"]
    form = derived({"anyOf": alternatives})

    assert broken(form, {"a": "q", "b": "q"}) == [("", "/anyOf/0")]


def test_json_null_in_json_text_is_not_an_absent_member() -> None:
    form = derived({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, untyped="json")

    assert [back(form, value) for value in ({}, {"a": None})] == [{}, {"a": None}]


def test_bytes_alone_are_written_raw_as_confluents_serializers_do() -> None:
    form = derived({"type": "string", "contentEncoding": "base64"})

    assert form.encode("TWE=") == b"Ma"
    assert form.decode(b"Ma") == "TWE="


def test_half_a_surrogate_pair_is_refused_and_breaks_nothing_else() -> None:
    form = derived({"type": "array", "items": {}}, untyped="json")

    assert broken(form, ["a", "\ud800"]) == [("/1", "")]


def test_a_value_that_is_nested_too_deeply_is_told() -> None:
    value: Any = {}
    for _ in range(100_000):
        value = {"next": value}

    encoded = derived({"type": "object", "properties": {"next": {"$ref": "#"}}}).encode(value)
    assert isinstance(encoded, list)
    assert [violation.keyword for violation in encoded] == ["depth"]
