"""Schemas compiled once give Confluent's verdicts, with reasons, and ask nobody but their registry."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.errors import SchemaInvalid, VersionNotFound
from jsonschema_bridge.references import references_of
from jsonschema_bridge.registry import MemoryRegistry
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.validation import JsonSchemaValidator, check_json_schema, compile_json_schema

D4, D6, D7 = (f"http://json-schema.org/draft-0{number}/schema#" for number in (4, 6, 7))
D19, D20 = (f"https://json-schema.org/draft/{name}/schema" for name in ("2019-09", "2020-12"))
BY_TEXT, BY_VALUE = (D4, D6, D7), (D19, D20)
INTEGER = {"type": "integer"}


def _schema(document: object, *names: str) -> Schema:
    """Write a schema; each of `names` is a reference to the subject of the same name, or "name=subject"."""
    parted = [name.partition("=") for name in names]
    references = tuple(SchemaReference(name, subject or name, 1) for name, _, subject in parted)
    return Schema(json.dumps(document), "JSON", references)


def _compiled(document: object, *names: str, **others: Schema) -> JsonSchemaValidator:
    return compile_json_schema(_schema(document, *names), lambda reference: others[reference.subject])


def _verdict(validator: JsonSchemaValidator, value: object) -> bool:
    """Ask both forms; they agree or the test fails."""
    valid = validator.is_valid(value)
    assert valid == (not list(validator.violations(value)))
    return valid


INTEGER_PLACES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "integer"}, lambda n: n),
    ({"type": ["integer", "null"]}, lambda n: n),
    ({"type": ["integer"]}, lambda n: n),
    ({"type": "integer", "allOf": [{"minimum": 0}]}, lambda n: n),
    ({"items": {"type": "integer"}}, lambda n: [n]),
    ({"properties": {"type": {"type": "integer"}}}, lambda n: {"type": n}),
    ({"properties": {"$ref": {"type": "integer"}}}, lambda n: {"$ref": n}),
    ({"properties": {"format": {"type": "integer"}}}, lambda n: {"format": n}),
    ({"allOf": [{"$ref": "#/definitions/enum"}], "definitions": {"enum": INTEGER}}, lambda n: n),
    ({"allOf": [{"$ref": "#/parts/enum"}], "parts": {"enum": INTEGER, "format": INTEGER}}, lambda n: n),
    ({"allOf": [{"$ref": "#/default"}], "default": INTEGER}, lambda n: n),
    ({"additionalProperties": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, lambda n: {"a": n}),
    ({"not": {"not": {"type": "integer"}}}, lambda n: n),
]


@pytest.mark.parametrize("draft", [*BY_TEXT, *BY_VALUE])
@pytest.mark.parametrize(("schema", "place"), INTEGER_PLACES)
def test_up_to_draft_7_a_float_is_no_integer_wherever_one_is_asked_for(
    draft: str, schema: dict[str, Any], place: Any
) -> None:
    validator = _compiled({"$schema": draft, **schema})

    assert _verdict(validator, place(1))
    assert _verdict(validator, place(10**30))
    assert _verdict(validator, place(1.0)) == (draft in BY_VALUE)
    assert not _verdict(validator, place(1.5))
    assert not _verdict(validator, place(True))


@pytest.mark.parametrize("schema", [{"enum": [{"type": "integer"}]}, {"const": {"type": "integer"}}])
def test_a_value_that_looks_like_a_schema_stays_a_value(schema: dict[str, object]) -> None:
    assert _verdict(_compiled(schema), {"type": "integer"})
    assert not _verdict(_compiled(schema), {})


@pytest.mark.parametrize(("root", "other"), [(D7, D20), (D20, D7)])
def test_the_draft_of_the_schema_that_refers_decides_what_an_integer_is(root: str, other: str) -> None:
    validator = _compiled(
        {"$schema": root, "allOf": [{"$ref": "a"}]}, "a", a=_schema({"$schema": other, "type": "integer"})
    )

    assert _verdict(validator, 1)
    assert _verdict(validator, 1.0) == (root == D20)


def test_a_referenced_schema_that_names_no_draft_is_read_in_the_draft_of_the_one_that_refers() -> None:
    validator = _compiled({"$schema": D20, "allOf": [{"$ref": "a"}]}, "a", a=_schema({"prefixItems": [INTEGER]}))

    assert not _verdict(validator, ["x"])


def test_no_id_can_stand_in_for_what_an_integer_is() -> None:
    for name in ("urn:confluent-shim:integer", "integer"):
        assert not _verdict(_compiled({"$id": name, "type": "integer"}), "text")


NAMES = st.sampled_from(["a", "b/c", "type"])
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 1.0, 1.5, 10**30, "", "a", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["integer", "number", "string", "object", "array", "null", "boolean"])
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, unique=True),
            "format": st.just("date"),
            "enum": st.just([1, "a"]),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "additionalProperties": inner | st.booleans(),
            "items": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "required": st.lists(NAMES, unique=True, min_size=1),
        },
    ),
    max_leaves=5,
)


@given(st.sampled_from([*BY_TEXT, *BY_VALUE]), SCHEMAS, st.lists(VALUES, min_size=1, max_size=5))
def test_a_value_is_valid_exactly_when_it_has_no_violation(draft: str, schema: Any, values: list[object]) -> None:
    validator = _compiled({"$schema": draft, **schema})

    for value in values:
        assert validator.is_valid(value) == (not list(validator.violations(value)))
        for violation in validator.violations(value):
            msgspec.json.encode(violation)


@pytest.mark.parametrize(
    "identifier", [{}, {"$id": "/own/1.0.0"}, {"$id": "own/x"}, {"$id": "http://example.org/own/x"}]
)
@pytest.mark.parametrize("name", ["a.json", "/dir/a.json", "com.example.A", "http://example.org/a", "urn:example:a"])
def test_a_reference_is_found_under_its_name(identifier: Mapping[str, str], name: str) -> None:
    validator = _compiled({**identifier, "allOf": [{"$ref": name}]}, f"{name}=a", a=_schema(INTEGER))

    assert _verdict(validator, 1)
    assert not _verdict(validator, "x")


@pytest.mark.parametrize("inner", [{}, {"$id": "http://example.org/z/a"}, {"$id": "/other/a"}])
@pytest.mark.parametrize("name", ["a.json", "dir/a.json"])
def test_a_referenced_schema_finds_its_own_references(inner: dict[str, str], name: str) -> None:
    a = _schema({**inner, "allOf": [{"$ref": "b.json"}]}, "b.json=b")
    validator = _compiled({"allOf": [{"$ref": name}]}, f"{name}=a", a=a, b=_schema(INTEGER))

    assert _verdict(validator, 1)
    assert not _verdict(validator, "x")


def test_schemas_that_refer_to_each_other_end() -> None:
    a = _schema({"properties": {"n": INTEGER, "b": {"$ref": "b"}}}, "b")
    b = _schema({"properties": {"a": {"$ref": "a"}}}, "a")
    validator = _compiled({"allOf": [{"$ref": "a"}]}, "a", a=a, b=b)

    assert _verdict(validator, {"b": {}, "n": 1})
    assert not _verdict(validator, {"n": "x"})


def test_a_circle_of_names_that_never_closes_is_refused() -> None:
    a = _schema({"properties": {"b": {"$ref": "dir/b"}}}, "dir/b=b")
    b = _schema({"properties": {"a": {"$ref": "a"}}}, "a")

    with pytest.raises(SchemaInvalid, match="dir/dir/b is not among"):
        _compiled({"allOf": [{"$ref": "a"}]}, "a", a=a, b=b)


@pytest.mark.parametrize(("one", "other"), [(INTEGER, {"type": "string"}), ({"const": 1}, {"const": True})])
def test_two_references_of_one_name_that_differ_are_refused(one: object, other: object) -> None:
    with pytest.raises(SchemaInvalid, match=r"'n\.json' and differ"):
        _compiled({"$ref": "n.json"}, "n.json=one", "n.json=other", one=_schema(one), other=_schema(other))


@pytest.mark.parametrize("name", ["missing.json", "http://127.0.0.1:9/x", "file:///etc/passwd", "https://example.org/"])
def test_what_is_not_declared_is_refused_by_name_and_never_fetched(name: str) -> None:
    with pytest.raises(SchemaInvalid) as refusal:
        _compiled({"properties": {"a": {"$ref": name}}}, "a", a=_schema({}))
    assert refusal.value.reason == f"{name} is not among the schema's references"


def test_references_come_from_the_registry_and_its_errors_are_not_hidden() -> None:
    registry = MemoryRegistry("http://registry.test")
    registry.register("a", _schema(INTEGER))
    resolve = references_of(registry)

    assert not compile_json_schema(_schema({"$ref": "a"}, "a"), resolve).is_valid("x")
    reference = SchemaReference("a", "a", 2)
    with pytest.raises(VersionNotFound):
        compile_json_schema(Schema('{"$ref": "a"}', "JSON", (reference,)), resolve)


@pytest.mark.parametrize("draft", [D4, D6, D7])
def test_formats_are_asserted_as_confluent_asserts_them(draft: str) -> None:
    for name in ("date", "date-time", "email", "hostname", "ipv4", "ipv6", "json-pointer", "regex", "time", "uri"):
        if (draft, name) not in {(D4, "date"), (D4, "time"), (D6, "date"), (D6, "time")}:
            _verdict(_compiled({"$schema": draft, "format": name}), "\0 {bad")
    assert not _verdict(_compiled({"$schema": draft, "format": "date-time"}), "yesterday")
    for name in ("uuid", "duration", "color"):
        assert _verdict(_compiled({"$schema": draft, "format": name}), "\0 {bad")


def test_up_to_draft_7_the_encoding_of_a_content_is_not_asserted() -> None:
    assert _verdict(_compiled({"contentEncoding": "base64", "contentMediaType": "application/json"}), "%%%")


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"properties": {"a/b": {"items": {"type": "string"}}}}, {"a/b": [1]},
         ("/a~1b/0", "type", "/properties/a~1b/items/type", "string", 1)),
        ({"properties": {"c~d": INTEGER}}, {"c~d": 1.0}, ("/c~0d", "type", "/properties/c~0d/type", "integer", 1.0)),
        ({"required": ["id"]}, {}, ("", "required", "/required", "id", {})),
        ({"maximum": 3}, 10**30, ("", "maximum", "/maximum", 3, str(10**30))),
        ({"type": "integer"}, "s" * 10**6, ("", "type", "/type", "integer", "s" * 200 + "…")),
        ({"additionalProperties": False}, {"s": 1},
         ("", "additionalProperties", "/additionalProperties", "no other properties", {"s": 1})),
        ({"properties": {"a": False}}, {"a": "secret"}, ("/a", "false", "/properties/a", "nothing", "secret")),
        ({"format": "date"}, "secret", ("", "format", "/format", "date", "secret")),
        ({"enum": [1]}, "secret", ("", "enum", "/enum", [1], "secret")),
        ({"pattern": "^a"}, "secret", ("", "pattern", "/pattern", "^a", "secret")),
        ({"propertyNames": {"maxLength": 1}}, {"secret": 1},
         ("", "maxLength", "/propertyNames/maxLength", "names that satisfy maxLength", {"secret": 1})),
    ],
)  # fmt: skip
def test_a_violation_says_where_what_and_why_without_the_records_content(
    schema: object, value: object, expected: tuple[object, ...]
) -> None:
    (violation,) = _compiled(schema).violations(value)

    found = (violation.pointer, violation.keyword, violation.schema_pointer, violation.expected, violation.actual)
    assert found == expected
    assert "secret" not in violation.message
    assert len(violation.message) <= 501


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"type": "intger"}', "/type"),
        ('{"properties": {"a/b": {"minimum": "x"}}}', "/properties/a~1b/minimum"),
        ('{"type": "integer", "allOf": 5}', "/allOf"),
        ('{"format": ["a"]}', "/format"),
        ('{"pattern": "("}', "/pattern"),
        ('{"$ref": "http://[bad"}', "/$ref"),
        ('{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 3}', "/exclusiveMinimum"),
        ('{"type": {"' + "z" * 10_000 + '": 1}}', "/type"),
        ("[]", ""),
        ("{", ""),
        ('{"type": "string", "type": "integer"}', ""),
        ('{"$ref": "#/nowhere"}', ""),
        ('{"a": "\ud800"}', ""),
        ('{"$id": "http://[bad", "allOf": [{"$ref": "a"}]}', "/$id"),
    ],
)
def test_a_schema_that_is_none_is_refused_with_the_place(text: str, pointer: str) -> None:
    with pytest.raises(SchemaInvalid) as refusal:
        check_json_schema(Schema(text, "JSON"), references_of(MemoryRegistry("http://registry.test")))
    assert refusal.value.pointer == pointer
    assert len(refusal.value.reason) <= 501


@pytest.mark.parametrize("document", [True, False, {}, {"$schema": D4}, {"$schema": D20}, {"$id": "/x/1.0.0"}])
def test_a_schema_that_is_one_is_taken(document: object) -> None:
    check_json_schema(_schema(document), references_of(MemoryRegistry("http://registry.test")))
