"""What changed from one version of a JSON Schema to the next, told in terms of values."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.evolution import schema_changes
from jsonschema_bridge.references import MOST_LEVELS
from jsonschema_bridge.registry.model import Schema, SchemaReference
from tests.evolving import changes_told
from tests.json_schemas import grown, json_schemas, object_schemas

NUMBER = {"type": "integer"}
TEXT = {"type": "string"}
DRAFT_4 = "http://json-schema.org/draft-04/schema#"


def members(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object."""
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def schema(document: object, *references: SchemaReference) -> Schema:
    return Schema(json.dumps(document), "JSON", references)


told = partial(changes_told, "JSON")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"title": "a", "$id": "/a/1", "description": "d", "examples": [1]}, {"title": "b", "$id": "/a/2"}),
        (members(a={**NUMBER, "description": "d"}), members(a={"title": "A", **NUMBER})),
        ({"$schema": DRAFT_4, "id": "/a/1"}, {"$schema": DRAFT_4, "id": "/a/2"}),
        ({"required": ["a", "b"], "type": ["null", "string"]}, {"type": ["string", "null"], "required": ["b", "a"]}),
        ({"enum": [1, "1", None]}, {"enum": ["1", None, 1]}),
        ({"type": "object"}, {"type": ["object"], "required": []}),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "array", "items": {}}, {"type": "array"}),
        (members(a=True), members(a={})),
        ({"dependencies": {"a": ["b", "c"]}}, {"dependencies": {"a": ["c", "b"]}}),
    ],
)
def test_what_may_change_freely_is_no_change(old: object, new: object) -> None:
    assert told(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "pointer", "message"),
    [
        (members(a=TEXT), members(a=TEXT, b=TEXT), "/properties/b", "/b was added"),
        ({"type": "object"}, members(b=TEXT), "/properties/b", "/b was added"),
        (members(a=members()), members(a=members(b=TEXT)), "/properties/a/properties/b", "/a/b was added"),
        ({"items": members()}, {"items": members(b=TEXT)}, "/items/properties/b", "/*/b was added"),
        ({"items": [members()]}, {"items": [members(b=TEXT)]}, "/items/0/properties/b", "/0/b was added"),
        ({"anyOf": [members()]}, {"anyOf": [members(b=TEXT)]}, "/anyOf/0/properties/b", "/b was added"),
        (members(a={"enum": ["x"]}), members(a={"enum": ["x", "y"]}), "/properties/a/enum", '/a may be "y" too'),
        (members(), {**members(), "definitions": {"D": TEXT}}, "/definitions/D", "#/definitions/D was added"),
        (
            {**members(), "$defs": {"D": members()}},
            {**members(), "$defs": {"D": members(b=TEXT)}},
            "/$defs/D/properties/b",
            "#/$defs/D/b was added",
        ),
        (
            members(a=members()),
            members(a={**members(), "additionalProperties": False}),
            "/properties/a/additionalProperties",
            "/a takes no undeclared members any more",
        ),
        (members(a=TEXT), members(a={**TEXT, "default": "x"}), "/properties/a/default", "/a: default was added"),
        (
            {**members(), "additionalProperties": TEXT},
            {**members(b={**TEXT, "description": "d"}), "additionalProperties": TEXT},
            "/properties/b",
            "/b was added",
        ),
        (members(), {"type": "object", "properties": {"a/b~": TEXT}}, "/properties/a~1b~0", "/a~1b~0 was added"),
        (members(title=TEXT), members(title=TEXT, examples=TEXT), "/properties/examples", "/examples was added"),
    ],
)
def test_what_only_adds_is_told_as_such(old: object, new: object, pointer: str, message: str) -> None:
    assert told(old, new) == [(pointer, message, True)]


@pytest.mark.parametrize(
    ("old", "new", "pointer", "message"),
    [
        (members(price=NUMBER), members(["price"], price=NUMBER), "/required", "/price became required"),
        (members(["price"], price=NUMBER), members(price=NUMBER), "/required", "/price is no longer required"),
        (members(a=TEXT, b=TEXT), members(a=TEXT), "/properties/b", "/b disappeared"),
        (members(title=TEXT), members(), "/properties/title", "/title disappeared"),
        (
            members(a=TEXT),
            members(a=NUMBER),
            "/properties/a/type",
            '/a: type changed from "string" to "integer"',
        ),
        (
            members(a=TEXT),
            members(a={"type": ["string", "null"]}),
            "/properties/a/type",
            '/a: type changed from "string" to ["string", "null"]',
        ),
        ({"maximum": 5}, {"maximum": 6}, "/maximum", "the root: maximum changed from 5 to 6"),
        ({"maximum": 1}, {"maximum": True}, "/maximum", "the root: maximum changed from 1 to true"),
        ({"pattern": "a"}, {}, "/pattern", "the root: pattern disappeared"),
        ({}, {"pattern": "a"}, "/pattern", 'the root: pattern was added ("a")'),
        ({}, {"enum": ["a"]}, "/enum", 'the root: enum was added (["a"])'),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "/enum", 'the root may no longer be "b"'),
        ({"enum": "a"}, {"enum": "b"}, "/enum", 'the root: enum changed from "a" to "b"'),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, NUMBER]}, "/anyOf", "the root: anyOf changed from "),
        ({"additionalProperties": False}, {}, "/additionalProperties", "the root: additionalProperties disappeared"),
        (
            {"additionalProperties": True},
            {"additionalProperties": False},
            "/additionalProperties",
            "/*: the schema changed from true to false",
        ),
        ({}, {"additionalProperties": TEXT}, "/additionalProperties", "the root: additionalProperties was added"),
        ({}, {"items": False}, "/items", "the root: items was added (false)"),
        ({}, {"not": True}, "/not", "the root: not was added (true)"),
        ({}, {"contains": {}}, "/contains", "the root: contains was added ({})"),
        ({"not": members()}, {"not": members(a=TEXT)}, "/not/properties/a", "/a was added"),
        ({"if": {"enum": [1]}}, {"if": {"enum": [1, 2]}}, "/if/enum", "the root may be 2 too"),
        ({}, {"patternProperties": {"^x": TEXT}}, "/patternProperties/^x", "the root: patternProperties ^x was added"),
        ({}, {"dependencies": {"a": ["b"]}}, "/dependencies/a", "the root: dependencies a was added"),
        (
            {"dependencies": {"a": ["b"]}},
            {"dependencies": {"a": ["c"]}},
            "/dependencies/a",
            "the root: dependencies a changed",
        ),
        ({"definitions": {"D": TEXT}}, {}, "/definitions/D", "#/definitions/D disappeared"),
        ({"x-team": "a"}, {"x-team": "b"}, "/x-team", 'the root: x-team changed from "a" to "b"'),
        ({"default": 1}, {"default": 2}, "/default", "the root: default changed from 1 to 2"),
        ({}, {"$schema": DRAFT_4}, "/$schema", "the root: $schema was added"),
        ({"id": "/a"}, {"id": "/b"}, "/id", 'the root: id changed from "/a" to "/b"'),
        (True, False, "", "the root: the schema changed from true to false"),
        ({"required": [1]}, {"required": "a"}, "/required", 'the root: required changed from [1] to "a"'),
    ],
)
def test_what_does_more_is_told_as_such(old: object, new: object, pointer: str, message: str) -> None:
    [(where, words, additive)] = told(old, new)
    assert (where, words[: len(message)], additive) == (pointer, message, False)


def test_a_member_that_was_taken_as_another_before_is_more_than_an_addition() -> None:
    """Each was text so far."""
    old, new = ({**each, "additionalProperties": TEXT} for each in (members(), members(b=NUMBER)))
    assert told(old, new) == [("/properties/b", "/b was added, which additionalProperties took otherwise", False)]


def test_schemas_that_refer_to_each_other_are_compared_once() -> None:
    """The walk ends."""
    documents = {
        (subject, version): schema(
            {"properties": {subject: TEXT if version == 1 else NUMBER}},
            SchemaReference(f"{other}.json", other, version),
        )
        for subject, other in (("a", "b"), ("b", "a"))
        for version in (1, 2)
    }

    def resolve(reference: SchemaReference) -> Schema:
        return documents[reference.subject, reference.version]

    found = schema_changes(documents["a", 1], documents["a", 2], resolve)
    assert [each.pointer for each in found] == ["/properties/a/type", "b.json#/properties/b/type"]


@given(object_schemas(), st.data())
def test_more_optional_members_only_add(document: object, data: st.DataObject) -> None:
    """Unless additionalProperties says otherwise."""
    changes = told(document, data.draw(grown(document)))
    assert changes
    assert all(additive or message.endswith("took otherwise") for _, message, additive in changes)


def test_a_long_value_is_cut() -> None:
    [(_, message, _)] = told({"const": "a" * 1000}, {"const": "b"})
    assert message == f'the root: const changed from "{"a" * 56}... to "b"'
    [(_, message, _)] = told({}, {"properties": {"a" * 1000: {}}})
    assert message == f"/{'a' * 296}..."


def test_a_schema_that_is_referred_to_is_followed() -> None:
    """Both by the same name, to another version; what refers to itself ends."""
    itself = SchemaReference("other.json", "others", 1)
    documents = {
        1: schema(members(a=TEXT), itself),
        2: schema(members(["a"], a=TEXT, b=TEXT), itself),
    }
    old, new = (schema({"$ref": "other.json"}, SchemaReference("other.json", "others", each)) for each in (1, 2))

    found = schema_changes(old, new, lambda reference: documents[reference.version])
    assert [(each.pointer, each.message, each.additive) for each in found] == [
        ("other.json#/properties/b", "other.json#/b was added", True),
        ("other.json#/required", "other.json#/a became required", False),
    ]


def test_the_deepest_schema_that_is_read_is_compared() -> None:
    old: Any = TEXT
    new: Any = NUMBER
    for _ in range(MOST_LEVELS - 1):
        old, new = {"not": old}, {"not": new}
    [(pointer, message, additive)] = told(old, new)
    assert (pointer, additive) == ("/not" * (MOST_LEVELS - 1) + "/type", False)
    assert message == 'the root: type changed from "string" to "integer"'


@given(json_schemas(), json_schemas())
def test_any_two_schemas_are_compared(old: object, new: object) -> None:
    """One with itself without a change, whatever order its members have."""
    assert told(old, json.loads(json.dumps(old, sort_keys=True))) == []
    assert all(message for _, message, _ in told(old, new))
