"""Derived Avro schemas before a real registry: it takes them, and its own rule finds them to evolve."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from jsonschema_bridge.derivation import Options, derive
from jsonschema_bridge.errors import SchemaNotDerivable
from jsonschema_bridge.registry import Registry
from jsonschema_bridge.registry.confluent import open_confluent_registry
from jsonschema_bridge.registry.model import Schema
from tests.compiling import no_reference
from tests.json_schemas import grown, json_schemas, object_schemas

_numbers = count()


def _text(document: object) -> str:
    options = Options(extra="map", untyped="json")
    try:
        return derive(Schema(json.dumps(document), "JSON"), no_reference, options).schema.text
    except SchemaNotDerivable:
        reject()


def _post(url: str, text: str) -> Any:
    answer = requests.post(url, json={"schema": text, "schemaType": "AVRO"}, timeout=10)
    assert answer.ok, (answer.text, text)
    return answer.json()


@pytest.fixture(scope="module", params=["real_stack", "apicurio"])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    """Give the registry of the stack, and the one that reads Avro with Java's own parser."""
    part = request.getfixturevalue(request.param)
    registry = open_confluent_registry(part.registry_url if request.param == "real_stack" else part.url)
    yield registry
    registry.close()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(json_schemas())
def test_a_registry_takes_what_is_derived_and_finds_it_again(registry: Registry, document: object) -> None:
    schema, subject = Schema(_text(document), "AVRO"), f"taken-{next(_numbers)}"
    registered = registry.register(subject, schema)

    assert registry.register(subject, schema) == registered
    assert registry.lookup(subject, schema) == registered
    assert registry.versions(subject) == (registered.version,)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(object_schemas(), st.data())
def test_optional_members_more_are_backward_and_forward_compatible(
    registry: Registry, document: object, data: st.DataObject
) -> None:
    old, new = _text(document), _text(data.draw(grown(document)))
    assume(old != new)
    subject = f"derived-{next(_numbers)}"
    requests.put(f"{registry.identity}/config/{subject}", json={"compatibility": "FULL"}, timeout=10)

    _post(f"{registry.identity}/subjects/{subject}/versions", old)
    answer = _post(f"{registry.identity}/compatibility/subjects/{subject}/versions/latest?verbose=true", new)
    assert answer["is_compatible"], (answer, old, new)


def test_a_member_that_becomes_required_is_not_compatible(registry: Registry) -> None:
    old: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    subject = f"derived-{next(_numbers)}"
    requests.put(f"{registry.identity}/config/{subject}", json={"compatibility": "FULL"}, timeout=10)

    _post(f"{registry.identity}/subjects/{subject}/versions", _text(old))
    new = _text({**old, "required": ["b"], "properties": {**old["properties"], "b": {"type": "string"}}})
    answer = _post(f"{registry.identity}/compatibility/subjects/{subject}/versions/latest", new)
    assert not answer["is_compatible"]
