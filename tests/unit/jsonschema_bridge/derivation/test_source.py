"""Where references lead: into the schema itself, and into those that the registry knows."""

from typing import Any

import pytest

from jsonschema_bridge.derivation import derive
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.registry.model import Schema, SchemaReference
from tests.derivations import avro, back, derived, json_schema, refusals, rules

META = {"type": "object", "properties": {"dt": {"type": "string"}}, "required": ["dt"]}


def test_a_reference_leads_into_another_schema_and_from_there_on() -> None:
    members = {"dt": {"$ref": "#/definitions/d"}, "peer": {"$ref": "#"}}
    common = {"type": "object", "properties": members, "definitions": {"d": {"type": "string"}}}
    others = {"common.json": {"title": "Common", **common}, "meta.json": META}
    schema = {"title": "T", "type": "object", "properties": {"c": {"$ref": "common.json"}, "m": {"$ref": "meta.json#"}}}
    form = derived(schema, others)

    value = {"c": {"dt": "x", "peer": {"dt": "y"}}, "m": {"dt": "z"}}
    assert back(form, value) == value
    assert rules(form) == [("", "extra"), ("common.json#", "extra"), ("meta.json#", "extra")]


def test_one_schema_under_two_names_is_one_type() -> None:
    inner = SchemaReference("meta.json", "meta", 1)
    known = {
        "meta": json_schema({"title": "Meta", **META}),
        "other": Schema('{"$id": "http://x.test/other.json", "$ref": "meta.json"}', "JSON", (inner,)),
    }
    text = (
        '{"title":"T","type":"object","properties":{"a":{"$ref":"again.json"},"b":{"$ref":"other.json"}},'
        '"required":["a","b"]}'
    )
    references = (SchemaReference("again.json", "meta", 1), SchemaReference("other.json", "other", 1))
    form = derive(Schema(text, "JSON", references), lambda found: known[found.subject])

    assert form.schema.text.count('"name":"Meta"') == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"$id": "http://x.test/a.json", "definitions": {"d": META}, "$ref": "#/definitions/d"},
        {"$id": "/a/1.0.0", "definitions": {"d": {"$id": "#d", **META}}, "allOf": [{"$ref": "#d"}]},
        {"definitions": {"d": {"$id": "http://x.test/d", **META}}, "$ref": "http://x.test/d"},
        {"definitions": {"d d": META}, "$ref": "#/definitions/d%20d"},
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"d": {"$anchor": "here", **META}},
            "$ref": "#here",
        },
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "id": "http://x.test/",
            "definitions": {"d": {"id": "d.json", **META}},
            "$ref": "d.json",
        },
    ],
)
def test_references_are_resolved_as_their_draft_says(schema: object) -> None:
    assert [field["name"] for field in avro(schema)["fields"]] == ["dt"]


def test_members_may_be_called_like_keywords() -> None:
    members = {name: {"type": "string"} for name in ("$id", "id", "$ref", "allOf", "properties", "definitions")}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": members,
        "allOf": [{"properties": {"id": {"minLength": 1}}}],
    }

    assert len(avro(schema)["fields"]) == 6


def test_a_reference_to_a_boolean_is_followed() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/definitions/no"}}, "definitions": {"no": False}}

    assert avro(schema)["fields"] == []


def test_a_reference_to_what_is_not_there_is_refused() -> None:
    with pytest.raises(SchemaInvalid, match="not among the schema's references"):
        derived({"$ref": "no.json"})


def test_a_schema_that_is_referred_to_must_be_one() -> None:
    with pytest.raises(SchemaInvalid):
        derived({"type": "object", "properties": {"a": {"$ref": "bad.json"}}}, {"bad.json": {"properties": []}})


def test_a_reference_to_a_meta_schema_leads_nowhere_that_could_be_translated() -> None:
    [refusal] = refusals({"$ref": "http://json-schema.org/draft-07/schema#"})
    assert refusal.reason.endswith("leads to nothing that can be translated")
