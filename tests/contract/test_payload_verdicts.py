"""What Confluent 7.9.9 took and refused under a JSON Schema, we take and refuse."""

import json
from typing import Any

import pytest

from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.validation import compile_json_schema
from tests import shared_data


def _rows() -> list[dict[str, Any]]:
    if not shared_data.PAYLOAD_VERDICTS.is_file():
        return []
    rows = map(json.loads, shared_data.PAYLOAD_VERDICTS.read_text().splitlines())
    return [row for row in rows if row["format"] == "JSONSCHEMA"]


def _no_reference(reference: SchemaReference) -> Schema:
    raise AssertionError(reference)


def test_the_recorded_verdicts_are_there() -> None:
    assert _rows(), f"no recorded verdicts at {shared_data.PAYLOAD_VERDICTS}"


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"row-{row['row']}")
def test_a_recorded_payload_has_the_verdict_that_it_had(row: dict[str, Any]) -> None:
    # A 7.9.9 takes a null under any schema as a tombstone; that is decided before a schema is asked, and 8.x asks it.
    version = "8.3.1" if row["7.9.9"]["tombstone"] else "7.9.9"
    schema = Schema(row["schema"], "JSON")
    if row[version]["status"] == 422:
        with pytest.raises(SchemaInvalid):
            compile_json_schema(schema, _no_reference)
        return
    compiled = compile_json_schema(schema, _no_reference)
    value = read_json(row["instance"].encode())

    assert compiled.is_valid(value) == (row[version]["status"] == 200)
    assert compiled.is_valid(value) == (not list(compiled.violations(value)))
