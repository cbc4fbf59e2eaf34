"""The law of `test_bypass_matrix`, held over the v3 API: its types, and all that a record can say of its schema.

A cell is a type of one part and one thing that is said of its schema, sent in a batch and in a stream. The other part
is as good as it can be.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from confluent_shim.records import Part
from confluent_shim.settings import Limits
from tests.contract.test_bypass_matrix import (
    ENCODINGS,
    KEY_RULES,
    PARTS,
    TAGGED,
    Side,
    bound,
    good,
    lawful,
    pool,
)
from tests.parts import Shim
from tests.streams import parsed

TYPES = ("JSON", "JSONSCHEMA", "AVRO", "BINARY", "STRING", "PROTOBUF", None)
WITHOUT_SCHEMA = ("JSON", "BINARY", "STRING")
FORMATS = {
    "JSON": "json",
    "JSONSCHEMA": "jsonschema",
    "AVRO": "avro",
    "BINARY": "binary",
    "STRING": "json",
    "PROTOBUF": "json",
}


class Claim(NamedTuple):
    """Something that is said of a schema, and whether it is true of the bound one.

    `("id", name)` and `("text", name)` stand for what has that name on the side of the topic, SUBJECT for its subject.
    `beside_type` tells whether it can be said beside the type of a schema.
    """

    said: Mapping[str, object]
    is_true: bool
    beside_type: bool = False


SUBJECT = object()
NOTHING = Claim({}, True, True)
CLAIMS = (
    NOTHING,
    *(Claim({"schema_id": ("id", name)}, name == "own") for name in ("own", "old", "foreign", "unknown")),
    *(Claim({"schema": ("text", name)}, True, True) for name in ("own", "respelled")),
    *(Claim({"schema": ("text", name)}, False, True) for name in ("old", "foreign", "garbage")),
    *(Claim({"schema_version": version}, True) for version in (2, "latest", -1)),
    *(Claim({"schema_version": version}, False) for version in (1, 9, 0)),
    Claim({"subject": SUBJECT}, True, True),
    Claim({"subject": SUBJECT, "schema": ("text", "own")}, True, True),
    Claim({"subject": SUBJECT, "schema_id": ("id", "foreign")}, False),
    Claim({"subject": "f"}, False, True),
    Claim({"subject": "f", "schema_id": ("id", "foreign")}, False),
    Claim({"subject": "f", "schema_id": ("id", "own")}, False),
    Claim({"subject_name_strategy": "TOPIC_NAME"}, True, True),
    Claim({"subject_name_strategy": "TOPIC_NAME", "subject": SUBJECT}, False),
    # The bound schemas are called `key` and `value`: with the topic's name before it, that is the subject's name.
    Claim({"subject_name_strategy": "TOPIC_RECORD_NAME", "schema": ("text", "own")}, True, True),
    Claim({"subject_name_strategy": "TOPIC_RECORD_NAME", "schema_id": ("id", "own")}, True),
    Claim({"subject_name_strategy": "TOPIC_RECORD_NAME", "schema": ("text", "foreign")}, False, True),
    Claim({"subject_name_strategy": "TOPIC_RECORD_NAME"}, False, True),
    *(
        Claim({"subject_name_strategy": "RECORD_NAME", "schema": ("text", name)}, False, True)
        for name in ("own", "old")
    ),
    Claim({"schema_id": ("id", "own"), "schema": ("text", "own")}, False),
)


def resolved(said: Mapping[str, object], side: Side, subject: str) -> dict[str, object]:
    """Put in what stands for something."""
    known: dict[object, object] = {SUBJECT: subject}
    known |= {("id", name): number for name, number in side.ids.items()}
    known |= {("text", name): text for name, text in side.texts.items()}
    return {field: known.get(value, value) for field, value in said.items()}


def send_batch(shim: Shim, records: Sequence[Mapping[str, object]]) -> list[bool]:
    answer = shim.batch("t", *records)
    if answer.status_code == 400:  # what cannot be said at all refuses the whole
        return [False] * len(records)
    assert answer.status_code == 207
    written = {success["id"] for success in answer.get_json()["successes"]}
    return [str(index) in written for index in range(len(records))]


def send_stream(shim: Shim, records: Sequence[Mapping[str, object]]) -> list[bool]:
    answer = shim.stream("t", "\n".join(map(json.dumps, records)))
    lines = parsed(answer.text)
    assert all(line["error_code"] < 500 or line["error_code"] > 599 for line in lines)
    return [line["error_code"] == 200 for line in lines]


ROUTES: Mapping[str, Callable[[Shim, Sequence[Mapping[str, object]]], list[bool]]] = {
    "batch": send_batch,
    "stream": send_stream,
}


def best(side: Side, kind: str | None) -> object:
    """Return what conforms, in the form that the type asks for."""
    if kind is None and side.kind is not None:
        return good(side, "avro" if side.kind == "AVRO" else "jsonschema")
    if kind == "STRING" and side.kind is None:
        return "text"
    return good(side, FORMATS[kind or "JSON"])


def admits(part: Part, kind: str | None, claim: Claim, side: Side, key_rule: str) -> bool:
    """Tell whether the good record must get in."""
    silent = claim is NOTHING
    if not claim.is_true or (kind in WITHOUT_SCHEMA and not silent) or (kind is not None and not claim.beside_type):
        return False
    if part == "key" and side.kind is None:
        return silent and (key_rule == "none" or kind in WITHOUT_SCHEMA)
    return kind in (None, "JSON", "BINARY", "AVRO" if side.kind == "AVRO" else "JSONSCHEMA")


def block(kind: str | None, said: Mapping[str, object], data: object) -> dict[str, object]:
    return {**({} if kind is None else {"type": kind}), **said, "data": data}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("key_rule", KEY_RULES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_gets_around_the_schema(route: str, part: Part, encoding: str, key_rule: str, kind: str | None) -> None:
    send = ROUTES[route]
    with bound(encoding, key_rule, limits=Limits(entries=50)) as (shim, keys, values):
        side, other = (keys, values) if part == "key" else (values, keys)
        other_part = "value" if part == "key" else "key"
        other_block: Any = block("JSON", {}, best(other, "JSON"))
        if other_part == "key" and key_rule == "none":
            other_block = None
        for claim in CLAIMS:
            said = resolved(claim.said, side, f"t-{part}")
            data = None if part == "key" and key_rule == "none" else best(side, kind)
            records = [{part: block(kind, said, each), other_part: other_block} for each in (data, *pool(side), TAGGED)]
            shim.sink._logs.clear()
            written = send(shim, records)
            landed = shim.sink.landed("t")
            assert len(landed) == sum(written), claim.said
            assert all(lawful(each, key_rule, keys, values) for each in landed), claim.said
            assert written[0] == admits(part, kind, claim, side, key_rule), claim.said
