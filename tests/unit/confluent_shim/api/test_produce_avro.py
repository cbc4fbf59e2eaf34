"""A topic bound to an Avro schema takes two forms of JSON and holds Avro binary."""

import json
from collections.abc import Iterator

import pytest

from tests.parts import AVRO, JSON, JSON_SCHEMA, ORDER, Shim, memory_shim

PAYMENT = {
    "type": "record",
    "name": "Payment",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
WITH_NOTE = b"\x00\x00\x00\x00\x01" + b"\x0e\x02\x04hi"


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("payments", PAYMENT, encoding="avro")
        yield shim


def test_avro_json_lands_as_framed_avro_binary(shim: Shim) -> None:
    answer = shim.send("payments", {"id": 7, "note": {"string": "hi"}}, content_type=AVRO)
    assert (answer.status_code, answer.get_json()["value_schema_id"]) == (200, 1)
    assert shim.landed("payments") == [WITH_NOTE]


def test_plain_json_needs_no_tags_and_takes_defaults(shim: Shim) -> None:
    assert shim.send("payments", {"id": 7, "note": "hi"}, {"id": 7}, content_type=JSON).status_code == 200
    assert shim.landed("payments") == [WITH_NOTE, b"\x00\x00\x00\x00\x01\x0e\x00"]


@pytest.mark.parametrize(
    ("content_type", "value", "pointer", "keyword"),
    [
        (AVRO, {"id": 7, "note": "hi"}, "/note", "union"),
        (AVRO, {"id": 7}, "", "required"),
        (AVRO, {"id": 7, "note": None, "extra": 1}, "", "unknown"),
        (JSON, {"id": "7"}, "/id", "type"),
        (JSON, {"id": 1.5}, "/id", "type"),
        (JSON, {"id": 2**63}, "/id", "range"),
    ],
)
def test_what_does_not_fit_is_named_as_in_json_schema(
    shim: Shim, content_type: str, value: object, pointer: str, keyword: str
) -> None:
    answer = shim.send("payments", value, content_type=content_type)
    assert answer.status_code == 400
    (error,) = answer.get_json()["errors"]
    assert (error["record"], error["pointer"].removesuffix("/extra"), error["keyword"]) == (0, pointer, keyword)
    assert shim.landed("payments") == []


@pytest.mark.parametrize("content_type", [JSON_SCHEMA, "application/vnd.kafka.protobuf.v2+json"])
def test_another_format_is_refused_and_the_right_ones_are_named(shim: Shim, content_type: str) -> None:
    answer = shim.send("payments", {"id": 7}, content_type=content_type)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42290)
    assert "in the embedded formats avro, binary and json, not in " in answer.get_json()["message"]


def test_an_inline_schema_is_taken_in_any_spelling_of_the_bound_one(shim: Shim) -> None:
    spelled = {**PAYMENT, "name": "shop.Payment"}
    del spelled["namespace"]
    body = {"value_schema": json.dumps(spelled), "records": [{"value": {"id": 7, "note": None}}]}
    assert shim.produce("payments", body, AVRO).status_code == 200
    fewer = {**PAYMENT, "fields": [{"name": "id", "type": "long"}]}
    body = {"value_schema": json.dumps(fewer), "records": [{"value": {"id": 7}}]}
    assert shim.produce("payments", body, AVRO).get_json()["error_code"] == 42207
    body = {"value_schema": '{"type": "frob"}', "records": [{"value": {"id": 7}}]}
    answer = shim.produce("payments", body, AVRO).get_json()
    assert answer["error_code"] == 42205
    assert "format = AVRO" in answer["message"]
    assert shim.registry.versions("payments-value") == (1,)


def test_a_key_needs_a_key_schema_in_avro_and_is_plain_json_under_json(shim: Shim) -> None:
    body = {"records": [{"key": "k", "value": {"id": 7, "note": None}}]}
    assert shim.produce("payments", body, AVRO).get_json()["error_code"] == 42201
    assert shim.produce("payments", body, JSON).status_code == 200
    assert shim.sink.landed("payments")[0].key == b'"k"'


def test_the_kind_of_schema_must_be_the_one_that_the_encoding_needs(shim: Shim) -> None:
    shim.register("orders-value", ORDER)
    answer = shim.admin("PUT", "orders", {"encoding": "avro"}, query="?create_topic=true")
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42292)
    answer = shim.admin("PUT", "bad", {"encoding": "avro", "schema": {"type": "frob"}}, query="?create_topic=true")
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294)
    assert not shim.sink.has_topic("bad")


def test_validate_judges_plain_json_by_an_avro_schema(shim: Shim) -> None:
    good = shim.client.post("/-/bindings/payments/validate", json={"records": [{"value": {"id": 1}}]})
    bad = shim.client.post("/-/bindings/payments/validate", json={"records": [{"value": {"id": "x"}}]})
    assert (good.status_code, bad.status_code) == (200, 400)
    assert shim.landed("payments") == []
