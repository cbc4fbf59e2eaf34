"""Derivations of schemas that a test writes down."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from jsonschema_bridge.derivation import Derived, Options, derive
from jsonschema_bridge.errors import Refusal, SchemaNotDerivable
from jsonschema_bridge.registry.model import Schema, SchemaReference


def json_schema(document: object, *names: str) -> Schema:
    """Return a schema that refers to the `names`, each of a subject of that name."""
    return Schema(json.dumps(document), "JSON", tuple(SchemaReference(name, name, 1) for name in names))


def derived(document: object, others: Mapping[str, object] | None = None, **options: Any) -> Derived:
    """Derive `document`, which refers to `others` by their names."""
    known = others or {}
    return derive(json_schema(document, *known), lambda found: json_schema(known[found.subject]), Options(**options))


def avro(document: object, others: Mapping[str, object] | None = None, **options: Any) -> Any:
    """Return the Avro schema of `document`, parsed."""
    return json.loads(derived(document, others, **options).schema.text)


def refusals(document: object, others: Mapping[str, object] | None = None, **options: Any) -> list[Refusal]:
    """Return why `document` has no Avro form."""
    with pytest.raises(SchemaNotDerivable) as refused:
        derived(document, others, **options)
    return list(refused.value.refusals)


def back(form: Derived, value: object) -> object:
    """Encode a value that is admitted, and decode it."""
    encoded = form.encode(value)
    assert isinstance(encoded, bytes), encoded
    return form.decode(encoded)


def broken(form: Derived, value: object) -> list[tuple[str, str]]:
    """Return the carry rules that a value breaks: (pointer into the value, pointer into the schema)."""
    encoded = form.encode(value)
    assert isinstance(encoded, list), encoded
    assert {violation.keyword for violation in encoded} == {"carry"}
    return [(violation.pointer, violation.schema_pointer) for violation in encoded]


def rules(form: Derived) -> list[tuple[str, str]]:
    """Return the carry rules: (pointer into the schema, name)."""
    return [(each.pointer, each.rule) for each in form.carry_rules]
