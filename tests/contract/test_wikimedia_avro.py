"""Real JSON Schemas have an Avro form, their real events come back from it, and the docs tell the options."""

import io
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from jsonschema_bridge.derivation import Derived, Options, derive
from jsonschema_bridge.errors import SchemaNotDerivable
from jsonschema_bridge.framing import frame, unframe
from jsonschema_bridge.registry.model import Schema
from tests import shared_data
from tests.compiling import no_reference
from tests.parts import memory_shim

DOCS = Path(__file__).parents[2] / "docs" / "avro-derivation.md"
CHOICES: Mapping[str, Options] = {
    "": Options(),
    '`untyped = "json"`': Options(untyped="json"),
    '`extra = "map"`': Options(extra="map"),
    '`extra = "map"`, `untyped = "json"`': Options(extra="map", untyped="json"),
}
"""The options by what the docs write, the plainest first."""


@cache
def _schemas() -> dict[str, Any]:
    lines = shared_data.SCHEMAS.read_text().splitlines() if shared_data.SCHEMAS.is_file() else []
    return {line["id"]: line["schema"] for line in map(json.loads, lines)}


@cache
def _events() -> dict[str, list[Any]]:
    """Return the valid events by the ids of their schemas."""
    lines = shared_data.EVENTS.read_text().splitlines() if shared_data.EVENTS.is_file() else []
    found: dict[str, list[Any]] = {}
    for line in map(json.loads, lines):
        if line["valid"]:
            found.setdefault(line["schema"], []).append(line["event"])
    return found


@cache
def _derived(schema_id: str, options: Options) -> Derived | None:
    try:
        return derive(Schema(json.dumps(_schemas()[schema_id]), "JSON"), no_reference, options)
    except SchemaNotDerivable:
        return None


def _needed(schema_id: str, events: Iterable[Any]) -> str:
    """Return the plainest options with which a schema derives and carries the events."""
    for text, options in CHOICES.items():
        form = _derived(schema_id, options)
        if form is not None and all(isinstance(form.encode(event), bytes) for event in events):
            return text
    raise AssertionError(f"{schema_id} derives with no options")


def _form(schema_id: str) -> Derived:
    form = _derived(schema_id, CHOICES[_needed(schema_id, _events().get(schema_id, ()))])
    assert form is not None
    return form


def _cases() -> list[Any]:
    return [pytest.param(name, event, id=name) for name, events in _events().items() for event in events]


def _as_json(schema: Any, datum: Any, *, text: bool = False) -> Any:
    """Return what a consumer makes of a datum that fastavro has read, by what the Avro schema says in its docs."""
    match schema, datum:
        case [*branches], _:
            kinds: dict[type, Any] = {str: "string", dict: "map", list: "array"}
            fit = [each for each in branches if _kind(each) == kinds.get(type(datum))] if len(branches) > 2 else []
            return None if datum is None else _as_json((fit or branches[1:])[0], datum, text=text)
        case {"type": "record"}, _:
            value: dict[str, Any] = {}
            for field in schema["fields"]:
                doc = field.get("doc", "")
                item = _as_json(field["type"], datum[field["name"]], text="JSON text." in doc)
                name = re.match(r'JSON name "([^"]*)"', doc)
                value |= item if field["name"] == "additionalProperties" else {name[1] if name else field["name"]: item}
            return value
        case {"type": "map"}, _:
            return {name: _as_json(schema["values"], item, text=text) for name, item in datum.items()}
        case {"type": "array"}, _:
            return [_as_json(schema["items"], item, text=text) for item in datum]
    return json.loads(datum) if text else datum


def _kind(schema: Any) -> Any:
    return schema["type"] if isinstance(schema, dict) else schema


def _without_nulls(value: Any) -> Any:
    """Leave out members that are null: to a consumer of Avro they are as if they were absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def test_the_events_and_schemas_are_there() -> None:
    assert len(_schemas()) == 83, f"no 83 schemas at {shared_data.SCHEMAS}"
    assert sum(map(len, _events().values())) == 63, f"no 63 valid events at {shared_data.EVENTS}"


@pytest.mark.parametrize("schema_id", _schemas())
def test_a_real_schema_derives(schema_id: str) -> None:
    fastavro.parse_schema(json.loads(_form(schema_id).schema.text))


@pytest.mark.parametrize(("schema_id", "event"), _cases())
def test_a_real_event_comes_back(schema_id: str, event: Any) -> None:
    form = _form(schema_id)
    encoded = form.encode(event)
    assert isinstance(encoded, bytes)

    decoded: Any = form.decode(encoded)
    assert _without_nulls(decoded) == _without_nulls(event)
    assert event.keys() <= decoded.keys()


@pytest.mark.parametrize(("schema_id", "event"), _cases())
def test_consumers_of_avro_read_the_event(schema_id: str, event: Any) -> None:
    form = _form(schema_id)
    encoded = form.encode(event)
    assert isinstance(encoded, bytes)
    schema = json.loads(form.schema.text)
    client = SchemaRegistryClient.new_client({"url": f"mock://{schema_id}"})
    registered = client.register_schema("events-value", RegistrySchema(form.schema.text, "AVRO"))
    context = SerializationContext("events", MessageField.VALUE)

    by_confluent = AvroDeserializer(client)(frame(registered, encoded), context)
    by_fastavro = fastavro.schemaless_reader(io.BytesIO(encoded), fastavro.parse_schema(schema), None)
    assert by_confluent == by_fastavro
    assert _without_nulls(_as_json(schema, by_fastavro)) == _without_nulls(event)


@pytest.mark.parametrize("schema_id", _events())
def test_a_topic_takes_the_events_and_holds_avro(schema_id: str) -> None:
    events = _events()[schema_id]
    options = CHOICES[_needed(schema_id, events)]
    fields = {"source_subject": "", "avro_extra": options.extra, "avro_untyped": options.untyped}
    with memory_shim() as shim:
        shim.bind("events", _schemas()[schema_id], encoding="avro", **fields)
        answer = shim.send("events", *events)
        assert answer.status_code == 200, answer.text
        landed = [unframe(value or b"")[1] for value in shim.landed("events")]

    assert landed == [_form(schema_id).encode(event) for event in events]


def _table() -> list[str]:
    """Return the rows of the table: title, versions, options to derive, options to carry the example events too."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for schema_id in _schemas():
        title, _, version = schema_id.strip("/").rpartition("/")
        events = _events().get(schema_id, ())
        carry = _needed(schema_id, events) if events else "no examples"
        rows.setdefault((title, _needed(schema_id, ()), carry), []).append(version)
    return [
        f"| `{title}` | {', '.join(versions)} | {derives or 'none'} | {carry or 'none'} |"
        for (title, derives, carry), versions in sorted(rows.items(), key=lambda row: (row[0][0], row[1]))
    ]


def test_the_docs_tell_which_options_each_schema_needs() -> None:
    """Put these rows into the table when the schemas or the mapping change."""
    lines = DOCS.read_text().partition("\n## Real schemas\n")[2].splitlines()
    assert [line for line in lines if line.startswith("| `")] == _table(), "\n".join(_table())
