"""Keys that a key subject judges: in every content type they conform to it and carry its id."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from jsonschema_bridge import Schema
from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, ORDER, Shim, memory_shim

KEY = {"type": "object", "properties": {"user": {"type": "integer"}}, "required": ["user"]}
AVRO_KEY = {"type": "record", "name": "Key", "fields": [{"name": "user", "type": ["long", "string"]}]}
PAYMENT = {"type": "record", "name": "Payment", "fields": [{"name": "id", "type": "long"}]}
GOOD = {"id": 1}
FRAMED_KEY = b'\0\0\0\0\1{"user":7}'
FRAMED_AVRO_KEY = b"\0\0\0\0\2\0\x0e"


@pytest.fixture
def shim() -> Iterator[Shim]:
    """Give a shim with the subjects `json-key` (id 1) and `avro-key` (id 2), the first for the keys of `orders`."""
    with memory_shim() as shim:
        shim.register("json-key", KEY)
        shim.registry.register("avro-key", Schema(json.dumps(AVRO_KEY), "AVRO"))
        shim.bind("orders", key="subject", key_subject="json-key")
        yield shim


def avro_keys(shim: Shim) -> str:
    shim.admin("DELETE", "orders")
    shim.bind("payments", PAYMENT, encoding="avro", key="subject", key_subject="avro-key")
    return "payments"


def send(
    shim: Shim, topic: str, key: object, content_type: str, value: object = GOOD, **claims: object
) -> TestResponse:
    return shim.produce(topic, {"records": [{"key": key, "value": value}], **claims}, content_type)


def base64(sent: bytes) -> str:
    return b64encode(sent).decode()


def reasons(answer: TestResponse) -> list[tuple[str, str, str]]:
    assert answer.status_code == 400
    return [(error["part"], error["pointer"], error["keyword"]) for error in answer.get_json()["errors"]]


def keys(shim: Shim, topic: str) -> list[bytes | None]:
    return [record.key for record in shim.sink.landed(topic)]


@pytest.mark.parametrize("content_type", [JSON, JSON_SCHEMA])
def test_a_json_key_lands_framed_in_confluents_form(shim: Shim, content_type: str) -> None:
    body = b'{"records":[{"key": {"user" :  7, "n":1.10}, "value": {"id":  1}}]}'
    answer = shim.produce("orders", body, content_type)
    assert (answer.get_json()["key_schema_id"], answer.get_json()["value_schema_id"]) == (1, 3)
    (record,) = shim.sink.landed("orders")
    assert (record.key, record.value) == (b'\0\0\0\0\1{"user":7,"n":1.1}', b'\0\0\0\0\3{"id":  1}')


@pytest.mark.parametrize(("content_type", "user"), [(AVRO, {"long": 7}), (JSON, 7)])
def test_an_avro_key_lands_framed_as_avro(shim: Shim, content_type: str, user: object) -> None:
    topic = avro_keys(shim)
    answer = send(shim, topic, {"user": user}, content_type)
    assert answer.get_json()["key_schema_id"] == 2
    assert keys(shim, topic) == [FRAMED_AVRO_KEY]


def test_a_key_in_binary_is_judged_by_the_id_in_its_frame_and_lands_as_sent(shim: Shim) -> None:
    value = base64(b'\0\0\0\0\3{"id":1}')
    answer = send(shim, "orders", base64(b'\0\0\0\0\1{ "user": 7 }'), BINARY, value)
    assert (answer.status_code, answer.get_json()["key_schema_id"]) == (200, None)
    assert keys(shim, "orders") == [b'\0\0\0\0\1{ "user": 7 }']
    for sent, reason in [
        (b'{"user":7}', ("key", "", "frame")),
        (b'\0\0\0\0\3{"user":7}', ("key", "", "schema-id")),
        (b'\0\0\0\0\1{"user":"x"}', ("key", "/user", "type")),
        (b"\0\0\0\0\1null", ("key", "", "nulls")),
    ]:
        assert reasons(send(shim, "orders", base64(sent), BINARY, value)) == [reason]


def test_values_and_keys_may_be_of_different_kinds(shim: Shim) -> None:
    shim.bind("mixed", key="subject", key_subject="avro-key")
    assert send(shim, "mixed", {"user": 7}, JSON).status_code == 200
    assert keys(shim, "mixed") == [FRAMED_AVRO_KEY]
    answer = send(shim, "mixed", {"user": 7}, JSON_SCHEMA)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42290)
    assert "keys of topic mixed are bound to subject avro-key" in answer.get_json()["message"]


def test_keys_are_framed_where_values_are_not(shim: Shim) -> None:
    shim.admin("DELETE", "orders")
    shim.bind("plain", encoding="json", key="subject", key_subject="json-key")
    answer = send(shim, "plain", {"user": 7}, JSON)
    assert (answer.get_json()["key_schema_id"], answer.get_json()["value_schema_id"]) == (1, None)
    assert (keys(shim, "plain"), shim.landed("plain")) == ([FRAMED_KEY], [b'{"id": 1}'])


def test_what_is_wrong_with_a_key_is_told_from_what_is_wrong_with_the_value(shim: Shim) -> None:
    answer = send(shim, "orders", {"user": "x"}, JSON, {"id": "y"})
    assert reasons(answer) == [("key", "/user", "type"), ("value", "/id", "type")]
    message = "Bad Request: record 0, key /user: the value is not of type integer (2 violations in 1 of 1 records)"
    assert answer.get_json()["message"] == message
    assert keys(shim, "orders") == []


def test_in_a_lenient_request_the_place_of_a_bad_key_says_so(shim: Shim) -> None:
    records = [{"key": 7, "value": GOOD}, {"key": {"user": 7}, "value": GOOD}]
    refused, written = shim.produce("orders", {"records": records}, JSON, Prefer="handling=lenient").get_json()[
        "offsets"
    ]
    assert refused["error"] == "Bad Request: the whole key: the value is not of type object"
    assert (refused["errors"][0]["record"], refused["errors"][0]["part"]) == (0, "key")
    assert written["error_code"] is None


def test_a_record_without_key_is_refused_unless_the_key_schema_takes_null(shim: Shim) -> None:
    assert reasons(send(shim, "orders", None, JSON)) == [("key", "", "key")]
    shim.register("nullable-key", {"type": ["string", "null"]})
    shim.bind("lax", key="subject", key_subject="nullable-key")
    assert send(shim, "lax", None, JSON).status_code == 200
    assert keys(shim, "lax") == [None]
    assert reasons(send(shim, "lax", None, JSON, None)) == [("value", "", "nulls")]


def test_a_tombstone_has_a_key_that_conforms(shim: Shim) -> None:
    assert send(shim, "orders", {"user": 7}, JSON, None).status_code == 200
    assert [(record.key, record.value) for record in shim.sink.landed("orders")] == [(FRAMED_KEY, None)]
    assert reasons(send(shim, "orders", 7, JSON, None)) == [("key", "", "type")]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"key_schema_id": 1}, None),
        ({"key_schema": json.dumps(KEY, indent=1)}, None),
        ({"key_schema": json.dumps(KEY), "key_schema_id": 1}, None),
        ({"key_schema_id": 3}, 42207),
        ({"key_schema_id": 99}, 42207),
        ({"key_schema": json.dumps(ORDER)}, 42207),
        ({"key_schema": json.dumps(KEY), "key_schema_id": 3}, 42207),
        ({"key_schema": "{"}, 42205),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, JSON_SCHEMA])
def test_a_claimed_key_schema_must_be_the_key_subjects(
    shim: Shim, content_type: str, claims: dict[str, object], code: int | None
) -> None:
    answer = send(shim, "orders", {"user": 7}, content_type, **claims)
    assert answer.get_json().get("error_code") == code
    assert keys(shim, "orders") == ([] if code else [FRAMED_KEY])
    assert shim.registry.versions("json-key") == (1,)


def test_the_newest_version_judges_and_older_ones_are_taken_only_where_any_is(shim: Shim) -> None:
    newer = shim.register("json-key", {"type": "string"}).schema_id
    assert reasons(send(shim, "orders", {"user": 7}, JSON)) == [("key", "", "type")]
    assert send(shim, "orders", "u7", JSON).get_json()["key_schema_id"] == newer
    assert send(shim, "orders", {"user": 7}, JSON, key_schema_id=1).get_json()["error_code"] == 42207
    fields = {"versions": "any", "key": "subject", "key_subject": "json-key"}
    assert shim.admin("PUT", "orders", fields, query="?replace=true").status_code == 200
    assert send(shim, "orders", {"user": 7}, JSON, key_schema_id=1).get_json()["key_schema_id"] == 1


def test_a_pinned_version_is_the_values_and_not_the_keys(shim: Shim) -> None:
    newer = shim.register("json-key", {"type": "string"}).schema_id
    fields = {"versions": "pinned 1", "key": "subject", "key_subject": "json-key"}
    assert shim.admin("PUT", "orders", fields, query="?replace=true").status_code == 200
    assert send(shim, "orders", "u7", JSON).get_json()["key_schema_id"] == newer


def bind(shim: Shim, **fields: Any) -> TestResponse:
    return shim.admin("PUT", "new", {"schema": ORDER, "key": "subject", **fields}, query="?create_topic=true")


@pytest.mark.parametrize(
    ("subject", "status", "code"),
    [
        ("nowhere", 404, 40491),
        ("broken", 422, 42294),
        ("protobuf", 422, 42292),
        ("json-key", 409, 40991),
        ("orders-value", 409, 40991),
        ("new-value", 409, 40991),
        (None, 422, 42292),
    ],
)
def test_a_key_subject_that_cannot_judge_keys_is_refused_before_anything_is_made(
    shim: Shim, subject: str | None, status: int, code: int
) -> None:
    shim.register("broken", {"$ref": "elsewhere"})
    shim.registry.register("protobuf", Schema('syntax = "proto3";', "PROTOBUF"))
    answer = bind(shim, key_subject=subject)
    assert (answer.status_code, answer.get_json()["error_code"]) == (status, code)
    assert subject is None or subject in answer.get_json()["message"]
    assert not shim.sink.has_topic("new")
    assert "new-value" not in shim.registry.subjects()
