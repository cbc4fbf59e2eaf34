"""What is valid in a JSON Schema and still most likely a mistake."""

from typing import Any

import pytest

from jsonschema_bridge import lint_json_schema
from tests.derivations import json_schema

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def lints(document: Any, others: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    known = others or {}
    found = lint_json_schema(json_schema(document, *known), lambda reference: json_schema(known[reference.subject]))
    return [(each.pointer, each.lint) for each in found]


@pytest.mark.parametrize(
    ("schema", "lint"),
    [
        ({"prefixItems": [True]}, "keyword"),
        ({"requird": ["a"]}, "keyword"),
        ({"additionalproperties": False}, "keyword"),
        ({"$ref": "#/definitions/a", "minLength": 2}, "beside-ref"),
        ({"type": "integer", "maxLength": 2}, "no-effect"),
        ({"type": ["integer", "null"], "properties": {}}, "no-effect"),
        ({"type": "string", "enum": ["a", 1]}, "enum"),
        ({"type": "integer", "enum": [1.5]}, "enum"),
        ({"properties": {"a": True}, "required": ["a", "b"]}, "required"),
        ({"format": "uuid"}, "format"),
        ({"format": "no such"}, "format"),
    ],
)
@pytest.mark.parametrize(
    ("around", "pointer"),
    [
        (lambda schema: {"properties": {"m": schema}}, "/properties/m"),
        (lambda schema: {"anyOf": [True, schema]}, "/anyOf/1"),
        (lambda schema: {"items": schema}, "/items"),
        (lambda schema: {"items": [schema]}, "/items/0"),
        (lambda schema: {"additionalProperties": schema}, "/additionalProperties"),
    ],
)
def test_a_likely_mistake_is_told_wherever_it_stands(schema: Any, lint: str, around: Any, pointer: str) -> None:
    document = {"$schema": DRAFT_7, "definitions": {"a": {"type": "string"}}, **around(schema)}

    assert lints(document) == [(pointer, lint)]


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"$schema": DRAFT_7, "x-owner": "shop", "title": "T", "if": True, "then": True, "contentEncoding": "base64"},
        {"$schema": DRAFT_2020, "$defs": {"a": {"format": "uuid"}}, "$ref": "#/$defs/a", "minLength": 2},
        {"$schema": DRAFT_2020, "dependentRequired": {}, "unevaluatedProperties": False, "$anchor": "a"},
        {"$schema": DRAFT_4, "id": "http://x.test/", "type": "number", "enum": [1, 1.5], "minimum": 1},
        {"$schema": DRAFT_7, "enum": [{"requird": 1}], "default": {"requird": 1}, "properties": {"requird": True}},
        {"$schema": DRAFT_7, "properties": {}, "patternProperties": {"^b": True}, "required": ["b"]},
        {"$schema": DRAFT_7, "type": "integer", "examples": [1, 2]},
    ],
)
def test_what_is_meant_so_is_passed_over(schema: Any) -> None:
    assert lints(schema) == []


@pytest.mark.parametrize("document", [{"type": "string"}, {"$schema": "http://x.test/own", "type": "string"}])
def test_a_schema_that_names_no_known_draft_is_told(document: Any) -> None:
    assert lints(document) == [("", "draft")]


@pytest.mark.parametrize("keyword", ["const", "$id", "if"])
def test_a_keyword_of_a_later_draft_means_nothing(keyword: str) -> None:
    value = "http://x.test/" if keyword == "$id" else {}

    assert lints({"$schema": DRAFT_4, keyword: value}) == [("", "keyword")]


def test_examples_of_the_root_that_do_not_conform_are_told() -> None:
    schema = {"$schema": DRAFT_7, "$ref": "id.json", "examples": [1, "a"]}
    root = {"$schema": DRAFT_7, "properties": {"a": {"$ref": "id.json"}}, "examples": [{"a": 1}, {"a": "x"}, {}]}

    assert lints(root, {"id.json": {"type": "integer"}}) == [("/examples/1", "example")]
    assert lints(schema, {"id.json": {"type": "integer"}}) == [("/examples/1", "example")]
