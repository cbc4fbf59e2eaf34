"""Whatever a request claims and in whatever form it comes: what is answered as written conforms, the rest never lands.

A cell is one way to send records to one kind of binding. What landed is judged by other libraries than the shim's own.
To hold another route to the law, add it to ROUTES.
"""

import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

import fastavro
import jsonschema
import pytest

from confluent_shim.records import Part
from jsonschema_bridge import Schema
from tests.parts import Shim, memory_shim

Kind = Literal["JSON", "AVRO"]

FORMATS = ("json", "jsonschema", "avro", "binary", "protobuf", None)
ENCODINGS: Mapping[str, Kind] = {"json-schema": "JSON", "json": "JSON", "avro": "AVRO"}
KEY_RULES: Mapping[str, Kind | None] = {
    "any": None,
    "none": None,
    "required": None,
    "subject JSON": "JSON",
    "subject AVRO": "AVRO",
}
PARTS: tuple[Part, ...] = ("key", "value")
IDS = ("none", "own", "old", "foreign", "unknown")
TEXTS = ("none", "own", "respelled", "old", "foreign", "garbage")
TAKEN: Mapping[Kind, set[str | None]] = {
    "JSON": {"json", "jsonschema", "binary", None},
    "AVRO": {"json", "avro", "binary", None},
}

PLAIN = {"id": 1, "note": "x"}
TAGGED = {"id": 1, "note": {"string": "x"}}
WRONG = {"id": "1"}
IN_JSON, WRONG_IN_JSON, IN_AVRO = json.dumps(PLAIN).encode(), json.dumps(WRONG).encode(), b"\x02\x02\x02x"


def schema(kind: Kind, name: str) -> dict[str, Any]:
    """Return a schema for the events above; under each name another one."""
    if kind == "JSON":
        properties = {"id": {"type": "integer"}, "note": {"type": ["string", "null"]}}
        closed = {"type": "object", "properties": properties, "required": ["id"], "additionalProperties": False}
        return {"$schema": "http://json-schema.org/draft-07/schema#", "title": name, **closed}
    fields = [{"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"], "default": None}]
    return {"type": "record", "name": name, "fields": fields}


def lax_schema(kind: Kind, name: str) -> dict[str, Any]:
    """Return a schema that takes other events too."""
    fields = [{"name": "id", "type": ["long", "string"]}, {"name": "note", "type": ["null", "string"], "default": None}]
    return {"title": name} if kind == "JSON" else {"type": "record", "name": name, "fields": fields}


@dataclass(frozen=True)
class Side:
    """The keys or the values of a topic: what judges them, and the ids and texts that a request may name."""

    kind: Kind | None
    framed: bool
    ids: Mapping[str, int]
    texts: Mapping[str, str]

    def holds(self, landed: bytes) -> bool:
        """Tell whether `landed` is one value that conforms, behind the frame of the subject's current version."""
        payload = landed
        if self.framed:
            frame, payload = landed[:5], landed[5:]
            if frame != b"\0" + self.ids["own"].to_bytes(4, "big"):
                return False
        document = json.loads(self.texts["own"])
        if self.kind == "AVRO":
            stream = io.BytesIO(payload)
            value = fastavro.schemaless_reader(stream, document, None)
            return stream.tell() == len(payload) and fastavro.validate(value, document, raise_errors=False)
        return jsonschema.Draft7Validator(document).is_valid(json.loads(payload))


class Cell(NamedTuple):
    """One way to send: content type, and what is said of the schema of one part."""

    embedded_format: str | None
    part: Part
    schema_id: str
    text: str


Send = Callable[[Shim, Cell, Mapping[str, object], Sequence[Mapping[str, object]], bool], list[bool]]
"""Sends records with claims to topic `t`, all or nothing or each by itself; tells which were answered as written."""


def send_v2(
    shim: Shim, cell: Cell, claims: Mapping[str, object], records: Sequence[Mapping[str, object]], lenient: bool
) -> list[bool]:
    headers = {"Prefer": "handling=lenient"} if lenient else {}
    if cell.embedded_format is not None:
        headers["Content-Type"] = f"application/vnd.kafka.{cell.embedded_format}.v2+json"
    body = json.dumps({**claims, "records": records})
    answer = shim.client.post("/topics/t", data=body, headers=headers)
    assert answer.status_code < 500
    if answer.status_code != 200:
        return [False] * len(records)
    return [offset["error_code"] is None for offset in answer.get_json()["offsets"]]


ROUTES: Mapping[str, Send] = {"v2": send_v2}


def base64(sent: bytes) -> str:
    return b64encode(sent).decode()


def framed(schema_id: int, payload: bytes) -> str:
    return base64(b"\0" + schema_id.to_bytes(4, "big") + payload)


def pool(side: Side) -> list[object]:
    """Return what may be tried as a key or value: events in every form, right and wrong, with every id."""
    wrong = [framed(side.ids["own"], payload) for payload in (WRONG_IN_JSON, IN_AVRO[:-1], IN_AVRO + b"\0", b"")]
    every_id = [framed(schema_id, payload) for schema_id in side.ids.values() for payload in (IN_JSON, IN_AVRO)]
    return [PLAIN, TAGGED, WRONG, None, "text", "", base64(IN_JSON), base64(WRONG_IN_JSON), *wrong, *every_id]


def good(side: Side, embedded_format: str | None) -> object:
    """Return what conforms, in the form that the content type asks for."""
    if embedded_format in ("binary", None):
        payload = IN_AVRO if side.kind == "AVRO" else IN_JSON
        return framed(side.ids["own"], payload) if side.framed else base64(payload)
    return TAGGED if embedded_format == "avro" else PLAIN


def register(shim: Shim, subject: str, kind: Kind, framed: bool) -> Side:
    """Register an old version and the current one, and a schema of another subject."""
    documents = {
        "old": lax_schema(kind, "Old"),
        "own": schema(kind, subject.partition("-")[2]),
        "foreign": lax_schema(kind, "Foreign"),
    }
    texts = {name: json.dumps(document) for name, document in documents.items()}
    ids = {
        name: shim.registry.register("f" if name == "foreign" else subject, Schema(text, kind)).schema_id
        for name, text in texts.items()
    }
    respelled = json.dumps(documents["own"], indent=1, sort_keys=True)
    return Side(kind, framed, {**ids, "unknown": 999}, {**texts, "respelled": respelled, "garbage": "{"})


@contextmanager
def bound(encoding: str, key_rule: str, **settings: Any) -> Iterator[tuple[Shim, Side, Side]]:
    """Give a shim in which topic `t` is bound, with the sides of its keys and its values."""
    with memory_shim(**settings) as shim:
        values = register(shim, "t-value", ENCODINGS[encoding], encoding != "json")
        kind = KEY_RULES[key_rule]
        keys = register(shim, "t-key", kind or "JSON", framed=True)
        rule = {"key": "subject", "key_subject": "t-key"} if kind else {"key": key_rule}
        answer = shim.admin("PUT", "t", {"encoding": encoding, **rule}, query="?create_topic=true")
        assert answer.status_code == 200, answer.text
        yield shim, keys if kind else Side(None, False, keys.ids, keys.texts), values


def lawful(landed: Any, key_rule: str, keys: Side, values: Side) -> bool:
    """Tell whether a record that landed is one that the topic may hold."""
    key, value = landed.key, landed.value
    if value is None and key is None:
        return False
    key_lawful = {"any": True, "none": key is None, "required": key is not None}
    return (value is None or values.holds(value)) and (
        key_lawful[key_rule] if keys.kind is None else key is not None and keys.holds(key)
    )


def admits(cell: Cell, key_rule: str, keys: Side, values: Side) -> bool:
    """Tell whether the good record must get in."""
    own = cell.schema_id in ("none", "own") and cell.text in ("none", "own", "respelled")
    claimed = (cell.schema_id, cell.text) != ("none", "none")
    if not own or cell.embedded_format not in TAKEN[values.kind or "JSON"]:
        return False
    if keys.kind is not None:
        return cell.embedded_format in TAKEN[keys.kind]
    # Without a key subject there are no keys in a schema's format, and nothing may be said of their schema.
    return not (claimed and cell.part == "key") and not (
        key_rule == "required" and cell.embedded_format in ("jsonschema", "avro")
    )


@pytest.mark.parametrize("embedded_format", FORMATS)
@pytest.mark.parametrize("key_rule", KEY_RULES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_gets_around_the_schema(route: str, encoding: str, key_rule: str, embedded_format: str | None) -> None:
    send = ROUTES[route]
    with bound(encoding, key_rule) as (shim, keys, values):
        keyless = key_rule == "none" or (keys.kind is None and embedded_format in ("jsonschema", "avro", "protobuf"))
        key = None if keyless else good(keys, embedded_format)
        value = good(values, embedded_format)
        best = [{"key": key, "value": value}]
        by_value = [{"key": key, "value": each} for each in pool(values)]
        by_key = [{"key": each, "value": value} for each in pool(keys)]
        for part, schema_id, text in product(PARTS, IDS, TEXTS):
            cell = Cell(embedded_format, part, schema_id, text)
            side = keys if part == "key" else values
            claims: dict[str, object] = {}
            if schema_id != "none":
                claims[f"{part}_schema_id"] = side.ids[schema_id]
            if text != "none":
                claims[f"{part}_schema"] = side.texts[text]
            for records, lenient in ((best, False), *product((by_value, by_key), (False, True))):
                shim.sink._logs.clear()
                written = send(shim, cell, claims, records, lenient)
                landed = shim.sink.landed("t")
                assert len(landed) == sum(written), cell
                assert lenient or all(written) or not any(written), cell
                assert all(lawful(each, key_rule, keys, values) for each in landed), cell
                if records is best:
                    assert written == [admits(cell, key_rule, keys, values)], cell
