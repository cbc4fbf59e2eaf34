"""The v3 API on topics without a binding: what a record says of its schema is looked for as Confluent looks for it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from jsonschema_bridge import Schema
from tests.parts import Shim, memory_shim
from tests.streams import parsed

STRING = Schema('"string"', "AVRO")
POINT = '{"type":"record","name":"geo.Point","fields":[{"name":"x","type":"int"}]}'
TITLED = '{"title":"Titled","type":"object"}'


@pytest.fixture
def shim() -> Iterator[Shim]:
    """Yield a shim that lets unbound topics pass and whose producers may register."""
    with memory_shim(unbound="pass", producers_may_register=True) as shim:
        yield shim


def send(shim: Shim, **record: object) -> dict[str, Any]:
    """Send a batch of one record, and return the element of the answer that tells of it."""
    answer = shim.client.post(
        "/v3/clusters/c/topics/t/records:batch",
        data=json.dumps({"entries": [{"id": "1", **record}]}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 207, answer.text
    body = answer.get_json()
    (told,) = body["successes"] + body["failures"]
    return {**told, "written": bool(body["successes"])}


@pytest.mark.parametrize(
    ("data", "lands"),
    [
        ({"type": "JSON", "data": {"a": 1}}, b'{"a": 1}'),
        ({"type": "STRING", "data": "text"}, b"text"),
        ({"type": "BINARY", "data": "AP8="}, b"\0\xff"),
        ({"type": "JSON", "data": None}, None),
    ],
)
def test_without_a_schema_nothing_is_told_of_one(shim: Shim, data: dict[str, object], lands: bytes | None) -> None:
    told = send(shim, key=data, value=data)
    size = -1 if lands is None else len(lands)
    assert told["value"] == {"type": data["type"], "size": size}
    assert told["key"]["type"] == data["type"]
    assert shim.landed("t") == [lands]


def test_a_record_may_have_neither_key_nor_value(shim: Shim) -> None:
    assert send(shim)["written"]
    assert shim.landed("t") == [None]


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        ({}, "t-value"),
        ({"schema_version": 1}, "t-value"),
        ({"schema_version": "latest"}, "t-value"),
        ({"schema_version": -1}, "t-value"),
        ({"schema_id": 1}, "t-value"),
        ({"subject_name_strategy": "TOPIC_NAME"}, "t-value"),
        ({"subject": "elsewhere"}, "elsewhere"),
        ({"subject": "elsewhere", "schema_id": 1}, "elsewhere"),
    ],
)
def test_a_version_is_found_by_what_is_said_of_it(shim: Shim, claims: Mapping[str, object], subject: str) -> None:
    for name in ("t-value", "elsewhere"):
        shim.registry.register(name, STRING)
    told = send(shim, value={"data": "x", **claims})
    assert told["value"] == {"type": "AVRO", "subject": subject, "schema_id": 1, "schema_version": 1, "size": 7}
    assert shim.landed("t") == [b"\0\0\0\0\1\2x"]


@pytest.mark.parametrize(
    ("kind", "schema", "strategy", "subject"),
    [
        ("AVRO", POINT, "RECORD_NAME", "geo.Point"),
        ("AVRO", POINT, "TOPIC_RECORD_NAME", "t-geo.Point"),
        ("AVRO", POINT.replace("geo.Point", 'Point","namespace":"geo'), "RECORD_NAME", "geo.Point"),
        ("JSONSCHEMA", TITLED, "RECORD_NAME", "Titled"),
    ],
)
def test_a_strategy_names_the_subject_after_the_record(
    shim: Shim, kind: str, schema: str, strategy: str, subject: str
) -> None:
    by_text = {"type": kind, "schema": schema, "subject_name_strategy": strategy, "data": {"x": 1}}
    assert send(shim, value=by_text)["value"]["subject"] == subject
    by_id = {"schema_id": 1, "subject_name_strategy": strategy, "data": {"x": 1}}
    assert send(shim, value=by_id)["value"]["subject"] == subject
    assert shim.registry.subjects() == [subject]


@pytest.mark.parametrize(
    ("claims", "code", "message"),
    [
        (
            {},
            422,
            "Error: 42207 : Error serializing message. Error when fetching latest schema version. subject = t-value",
        ),
        ({"schema_version": 0}, 400, "Bad Request: Schema does not exist for subject: t-value, version: 0"),
        (
            {"subject": "s", "schema_version": 123},
            400,
            "Bad Request: Schema does not exist for subject: s, version: 123",
        ),
        (
            {"schema_id": 555},
            422,
            "Error: 42207 : Error serializing message. Error when fetching schema by id. schemaId = 555",
        ),
        (
            {"subject": "nosuch", "schema_id": 1},
            422,
            (
                "Error: 42207 : Error serializing message. Error when fetching schema version. subject = nosuch, "
                'schema = "string"'
            ),
        ),
        (
            {"subject_name_strategy": "RECORD_NAME", "schema_version": 1},
            400,
            "Bad Request: Cannot use schema_subject_strategy=RECORD_NAME without schema_id or schema.",
        ),
    ],
)
def test_what_is_not_there_is_refused_in_confluent_s_words(
    shim: Shim, claims: Mapping[str, object], code: int, message: str
) -> None:
    shim.registry.register("elsewhere", STRING)
    told = send(shim, value={"data": "x", **claims})
    assert (told["error_code"], told["message"]) == (code, message)
    assert shim.landed("t") == []


@pytest.mark.parametrize(
    "claims",
    [
        {"schema": '"string"'},
        {"type": "AVRO", "schema": '"string"', "subject_name_strategy": "RECORD_NAME"},
        {"type": "AVRO", "schema": "foobar", "subject_name_strategy": "RECORD_NAME"},
        {"type": "JSONSCHEMA", "schema": '{"title":5}', "subject_name_strategy": "RECORD_NAME"},
        {"type": "PROTOBUF", "schema": "message M {}"},
        {"schema_id": 2},
    ],
)
def test_what_cannot_be_meant_is_refused(shim: Shim, claims: Mapping[str, object]) -> None:
    shim.registry.register("elsewhere", STRING)
    shim.registry.register("t-value", Schema("message M {}", "PROTOBUF"))
    assert send(shim, value={"data": "x", **claims})["error_code"] in (400, 422)
    assert shim.landed("t") == []


def test_a_null_with_a_schema_is_a_tombstone(shim: Shim) -> None:
    told = send(shim, value={"type": "AVRO", "schema": '"string"', "data": None})
    assert told["value"] == {"type": "AVRO", "subject": "t-value", "schema_id": 1, "schema_version": 1, "size": -1}
    assert shim.landed("t") == [None]


DATA = [
    (b'{"a":1,"a":2}', b'{"a":1,"a":2}'),
    (b"1e400", b"1e400"),
    (rb'["\ud83d", 1]', rb'["\uD83D",1]'),
]
"""What has no single reading, and what lands of it: the bytes, or Confluent's where no decoder reads them."""


@pytest.mark.parametrize(("data", "lands"), DATA)
def test_what_has_no_single_reading_is_read_as_confluent_does(shim: Shim, data: bytes, lands: bytes) -> None:
    record = b'"value":{"type":"JSON","data":%b}' % data
    (told,) = parsed(shim.stream("t", b"{%b}" % record).data)
    assert (told["error_code"], "shim_verdict" in told) == (200, False)
    answer = shim.client.post(
        "/v3/clusters/c/topics/t/records:batch",
        data=b'{"entries":[{"id":"1",%b}]}' % record,
        headers={"Content-Type": "application/json"},
    )
    assert len(answer.get_json()["successes"]) == 1
    assert shim.landed("t") == [lands, lands]


def test_of_two_values_the_last_one_is_sent(shim: Shim) -> None:
    value = '{"type":"STRING","data":"%s"}'
    shim.stream("t", f'{{"value":{value % "first"},"value":{value % "last"}}}')
    assert shim.landed("t") == [b"last"]


@pytest.mark.parametrize(
    "record",
    [
        '{"partition_id":1e400,"value":{"type":"JSON","data":1}}',
        '{"timestamp":1e400,"value":{"type":"JSON","data":1}}',
        r'{"value":{"type":"STRING","data":"\ud800"}}',
        r'{"headers":[{"name":"\ud800"}],"value":{"type":"JSON","data":1}}',
    ],
)
def test_what_nothing_could_be_made_of_has_its_line(shim: Shim, record: str) -> None:
    good = '{"value":{"type":"JSON","data":1}}'
    assert [told["error_code"] for told in parsed(shim.stream("t", record + good).data)] == [400, 200]
    assert shim.landed("t") == [b"1"]


@pytest.mark.parametrize("kind", ["AVRO", "JSONSCHEMA", "PROTOBUF"])
def test_a_type_that_needs_a_schema_must_bring_it(shim: Shim, kind: str) -> None:
    shim.registry.register("t-value", STRING)
    record = {"value": {"type": kind, "data": None}}
    (told,) = parsed(shim.stream("t", json.dumps(record)).data)
    assert (told["error_code"], told["message"]) == (400, f"value: 'type={kind}' needs a 'schema'.")
    assert shim.batch("t", record).status_code == 400
    assert shim.landed("t") == []
