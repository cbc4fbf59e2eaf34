"""What a compiled Avro schema makes of JSON values."""

from typing import Any

import pytest

from jsonschema_bridge.avro.findings import MAX_VIOLATIONS
from jsonschema_bridge.violation import Violation
from tests.compiling import avro


def record(*fields: Any, name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def violations(encoded: bytes | list[Violation]) -> list[tuple[str, str]]:
    assert isinstance(encoded, list), encoded
    return [(violation.pointer, violation.keyword) for violation in encoded]


ORDER = record(
    field("id", "long"),
    field("note", ["null", "string"], default=None),
    field("lines", {"type": "array", "items": record(field("sku", "string"), field("count", "int"), name="Line")}),
)


def test_every_violation_of_a_value_is_reported_with_its_place() -> None:
    value = {"id": "7", "note": 5, "lines": [{"sku": "a", "count": 1}, {"sku": 2, "colour": "red"}]}

    assert violations(avro(ORDER).encode_plain(value)) == [
        ("/id", "type"),
        ("/note", "union"),
        ("/lines/1/sku", "type"),
        ("/lines/1", "required"),
        ("/lines/1/colour", "unknown"),
    ]


def test_a_violation_leads_into_the_schema_and_says_what_was_expected() -> None:
    [violation] = avro(ORDER).encode_plain({"id": 1, "lines": [{"sku": "a", "count": 2**31}]})

    assert violation == Violation(
        pointer="/lines/0/count",
        keyword="range",
        schema_pointer="/fields/2/type/items/fields/1/type",
        expected="-2147483648 to 2147483647",
        actual=2**31,
        message="the number is beyond the range of int",
    )


def test_no_more_violations_than_the_bound_are_looked_for() -> None:
    encoded = avro({"type": "array", "items": "int"}).encode_json(["x"] * 1000)

    assert len(encoded) == MAX_VIOLATIONS


def test_an_absent_field_takes_its_default_in_plain_json_only() -> None:
    codec = avro(ORDER)
    encoded = codec.encode_plain({"id": 1, "lines": []})

    assert isinstance(encoded, bytes)
    assert codec.decode(encoded) == {"id": 1, "note": None, "lines": []}
    assert violations(codec.encode_json({"id": 1, "lines": []})) == [("", "required")]


def test_a_default_is_filled_with_the_defaults_below_it() -> None:
    inner = record(field("a", "int", default=1), field("b", ["null", "string"], default="x"), name="In")
    codec = avro(record(field("inner", inner, default={"a": 5}), field("raw", "bytes", default="\u00ff")))
    encoded = codec.encode_plain({})

    assert isinstance(encoded, bytes)
    assert codec.decode(encoded) == {"inner": {"a": 5, "b": "x"}, "raw": "\u00ff"}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(record(field("a", "int", default="x")), id="of another type"),
        pytest.param(record(field("a", "R", default={})), id="that contains itself"),
    ],
)
def test_a_default_that_does_not_fit_is_none(broken: object) -> None:
    assert violations(avro(broken).encode_plain({})) == [("", "required")]


def test_a_field_may_be_named_by_an_alias_but_not_twice() -> None:
    codec = avro(record(field("a", "int", aliases=["b"])))

    assert codec.encode_json({"b": 1}) == codec.encode_plain({"b": 1}) == b"\x02"
    assert violations(codec.encode_json({"a": 1, "b": 1})) == [("/b", "unknown")]


@pytest.mark.parametrize(
    ("schema", "value", "keyword"),
    [
        ("int", 1.5, "type"),
        ("int", True, "type"),
        ("int", -(2**31) - 1, "range"),
        ("long", 2.0**63, "range"),
        ("float", 1e39, "range"),
        ("double", 10**400, "range"),
        ("double", "NaN", "type"),
        ("string", "\ud800", "range"),
        ("boolean", 0, "type"),
        ("bytes", "\u0100", "range"),
        ({"type": "fixed", "name": "F", "size": 2}, "abc", "fixed"),
        ({"type": "fixed", "name": "F", "size": 2}, 12, "type"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B", "enum"),
        ({"type": "map", "values": "int"}, [], "type"),
        ({"type": "array", "items": "int"}, {}, "type"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_keyword(schema: object, value: object, keyword: str) -> None:
    codec = avro(schema)

    assert violations(codec.encode_json(value)) == violations(codec.encode_plain(value)) == [("", keyword)]


@pytest.mark.parametrize(
    ("schema", "value", "payload"),
    [
        ("int", 1e3, b"\xd0\x0f"),
        ("long", -1.0, b"\x01"),
        ("long", 2**63 - 1, b"\xfe" + b"\xff" * 8 + b"\x01"),
        ("long", -(2**63), b"\xff" * 9 + b"\x01"),
        ("double", 1, b"\0\0\0\0\0\0\xf0\x3f"),
        ("null", None, b""),
        ("bytes", "\u00ff", b"\xff"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 4}, "\u0001", b"\x01"),
        ({"type": "array", "items": "bytes"}, ["\u00ff"], b"\x02\x02\xff\x00"),
        ({"type": "int", "logicalType": "date"}, 1, b"\x02"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", b"\x02"),
    ],
)
def test_a_value_that_fits_has_the_bytes_of_the_specification(schema: object, value: object, payload: bytes) -> None:
    codec = avro(schema)

    assert codec.encode_json(value) == codec.encode_plain(value) == payload


def test_a_record_may_contain_itself() -> None:
    codec = avro(record(field("v", "int"), field("next", ["null", "R"])))

    assert codec.encode_plain({"v": 1, "next": {"v": 2, "next": None}}) == b"\x02\x02\x04\x00"
    assert codec.encode_json({"v": 1, "next": {"R": {"v": 2, "next": None}}}) == b"\x02\x02\x04\x00"


def test_a_value_deeper_than_can_be_followed_is_a_violation() -> None:
    codec = avro(record(field("next", ["null", "R"])))
    value: Any = None
    for _ in range(5000):
        value = {"next": value}

    assert violations(codec.encode_plain(value)) == [("", "depth")]
