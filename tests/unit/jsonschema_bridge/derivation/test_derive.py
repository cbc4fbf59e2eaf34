"""What JSON Schema becomes in Avro, row by row of the mapping in docs/avro-derivation.md."""

from typing import Any

import pytest

from jsonschema_bridge.derivation import derive
from jsonschema_bridge.errors import SchemaInvalid, SchemaNotDerivable
from jsonschema_bridge.registry.model import Schema
from tests.derivations import avro, back, derived, refusals

BOUNDED = {"type": "integer", "minimum": 0, "maximum": 9}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def record(name: str, *fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer"}, "long"),
        ({"type": "number"}, "double"),
        ({"type": ["integer", "number"]}, "double"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "null"}, "null"),
        ({"type": ["string", "null"]}, ["null", "string"]),
        ({"type": ["string", "integer", "boolean"]}, ["boolean", "long", "string"]),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "double"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, ["null", "string"]),
        ({"type": "string", "contentEncoding": "base64"}, "bytes"),
        ({"title": "T", "enum": ["a", "b"]}, {"type": "enum", "name": "T", "symbols": ["a", "b"]}),
        ({"title": "T", "enum": ["a", None]}, ["null", {"type": "enum", "name": "T", "symbols": ["a"]}]),
        ({"title": "T", "const": "a"}, {"type": "enum", "name": "T", "symbols": ["a"]}),
        ({"enum": ["a-1", "b"]}, "string"),
        ({"enum": [1, 2]}, "long"),
        ({"const": 1.5}, "double"),
        ({"const": True}, "boolean"),
        ({"type": "array", "items": {"type": "string"}}, {"type": "array", "items": "string"}),
        ({"type": "array", "items": False}, {"type": "array", "items": "null"}),
        (
            {"type": "array", "items": [{"type": "string"}, {"type": "null"}], "additionalItems": False},
            {"type": "array", "items": ["null", "string"]},
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"type": "map", "values": "string"}),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
            {"type": "map", "values": "string"},
        ),
        ({"title": "T", "type": "object", "additionalProperties": False}, record("T")),
        ({"minimum": 3}, "double"),
        ({"maxLength": 3}, "string"),
        ({"type": "string", "anyOf": [{"minLength": 3}, {"maxLength": 1}]}, "string"),
        ({"if": {"type": "string"}, "type": "string"}, "string"),
    ],
)
def test_a_schema_has_the_avro_form_of_the_mapping(schema: object, expected: object) -> None:
    assert avro(schema) == expected


@pytest.mark.parametrize(
    ("member", "required", "field"),
    [
        ({"type": "string"}, True, {"type": "string"}),
        ({"type": "string"}, False, {"type": ["null", "string"], "default": None}),
        ({"type": ["string", "null"]}, True, {"type": ["null", "string"]}),
        ({"type": ["string", "null"]}, False, {"type": ["null", "string"], "default": None}),
        ({"type": "string", "default": "x"}, False, {"type": "string", "default": "x"}),
        ({"type": "string", "default": "x"}, True, {"type": "string"}),
        ({"type": ["string", "null"], "default": "x"}, False, {"type": ["string", "null"], "default": "x"}),
        ({"type": "number", "default": 1}, False, {"type": "double", "default": 1.0}),
        ({"type": "integer", "default": 1.0}, False, {"type": "long", "default": 1}),
        ({"type": "string", "contentEncoding": "base64", "default": "/w=="}, False, {"type": "bytes", "default": "ÿ"}),
        ({"type": "boolean", "default": "yes"}, False, {"type": ["null", "boolean"], "default": None}),
        ({"type": "string", "description": "what"}, True, {"type": "string", "doc": "what"}),
        ({"type": "string", "description": 5}, True, SchemaInvalid),
    ],
)
def test_a_member_becomes_a_field_with_its_default(member: object, required: bool, field: Any) -> None:
    schema = {"type": "object", "properties": {"f": member}, "required": ["f"] if required else []}
    if field is SchemaInvalid:
        with pytest.raises(SchemaInvalid):
            avro(schema)
        return
    assert avro(schema)["fields"] == [{"name": "f", **field}]


def test_a_schema_that_admits_no_member_leaves_it_out_or_never_has_it() -> None:
    schema = {"title": "T", "type": "object", "properties": {"a": False, "b": False}, "required": ["b"]}

    assert avro(schema) == record("T", {"name": "b", "type": "null"})


def test_a_reference_is_a_named_type_that_is_written_once() -> None:
    schema = {
        "title": "T",
        "type": "object",
        "properties": {"one": {"$ref": "#/definitions/P"}, "two": {"$ref": "#/definitions/P"}},
        "required": ["one", "two"],
        "definitions": {"P": PERSON},
    }

    person = record("T_P", {"name": "name", "type": "string"})
    assert avro(schema) == record("T", {"name": "one", "type": person}, {"name": "two", "type": "T_P"})


def test_recursion_goes_by_the_name() -> None:
    schema = {"title": "T", "type": "object", "properties": {"next": {"$ref": "#"}}}
    form = derived(schema)

    assert avro(schema)["fields"] == [{"name": "next", "type": ["null", "T"], "default": None}]
    assert back(form, {"next": {"next": {}}}) == {"next": {"next": {}}}


def test_every_reason_against_is_told_with_its_place() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {"type": "array"}, "c": {"type": "object"}, "d": True}}

    assert [each.pointer for each in refusals(schema)] == [f"/properties/{name}" for name in "abcd"]
    with pytest.raises(SchemaNotDerivable, match=r"/properties/a: it gives no type; .* \(and 3 more\)$"):
        derived(schema)


def test_what_has_no_type_is_json_text_by_option() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {"type": "object"}}, "required": ["a", "b"]}
    form = derived(schema, untyped="json")

    assert avro(schema, untyped="json")["fields"] == [
        {"name": "a", "type": "string", "doc": "JSON text."},
        {"name": "b", "type": {"type": "map", "values": "string"}, "doc": "JSON text."},
    ]
    value = {"a": [1, {"x": None}, 2**80], "b": {"ü": None, "": 1.5}}
    assert back(form, value) == value


def test_only_json_schemas_are_derived() -> None:
    with pytest.raises(SchemaInvalid, match="AVRO is not a JSON Schema"):
        derive(Schema('{"type": "string"}', "AVRO"), lambda _: Schema("", "AVRO"))


def test_a_schema_that_no_value_satisfies_is_refused() -> None:
    assert [each.reason for each in refusals({"allOf": [{"type": "string"}, {"type": "null"}]})] == [
        "no value satisfies the schema"
    ]
    assert refusals(False)


def test_a_schema_of_too_many_parts_is_refused() -> None:
    level: dict[str, Any] = BOUNDED
    definitions = {"D0": level}
    for number in range(1, 16):  # each level is written twice: Avro has names for records only
        below = {"$ref": f"#/definitions/D{number - 1}"}
        definitions[f"D{number}"] = {
            "anyOf": [{"type": "array", "items": below}, {"type": "object", "additionalProperties": below}]
        }

    [refusal] = refusals({"$ref": "#/definitions/D15", "definitions": definitions})
    assert "more than 20000 parts" in refusal.reason


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    definitions: dict[str, Any] = {"D0": BOUNDED}
    for number in range(60):
        below = {"$ref": f"#/definitions/D{number}"}
        definitions[f"D{number + 1}"] = {"type": "object", "properties": {"a": below}}

    [refusal] = refusals({"$ref": "#/definitions/D60", "definitions": definitions})
    assert "too deeply nested" in refusal.reason


def test_a_required_member_of_which_nothing_is_said_is_untyped() -> None:
    schema = {"title": "T", "type": "object", "properties": {"a": {"type": "null"}}, "required": ["b"]}

    assert [each.pointer for each in refusals(schema)] == [""]
    assert avro(schema, untyped="json")["fields"][1:] == [{"name": "b", "type": "string", "doc": "JSON text."}]
    assert [field["name"] for field in avro(schema, extra="map")["fields"]] == ["a", "additionalProperties"]
