"""What changed from one version of an Avro schema to the next, told in terms of values."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from jsonschema_bridge.derivation import Options, derive
from jsonschema_bridge.errors import SchemaInvalid, SchemaNotDerivable
from jsonschema_bridge.evolution import schema_changes
from jsonschema_bridge.registry.model import Schema, SchemaReference
from tests.compiling import no_reference
from tests.evolving import changes_told
from tests.json_schemas import grown, object_schemas

KIND = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
BIG = {**KIND, "symbols": ["C", "B", "A"], "doc": "d"}
DATE = {"type": "int", "logicalType": "date"}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 4}


def record(*fields: Any, name: str = "shop.Order", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def schema(document: object, *references: SchemaReference) -> Schema:
    return Schema(json.dumps(document), "AVRO", references)


told = partial(changes_told, "AVRO")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("string", {"type": "string"}),
        (record(field("a"), doc="a"), record(field("a", doc="b"))),
        (record(field("a"), field("b")), record(field("b"), field("a"))),
        (record(field("a")), {**record(field("a"), name="Order"), "namespace": "shop"}),
        (record(field("a", {"type": "string"})), record(field("a"))),
        (
            record(field("a", KIND), field("b", KIND["name"])),
            record(field("a", {**KIND, "doc": "d"}), field("b", "Kind")),
        ),
        (record(field("a", ["null", "shop.Order"])), record(field("a", ["null", "Order"]))),
        (record(field("a")), record(field("a", aliases=["b"]))),
        (record(field("a", DATE)), record(field("a", {**DATE, "x-note": 1}))),
    ],
)
def test_what_may_change_freely_is_no_change(old: object, new: object) -> None:
    assert told(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "pointer", "message"),
    [
        (record(), record(field("a", default="x")), "/fields/0", "/a was added"),
        (record(field("a")), record(field("a", default="x")), "/fields/0/default", "/a got a default"),
        (record(field("k", KIND)), record(field("k", BIG)), "/fields/0/type/symbols", '/k may be "C" too'),
        (KIND, BIG, "/symbols", 'the root may be "C" too'),
        (
            record(field("a", {"type": "array", "items": record(name="Line")})),
            record(field("a", {"type": "array", "items": record(field("n", "int", default=0), name="Line")})),
            "/fields/0/type/items/fields/0",
            "/a/*/n was added",
        ),
        (
            ["null", {"type": "map", "values": KIND}],
            ["null", {"type": "map", "values": BIG}],
            "/1/values/symbols",
            '/* may be "C" too',
        ),
    ],
)
def test_what_only_adds_is_told_as_such(old: object, new: object, pointer: str, message: str) -> None:
    assert told(old, new) == [(pointer, message, True)]


@pytest.mark.parametrize(
    ("old", "new", "pointer", "message"),
    [
        (record(), record(field("a")), "/fields/0", "/a was added without a default"),
        (record(field("a"), field("b")), record(field("b")), "/fields/0", "/a disappeared"),
        (record(field("a", default="")), record(field("a")), "/fields/0/default", "/a has no default any more"),
        (
            record(field("a", default="")),
            record(field("a", default="x")),
            "/fields/0/default",
            '/a: default changed from "" to "x"',
        ),
        (record(field("a", aliases=["b"])), record(field("a")), "/fields/0/aliases", '/a: alias "b" disappeared'),
        (
            record(field("a", "int")),
            record(field("a", "long")),
            "/fields/0/type",
            '/a: type changed from "int" to "long"',
        ),
        (
            record(field("a", "int")),
            record(field("a", ["null", "int"])),
            "/fields/0/type",
            '/a: type changed from "int" to ["null", "int"]',
        ),
        (
            record(field("a", ["null", "int"])),
            record(field("a", ["null", "int", "string"])),
            "/fields/0/type",
            '/a: union changed from ["null", "int"] to ["null", "int", "string"]',
        ),
        (
            record(field("a", ["null", "int"])),
            record(field("a", ["int", "null"])),
            "/fields/0/type",
            '/a: union changed from ["null", "int"] to ["int", "null"]',
        ),
        (KIND, {**KIND, "symbols": ["A"]}, "/symbols", 'the root may no longer be "B"'),
        (KIND, {**KIND, "name": "Sort"}, "", 'the root: type changed from "enum Kind" to "enum Sort"'),
        (record(name="A"), {**KIND, "name": "A"}, "", 'the root: type changed from "record A" to "enum A"'),
        (
            {"type": "fixed", "name": "F", "size": 4},
            {"type": "fixed", "name": "F", "size": 5},
            "",
            'the root: "fixed F" changed from {"size": 4} to {"size": 5}',
        ),
        ("int", DATE, "", 'the root: "int" changed from {} to {"logical": {"logicalType": "date"}}'),
        (
            DECIMAL,
            {**DECIMAL, "precision": 5},
            "",
            'the root: "bytes" changed from {"logical": {"logicalType": "decimal", ',
        ),
        (
            record(field("None", record(name="None")), field("a", {"type": "array", "items": "int"})),
            record(field("None", record(name="None")), field("a", {"type": "array", "items": "long"})),
            "/fields/1/type/items",
            '/a/*: type changed from "int" to "long"',
        ),
    ],
)
def test_what_does_more_is_told_as_such(old: object, new: object, pointer: str, message: str) -> None:
    [(where, words, additive)] = told(old, new)
    assert (where, words[: len(message)], additive) == (pointer, message, False)


def test_a_type_is_compared_once_however_often_it_is_used() -> None:
    """Where it is first met; one that contains itself ends."""
    old = record(field("k", KIND), field("l", "Kind"), field("next", ["null", "Order"], default=None))
    new = record(field("k", BIG), field("l", "Kind"), field("next", ["null", "Order"], default=None))
    assert [message for _, message, _ in told(old, new)] == ['/k may be "C" too']


def test_a_type_of_another_schema_is_followed() -> None:
    """It is compared where it is used."""
    documents = {1: schema(KIND), 2: schema(BIG)}
    old, new = (
        schema(record(field("k", "Kind"), name="Order"), SchemaReference("Kind", "kinds", version))
        for version in documents
    )
    [change] = schema_changes(old, new, lambda reference: documents[reference.version])
    assert (change.message, change.additive) == ('/k may be "C" too', True)


@settings(suppress_health_check=list(HealthCheck))
@given(object_schemas(), st.data())
def test_what_is_derived_from_more_optional_members_only_adds(document: object, data: st.DataObject) -> None:
    """As the registries find it compatible."""
    old, new = _derived(document), _derived(data.draw(grown(document)))
    assume(old.text != new.text)
    changes = schema_changes(old, new, no_reference)
    assert changes
    assert all(each.additive for each in changes), changes


def _derived(document: object) -> Schema:
    try:
        return derive(Schema(json.dumps(document), "JSON"), no_reference, Options("map", "json")).schema
    except SchemaNotDerivable:
        reject()


@pytest.mark.parametrize("kind", ["JSON", "PROTOBUF"])
def test_only_schemas_of_one_kind_are_compared(kind: Any) -> None:
    with pytest.raises(SchemaInvalid, match=f"AVRO and {kind} cannot be compared"):
        schema_changes(schema(KIND), Schema("{}", kind), no_reference)
