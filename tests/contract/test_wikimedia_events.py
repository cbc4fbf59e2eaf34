"""Real events have the verdict of their file under their real schemas."""

import json
from functools import cache
from typing import Any

import pytest

from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.validation import JsonSchemaValidator, compile_json_schema
from tests import shared_data
from tests.compiling import no_reference


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    if not shared_data.SCHEMAS.is_file():
        return {}
    lines = map(json.loads, shared_data.SCHEMAS.read_text().splitlines())
    return {line["id"]: line["schema"] for line in lines}


@cache
def _events() -> list[dict[str, Any]]:
    if not shared_data.EVENTS.is_file():
        return []
    return [json.loads(line) for line in shared_data.EVENTS.read_text().splitlines()]


@cache
def _compiled(schema_id: str) -> JsonSchemaValidator:
    return compile_json_schema(Schema(json.dumps(_schemas()[schema_id]), "JSON"), no_reference)


def test_the_events_and_schemas_are_there() -> None:
    assert len(_events()) == 63, f"no 63 events at {shared_data.EVENTS}"
    assert len(_schemas()) == 83, f"no 83 schemas at {shared_data.SCHEMAS}"


@pytest.mark.parametrize("line", _events(), ids=lambda line: line["schema"])
def test_an_event_has_the_verdict_of_its_file(line: dict[str, Any]) -> None:
    compiled = _compiled(line["schema"])

    assert compiled.is_valid(line["event"]) is line["valid"]
    assert bool(list(compiled.violations(line["event"]))) is not line["valid"]


@pytest.mark.parametrize("schema_id", _schemas())
def test_a_real_schema_compiles_and_both_its_forms_agree(schema_id: str) -> None:
    compiled = _compiled(schema_id)

    values: tuple[object, ...] = (None, 1, 1.0, "", [], {}, {"$schema": 1.0, "meta": {}})
    for value in values:
        assert compiled.is_valid(value) == (not list(compiled.violations(value)))
