"""Under real schemas the native validator gives the verdicts of the reference validator, on values good and bad."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
import pytest

from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.strictness import CONFLUENT, STANDARD, Strictness
from jsonschema_bridge.validation import JsonSchemaValidator, compile_json_schema
from tests import shared_data
from tests.compiling import no_reference

_VALUES = 60
"""Values for each schema, half of them with something changed; some are real events."""

_TEXTS = ("", "a", "text", "2026-01-01T00:00:00Z", "/a/b?c", "12/345/6", "٣/1/1", "a\n", "é", "😀" * 3, "x" * 2000)
_NUMBERS = (0, -1, 1, 1.0, 1.5, -0.0, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 10**30, 1e17, 1e300, 5e-324)
_OTHERS: tuple[Any, ...] = (None, True, False, [], [1], {}, {"a": 1})


def _is_integer(checker: jsonschema.TypeChecker, value: object) -> bool:
    del checker
    return isinstance(value, int) and not isinstance(value, bool)


_BY_VALUE = jsonschema.Draft7Validator
_BY_TEXT = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    _BY_VALUE, type_checker=_BY_VALUE.TYPE_CHECKER.redefine("integer", _is_integer)
)
READINGS: Mapping[str, tuple[Strictness, Any]] = {
    "standard": (STANDARD, _BY_VALUE),
    "confluent": (CONFLUENT._replace(formats="ignore"), _BY_TEXT),
}
"""Each strictness, and the reference that it must agree with. Formats are compared with the official suite."""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(item)


DIFFERENCES: Mapping[str, Callable[[str, object], bool]] = {
    "Python's \\d is every digit of Unicode, and its $ takes a line break at the end; ECMA 262 has neither": (
        lambda schema, value: '"pattern"' in schema and any("٣" in text or "\n" in text for text in _strings(value))
    ),
}
"""Where the reference is not what the standard asks for: predicates on a schema's text and a value."""


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    if not shared_data.SCHEMAS.is_file():
        return {}
    lines = map(json.loads, shared_data.SCHEMAS.read_text().splitlines())
    return {line["id"]: {**line["schema"], "$schema": "http://json-schema.org/draft-07/schema#"} for line in lines}


@cache
def _events() -> Mapping[str, Any]:
    if not shared_data.EVENTS.is_file():
        return {}
    return {line["schema"]: line["event"] for line in map(json.loads, shared_data.EVENTS.read_text().splitlines())}


def _conforming(schema: Mapping[str, Any], chance: random.Random) -> Any:
    """Return a value that most likely conforms to one of the schemas at hand, which use few keywords."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if schema.get("examples") and chance.random() < 0.5:
        return copy.deepcopy(chance.choice(schema["examples"]))
    kind = schema.get("type", "object")
    kind = chance.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, chance)
    if kind == "array":
        return [_conforming(schema.get("items", {}), chance) for _ in range(chance.randrange(3))]
    texts = [text for text in _TEXTS if schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 2000)]
    bounds = (schema.get("minimum", 0), schema.get("maximum", 1))
    scalars: dict[str, Any] = {"string": texts or _TEXTS, "integer": (0, 1, 2**31, *bounds)}
    scalars |= {"number": (0, 0.5, 1, *bounds), "boolean": (True, False), "null": (None,)}
    return chance.choice(scalars[kind])


def _object(schema: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    required = schema.get("required", ())
    members = {
        name: _conforming(below, chance)
        for name, below in schema.get("properties", {}).items()
        if name in required or chance.random() < 0.4
    }
    extra = schema.get("additionalProperties")
    return members | ({"extra": _conforming(extra, chance)} if isinstance(extra, dict) else {})


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in members:
        yield value, name
        yield from _places(item)


def _changed(value: Any, chance: random.Random) -> Any:
    """Return `value` with one thing changed: a member gone, one too many, another type, a bound overstepped."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return chance.choice(_OTHERS)
    container, name = chance.choice(places)
    match chance.choice(("delete", "add", "text", "number", "other")):
        case "delete":
            del container[name]
        case "add" if isinstance(container, dict):
            container["no such property"] = chance.choice(_OTHERS)
        case "text":
            container[name] = chance.choice(_TEXTS)
        case "number":
            container[name] = chance.choice(_NUMBERS)
        case _:
            container[name] = chance.choice(_OTHERS)
    return value


def _values(schema_id: str) -> Iterator[Any]:
    chance = random.Random(schema_id)  # noqa: S311 - chosen, not secret
    for number in range(_VALUES):
        event = _events().get(schema_id) if number % 6 == 1 else None
        value = _conforming(_schemas()[schema_id], chance) if event is None else event
        yield _changed(value, chance) if number % 2 else value


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("schema_id", _schemas())
def test_the_verdicts_are_those_of_the_reference(schema_id: str, reading: str) -> None:
    text, (strictness, reference_class) = json.dumps(_schemas()[schema_id]), READINGS[reading]
    ours: JsonSchemaValidator = compile_json_schema(Schema(text, "JSON"), no_reference, strictness)
    reference = reference_class(_schemas()[schema_id])

    for value in _values(schema_id):
        if any(differs(text, value) for differs in DIFFERENCES.values()):
            continue
        violations = list(ours.violations(value))
        assert ours.is_valid(value) == (not violations)
        assert ours.is_valid(value) == reference.is_valid(value), (value, violations)


def test_both_verdicts_are_common_among_the_values() -> None:
    verdicts = [_BY_VALUE(_schemas()[name]).is_valid(value) for name in _schemas() for value in _values(name)]

    assert len(_schemas()) == 83, f"no 83 schemas at {shared_data.SCHEMAS}"
    assert min(verdicts.count(True), verdicts.count(False)) > len(verdicts) / 5


@pytest.mark.parametrize("reason", DIFFERENCES)
def test_every_difference_is_met(reason: str) -> None:
    differing = 0
    for name, schema in _schemas().items():
        ours = compile_json_schema(Schema(json.dumps(schema), "JSON"), no_reference, STANDARD)
        for value in filter(lambda value: DIFFERENCES[reason](json.dumps(schema), value), _values(name)):
            differing += ours.is_valid(value) != _BY_VALUE(schema).is_valid(value)
    assert differing
