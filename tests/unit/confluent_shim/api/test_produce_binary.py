"""Bytes that a client encoded itself are judged like all others, and land as they were sent."""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts import BINARY, ORDER, Shim, memory_shim

PAYMENT = {"type": "record", "name": "Payment", "fields": [{"name": "id", "type": "long"}]}
SEVEN = b"\x0e"  # the payment with id 7 in Avro binary
GOOD = b'{ "id": 1 }'


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        shim.bind("payments", PAYMENT, encoding="avro")
        yield shim


def framed(schema_id: int, payload: bytes) -> str:
    return base64(b"\0" + schema_id.to_bytes(4, "big") + payload)


def base64(sent: bytes) -> str:
    return b64encode(sent).decode()


def refusal(shim: Shim, topic: str, value: object) -> tuple[str, str]:
    """Send one record that is refused, and return (keyword, pointer) of the only reason."""
    answer = shim.send(topic, value, content_type=BINARY)
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)
    assert shim.landed(topic) == []
    (error,) = answer.get_json()["errors"]
    assert (error["record"], error["part"]) == (0, "value")
    return error["keyword"], error["pointer"]


@pytest.mark.parametrize(("topic", "schema_id", "payload"), [("orders", 1, GOOD), ("payments", 2, SEVEN)])
def test_framed_bytes_that_conform_land_as_they_were_sent(
    shim: Shim, topic: str, schema_id: int, payload: bytes
) -> None:
    answer = shim.send(topic, framed(schema_id, payload), content_type=BINARY)
    assert (answer.status_code, answer.get_json()["value_schema_id"]) == (200, None)
    assert shim.landed(topic) == [b"\0\0\0\0" + bytes([schema_id]) + payload]


def test_without_a_content_type_a_request_is_binary(shim: Shim) -> None:
    body = json.dumps({"records": [{"value": framed(1, GOOD)}]})
    assert shim.client.post("/topics/orders", data=body).status_code == 200


@pytest.mark.parametrize(
    ("value", "keyword", "pointer"),
    [
        (framed(1, b'{"id":"x"}'), "type", "/id"),
        (framed(1, b'{"id":1,"id":2}'), "duplicate-key", ""),
        (framed(1, b'{"id":1e999}'), "number-range", "/id"),
        (framed(1, b'\xef\xbb\xbf{"id":1}'), "syntax", ""),
        (framed(1, b'{"id":1}{"id":2}'), "syntax", ""),
        (framed(1, b'{"note":"\xff","id":1}'), "encoding", ""),
        (framed(1, b""), "syntax", ""),
        (framed(1, b"null"), "nulls", ""),
        (framed(2, GOOD), "schema-id", ""),
        (framed(99, GOOD), "schema-id", ""),
        (base64(GOOD), "frame", ""),
        (base64(b"\0\0\0"), "frame", ""),
        ("", "frame", ""),
        ({"id": 1}, "base64", ""),
        ("%%%", "base64", ""),
    ],
)
def test_other_bytes_are_refused_with_the_place_and_the_reason(
    shim: Shim, value: object, keyword: str, pointer: str
) -> None:
    assert refusal(shim, "orders", value) == (keyword, pointer)


@pytest.mark.parametrize(
    ("payload", "keyword"), [(SEVEN + b"\0", "avro"), (b"", "avro"), (b"\x80", "avro"), (b"\xff" * 10, "avro")]
)
def test_avro_bytes_must_be_exactly_one_value_of_the_schema(shim: Shim, payload: bytes, keyword: str) -> None:
    assert refusal(shim, "payments", framed(2, payload)) == (keyword, "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (1, "the data is not a base64 string"),
        ([], "the data is not a base64 string"),
        ("fooba", "the data is not a valid base64 string"),
        ("-_8=", "the data is not a valid base64 string"),
        ("Zm9v\n", "the data is not a valid base64 string"),
        ("Zm 9v", "the data is not a valid base64 string"),
        ("Zm=v", "the data is not a valid base64 string"),
        ("é", "the data is not a valid base64 string"),
    ],
)
def test_base64_is_read_as_confluent_reads_it(shim: Shim, data: object, message: str) -> None:
    answer = shim.send("orders", data, content_type=BINARY).get_json()
    assert answer["message"] == f"Bad Request: record 0, the whole value: {message}"
    assert answer["errors"][0]["actual"] == data


def test_whatever_the_bytes_the_answer_is_a_verdict_and_only_what_conforms_lands(shim: Shim) -> None:
    @given(
        st.sampled_from(["orders", "payments", "plain"]), st.binary(max_size=20), st.sampled_from([b"", b"{", b"\0"])
    )
    def law(topic: str, sent: bytes, begin: bytes) -> None:
        sent = (b"" if topic == "plain" else b"\0\0\0\0" + ids[topic]) + begin + sent
        before = len(shim.landed(topic))
        answer = shim.send(topic, base64(sent), content_type=BINARY)
        assert answer.status_code in (200, 400)
        assert shim.landed(topic)[before:] == ([sent] if answer.status_code == 200 else [])

    shim.bind("plain", encoding="json")
    ids = {"orders": b"\1", "payments": b"\2"}
    law()


@pytest.mark.parametrize("padded", [True, False])
def test_padding_may_be_left_out(shim: Shim, padded: bool) -> None:
    value = framed(1, b'{"id":12}')
    assert value.endswith("=")
    assert shim.send("orders", value if padded else value.rstrip("="), content_type=BINARY).status_code == 200


def test_each_record_may_bring_another_id_where_the_binding_takes_any_version(shim: Shim) -> None:
    newer = shim.register("orders-value", {"type": "object", "required": ["name"]}).schema_id
    both = [framed(1, GOOD), framed(newer, b'{"name":1}')]
    answer = shim.send("orders", *both, content_type=BINARY)
    assert [(error["record"], error["keyword"]) for error in answer.get_json()["errors"]] == [(0, "schema-id")]
    shim.admin("PUT", "orders", {"versions": "any"}, query="?replace=true")
    assert shim.send("orders", *both, content_type=BINARY).status_code == 200
    crossed = shim.send("orders", framed(newer, GOOD), content_type=BINARY)
    assert crossed.get_json()["errors"][0]["keyword"] == "required"


def test_a_version_of_another_kind_is_no_way_in(shim: Shim) -> None:
    shim.admin("PUT", "orders", {"versions": "any"}, query="?replace=true")
    crossing = shim.registry.register("orders-value", shim.registry.schema(2)).schema_id
    shim.register("orders-value", {"required": ["id"]})
    assert refusal(shim, "orders", framed(crossing, SEVEN)) == ("schema-id", "")


def test_a_claimed_id_must_be_the_subjects_and_every_record_must_bring_it(shim: Shim) -> None:
    newer = shim.register("orders-value", {**ORDER, "title": "newer"}).schema_id
    shim.admin("PUT", "orders", {"versions": "any"}, query="?replace=true")
    body = {"value_schema_id": 2, "records": [{"value": framed(1, GOOD)}]}
    assert shim.produce("orders", body, BINARY).get_json()["error_code"] == 42207
    body = {"value_schema_id": newer, "records": [{"value": framed(newer, GOOD)}, {"value": framed(1, GOOD)}]}
    errors = shim.produce("orders", body, BINARY).get_json()["errors"]
    assert [(error["record"], error["keyword"]) for error in errors] == [(1, "schema-id")]
    body = {"value_schema": json.dumps(ORDER), "records": [{"value": framed(1, GOOD)}]}
    assert shim.produce("orders", body, BINARY).status_code == 200


def test_a_null_is_a_tombstone_with_a_key_and_refused_without(shim: Shim) -> None:
    body = {"records": [{"key": base64(b"k"), "value": None}]}
    assert shim.produce("orders", body, BINARY).status_code == 200
    assert [(record.key, record.value) for record in shim.sink.landed("orders")] == [(b"k", None)]
    answer = shim.produce("orders", {"records": [{"value": None}]}, BINARY)
    assert answer.get_json()["errors"][0]["keyword"] == "nulls"


def test_where_nulls_are_values_they_are_sent_as_bytes(shim: Shim) -> None:
    schema_id = shim.bind("nullable", {"type": ["object", "null"]}, nulls="validate")["bound_version"]
    schema_id = shim.registry.registered("nullable-value", schema_id).schema_id
    assert refusal(shim, "nullable", None) == ("base64", "")
    assert shim.send("nullable", framed(schema_id, b"null"), content_type=BINARY).status_code == 200


def test_without_a_frame_the_bytes_are_the_json_text_itself(shim: Shim) -> None:
    shim.bind("plain", encoding="json")
    assert refusal(shim, "plain", framed(1, GOOD)) == ("syntax", "")
    assert refusal(shim, "plain", base64(b'{"id":"x"}')) == ("type", "/id")
    assert refusal(shim, "plain", base64(b"null")) == ("nulls", "")
    assert shim.send("plain", base64(GOOD), content_type=BINARY).status_code == 200
    assert shim.landed("plain") == [GOOD]


def test_keys_that_no_schema_judges_are_any_bytes(shim: Shim) -> None:
    records = [{"key": base64(key), "value": framed(1, GOOD)} for key in (b"\0\xff", b"")]
    assert shim.produce("orders", {"records": records}, BINARY).status_code == 200
    assert {record.key for record in shim.sink.landed("orders")} == {b"\0\xff", b""}


def test_a_key_that_is_no_base64_is_told_from_the_value(shim: Shim) -> None:
    answer = shim.produce("orders", {"records": [{"key": {"k": 1}, "value": framed(1, b"{}")}]}, BINARY).get_json()
    assert answer["message"].startswith("Bad Request: record 0, the whole key: the data is not a base64 string (2 ")
    assert [(error["part"], error["keyword"]) for error in answer["errors"]] == [
        ("key", "base64"),
        ("value", "required"),
    ]
