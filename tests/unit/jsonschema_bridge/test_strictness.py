"""A schema's owner may choose how strictly it is read."""

import json
from typing import Any

import pytest

from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.strictness import Strictness
from jsonschema_bridge.validation import JsonSchemaValidator, compile_json_schema

D4, D6, D7 = (f"http://json-schema.org/draft-0{number}/schema#" for number in (4, 6, 7))
D19, D20 = (f"https://json-schema.org/draft/{name}/schema" for name in ("2019-09", "2020-12"))
DRAFTS = (D4, D6, D7, D19, D20)
CLOSED = Strictness(unknown_fields="refuse")


def _compiled(document: object, strictness: Strictness, **others: object) -> JsonSchemaValidator:
    def resolve(reference: SchemaReference) -> Schema:
        return Schema(json.dumps(others[reference.subject]), "JSON")

    references = tuple(SchemaReference(name, name, 1) for name in others)
    return compile_json_schema(Schema(json.dumps(document), "JSON", references), resolve, strictness)


def _verdict(validator: JsonSchemaValidator, value: object) -> bool:
    """Ask both forms; they agree or the test fails."""
    valid = validator.is_valid(value)
    assert valid == (not list(validator.violations(value)))
    return valid


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("types", ["integer", ["integer", "null"]])
@pytest.mark.parametrize("choice", ["accept", "refuse"])
def test_1_0_is_an_integer_or_none_in_every_draft(draft: str, types: Any, choice: Any) -> None:
    schema = {"$schema": draft, "properties": {"a": {"type": types}}}
    validator = _compiled(schema, Strictness(whole_floats=choice))

    assert _verdict(validator, {"a": 1})
    assert _verdict(validator, {"a": 1.0}) == (choice == "accept")
    assert not _verdict(validator, {"a": 1.5})
    assert not _verdict(validator, {"a": "1"})


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("choice", ["confluent", "assert", "ignore"])
def test_formats_are_asserted_as_chosen(draft: str, choice: Any) -> None:
    def takes(name: str, text: str) -> bool:
        schema = {"$schema": draft, "type": "string", "format": name}
        return _verdict(_compiled(schema, Strictness(formats=choice)), text)

    assert takes("date-time", "yesterday") == (choice == "ignore")
    assert takes("date-time", "2026-01-01T00:00:00Z")
    if draft == D7:  # one that the draft knows and Confluent does not assert
        assert takes("iri", "no iri") == (choice != "assert")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", [lambda n: {"a": n}, lambda n: {"a": [1, n]}, lambda n: {"b": 1, "a": [[{"a": n}]]}])
@pytest.mark.parametrize("schema", [{}, {"properties": {"a": {"type": ["integer", "array"]}}}])
def test_integers_beyond_2_to_the_53_are_refused_wherever_they_stand(schema: object, place: Any, sign: int) -> None:
    validator = _compiled(schema, Strictness(large_integers="refuse"))

    assert _verdict(validator, place(sign * (2**53 - 1)))
    assert not _verdict(validator, place(sign * 2**53))


def test_a_large_integer_is_named_and_a_large_float_is_none() -> None:
    validator = _compiled({}, Strictness(large_integers="refuse"))

    assert _verdict(validator, [1e300, 1e17, True])
    (violation,) = validator.violations({"a": [0, 10**30]})
    assert (violation.pointer, violation.keyword, violation.actual) == ("/a/1", "large_integers", str(10**30))


INNER: dict[str, Any] = {"properties": {"x": {"properties": {"y": {}}}}}
OPEN_PLACES: list[tuple[dict[str, Any], Any, list[str]]] = [
    (INNER, {"x": {"y": 1}}, []),
    (INNER, {"x": {"y": 1, "z": 1}}, ["/x"]),
    (INNER, {"x": {"z": 1}, "w": 1}, ["", "/x"]),
    ({"allOf": [INNER, {"properties": {"w": {}}}]}, {"x": {"y": 1}, "w": 1}, []),
    ({"allOf": [{"$ref": "#/definitions/i"}], "definitions": {"i": INNER}}, {"x": {"y": 1, "q": 1}}, ["/x"]),
    ({"$ref": "#/definitions/i", "definitions": {"i": INNER}}, {"x": {"y": 1}, "w": 1}, [""]),
    ({"anyOf": [{"required": ["a"], "properties": {"a": {}}}, {"required": ["b"], "properties": {"b": {}}}]},
     {"a": 1, "b": 1}, []),
    ({"oneOf": [{"properties": {"k": {"enum": [1]}, "a": {}}}, {"properties": {"k": {"enum": [2]}, "b": {}}}]},
     {"k": 1, "b": 1}, [""]),
    ({"additionalProperties": True}, {"a": {}}, []),
    ({"additionalProperties": {"type": "integer"}}, {"a": 1}, []),
    ({"patternProperties": {"^a": {}}}, {"a": 1, "b": 1}, [""]),
    ({"items": INNER}, [{"x": {}}, {"v": 1}], ["/1"]),
    ({"properties": {"a/b~c": INNER}}, {"a/b~c": {"q": 1}}, ["/a~1b~0c"]),
    ({"properties": {"properties": {"examples": ["q"], "properties": {"y": {}}}}}, {"properties": {"q": 1}},
     ["/properties"]),
    ({}, {"a": 1}, [""]),
    ({}, {}, []),
    ({"type": "object"}, {"a": 1}, [""]),
    ({"properties": {"a": {}}}, {"a": {"b": 1}}, ["/a"]),
]  # fmt: skip


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize(("schema", "value", "pointers"), OPEN_PLACES)
def test_members_that_no_part_of_the_schema_declares_are_refused(
    draft: str, schema: dict[str, Any], value: object, pointers: list[str]
) -> None:
    document = {"$schema": draft, **schema}
    found = list(_compiled(document, CLOSED).violations(value))

    assert [violation.pointer for violation in found] == pointers
    assert {violation.keyword for violation in found} <= {"unknown_fields"}
    assert _compiled(document, CLOSED).is_valid(value) == (not pointers)
    assert _verdict(_compiled(document, Strictness()), value)


def test_a_member_that_another_schema_declares_is_declared() -> None:
    validator = _compiled({"allOf": [{"$ref": "other"}]}, CLOSED, other=INNER)

    assert _verdict(validator, {"x": {"y": 1}})
    (violation,) = validator.violations({"x": {"y": 1}, "secret": 5})
    assert violation.message == "the schema does not declare: 'secret'"


def test_what_the_schema_refuses_is_not_searched_for_unknown_members() -> None:
    (violation,) = _compiled({"required": ["a"]}, CLOSED).violations({"b": 1})

    assert violation.keyword == "required"


@pytest.mark.parametrize("reference", ["#/enum/0", "#/%65num/0", "#/properties/a/const", "a#/not/enum/0/items"])
def test_up_to_draft_7_no_reference_may_lead_into_data(reference: str) -> None:
    integer = {"type": "integer"}
    schema = {"enum": [integer], "properties": {"a": {"const": integer}}, "not": {"enum": [{"items": integer}]}}
    document = {"allOf": [{"$ref": reference}], **schema}

    with pytest.raises(SchemaInvalid, match="which is no schema"):
        _compiled(document, Strictness(), a=schema)
    _compiled({**document, "$schema": D20}, Strictness(), a=schema)
