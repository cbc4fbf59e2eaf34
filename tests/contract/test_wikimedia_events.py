"""Real events under their real schemas: the file's verdict, and the reference validator's on events gone wrong."""

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.validation import JsonSchemaValidator, compile_json_schema
from tests import shared_data

_SEEDS = range(20)
_OTHER_TYPES: tuple[object, ...] = (None, True, 7, 7.0, 7.5, "text", [], {})


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


def _no_reference(reference: SchemaReference) -> Schema:
    raise AssertionError(reference)


@cache
def _compiled(schema_id: str) -> JsonSchemaValidator:
    return compile_json_schema(Schema(json.dumps(_schemas()[schema_id]), "JSON"), _no_reference)


def _is_integer(checker: jsonschema.TypeChecker, value: object) -> bool:
    del checker
    return isinstance(value, int) and not isinstance(value, bool)


# The two documented differences from the standard: 1.0 is no integer, and formats are asserted. Which texts satisfy
# a format is no question of this comparison: no event here is given another text where a format is asked for.
_TYPES = jsonschema.Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_REFERENCE = jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=_TYPES)  # type: ignore[no-untyped-call]


@cache
def _reference(schema_id: str) -> Any:
    return _REFERENCE({**_schemas()[schema_id], "$schema": "http://json-schema.org/draft-07/schema#"})


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in members:
        yield value, name
        yield from _places(item)


def _gone_wrong(event: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return `event` with one thing changed: a member gone, one too many, of another type, or a float."""
    event = copy.deepcopy(event)
    container, name = chance.choice(list(_places(event)))
    change = chance.choice(("delete", "add", "type", "float"))
    if change == "delete":
        del container[name]
    elif change == "add" and isinstance(container, dict):
        container["no such property"] = chance.choice(_OTHER_TYPES)
    elif change == "float" and type(container[name]) is int:
        container[name] = float(container[name])
    else:
        others = [other for other in _OTHER_TYPES if type(other) is not type(container[name])]
        if isinstance(container[name], int | float | bool) or container[name] is None:
            others = [other for other in others if not isinstance(other, str)]  # a text may miss its format
        container[name] = chance.choice(others)
    return event


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


@pytest.mark.parametrize("line", _events(), ids=lambda line: line["schema"])
def test_an_event_gone_wrong_has_the_verdict_of_the_reference(line: dict[str, Any]) -> None:
    compiled, reference = _compiled(line["schema"]), _reference(line["schema"])

    for seed in _SEEDS:
        event = _gone_wrong(line["event"], random.Random(seed))  # noqa: S311 - chosen, not secret
        violations = list(compiled.violations(event))
        assert compiled.is_valid(event) == (not violations)
        assert compiled.is_valid(event) == reference.is_valid(event), (event, violations)
