"""A bound topic takes only what conforms, told through HTTP."""

import json
from collections.abc import Iterator

import pytest

from tests.parts import JSON, JSON_SCHEMA, ORDER, V2, Shim, memory_shim

GOOD = {"id": 1, "dt": "2026-01-01T00:00:00Z"}


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


def test_a_conforming_record_lands_framed_with_the_bytes_that_were_sent(shim: Shim) -> None:
    answer = shim.produce("orders", b'{"records":[{"value": {"id":  1,  "note":"\\u00e9"} }]}')
    assert answer.status_code == 200
    assert answer.content_type == V2
    assert answer.get_json() == {
        "offsets": [{"partition": 0, "offset": 0, "error_code": None, "error": None}],
        "key_schema_id": None,
        "value_schema_id": 1,
    }
    assert shim.landed("orders") == [b'\x00\x00\x00\x00\x01{"id":  1,  "note":"\\u00e9"}']


def test_plain_json_does_not_bypass_the_schema(shim: Shim) -> None:
    assert shim.send("orders", GOOD, content_type=JSON).status_code == 200
    assert shim.send("orders", {"id": "x"}, content_type=JSON).status_code == 400
    assert len(shim.landed("orders")) == 1


def test_a_refusal_names_every_record_place_and_reason_and_sends_nothing(shim: Shim) -> None:
    answer = shim.send("orders", GOOD, {"id": "x", "dt": "nope"}, {"extra": 1})
    assert answer.status_code == 400
    body = answer.get_json()
    assert body["error_code"] == 400
    assert body["message"].startswith("Bad Request: record 1, ")
    assert {(error["record"], error["pointer"], error["keyword"]) for error in body["errors"]} == {
        (1, "/id", "type"),
        (1, "/dt", "format"),
        (2, "", "required"),
        (2, "", "additionalProperties"),
    }
    wrong_id = next(error for error in body["errors"] if error["pointer"] == "/id")
    assert wrong_id == {
        "record": 1,
        "part": "value",
        "pointer": "/id",
        "keyword": "type",
        "schema_pointer": "/properties/id/type",
        "expected": "integer",
        "actual": "x",
        "message": "the value is not of type integer",
        "retryable": False,
    }
    assert shim.landed("orders") == []


@pytest.mark.parametrize("handling", ["strict", "lenient"])
def test_what_stood_in_a_record_is_not_repeated_where_it_must_not_be_shown(handling: str) -> None:
    with memory_shim(show_values=False) as shim:
        shim.bind("orders")
        body = json.dumps({"records": [{"value": {"id": "secret"}}, {"value": GOOD}]})
        answers = [shim.produce("orders", body, Prefer=f"handling={handling}")]
        answers.append(shim.batch("orders", {"value": {"data": {"id": "secret"}}}))
        shim.bind("texts", '"int"', encoding="avro")
        answers.append(shim.send("texts", "secret", content_type=JSON))
        shim.bind("observed", mode="observe")
        answers.append(shim.batch("observed", {"value": {"data": {"id": "secret"}}}))
    assert all("/id" in answer.text for answer in (answers[0], answers[1], answers[3]))
    assert not [answer.text for answer in answers if "secret" in answer.text or '"actual"' in answer.text]


def test_the_list_of_violations_is_bounded_and_says_so() -> None:
    with memory_shim(max_violations=3) as shim:
        shim.bind("orders")
        body = shim.send("orders", *[{"id": "x"}] * 5).get_json()
    assert len(body["errors"]) == 3
    assert body["errors_cut"] is True
    assert "5 violations in 5 of 5 records" in body["message"]


def test_an_unbound_topic_is_refused_with_the_way_to_bind_it(shim: Shim) -> None:
    answer = shim.send("unknown", GOOD)
    assert answer.status_code == 404
    assert answer.get_json()["error_code"] == 40401
    assert "confluent-shim bindings bind unknown" in answer.get_json()["message"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b'{"id":1,"id":2}', "duplicate-key"),
        (b'{"id":1,"note":"\\ud800"}', "encoding"),
        (b'{"id":1e999}', "number-range"),
        (b"[" * 300 + b"]" * 300, "depth"),
    ],
)
def test_a_value_with_more_than_one_reading_is_refused_and_the_record_named(
    shim: Shim, value: bytes, kind: str
) -> None:
    answer = shim.produce("orders", b'{"records":[{"value":{"id":1}},{"value":' + value + b"}]}")
    assert answer.status_code == 400
    (error,) = answer.get_json()["errors"]
    assert (error["record"], error["keyword"]) == (1, kind)
    assert shim.landed("orders") == []


@pytest.mark.parametrize(
    ("record", "part"),
    [
        (b'{"key":{"a":1,"a":2},"value":{"id":1}}', "key"),
        (b'{"key":"k","value":{"id":1e999}}', "value"),
        (b'{"value":{"id":1},"value":{"id":2}}', None),
    ],
)
def test_where_the_bytes_tell_it_the_part_with_more_than_one_reading_is_named(
    shim: Shim, record: bytes, part: str | None
) -> None:
    (error,) = shim.produce("orders", b'{"records":[' + record + b"]}", JSON).get_json()["errors"]
    assert error["part"] == part


def test_a_duplicate_key_in_the_envelope_is_refused(shim: Shim) -> None:
    answer = shim.produce("orders", b'{"records":[{"value":{"id":1}}],"records":[{"value":{"id":2}}]}')
    assert answer.status_code == 400
    assert "duplicate key" in answer.get_json()["message"]


def test_an_id_of_another_subject_is_refused_and_the_topics_own_is_taken(shim: Shim) -> None:
    foreign = shim.register("payments-value", {"type": "string"}).schema_id
    answer = shim.produce("orders", {"value_schema_id": foreign, "records": [{"value": GOOD}]})
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)
    assert "orders-value" in answer.get_json()["message"]
    assert shim.produce("orders", {"value_schema_id": 1, "records": [{"value": GOOD}]}).status_code == 200


def test_an_id_is_checked_for_plain_json_too(shim: Shim) -> None:
    foreign = shim.register("payments-value", {"type": "string"}).schema_id
    body = {"value_schema_id": foreign, "records": [{"value": GOOD}]}
    assert shim.produce("orders", body, JSON).get_json()["error_code"] == 42207


def test_an_inline_schema_is_taken_when_it_is_the_bound_one_and_never_registered(shim: Shim) -> None:
    same = json.dumps(ORDER, indent=2)
    assert shim.produce("orders", {"value_schema": same, "records": [{"value": GOOD}]}).status_code == 200
    other = json.dumps({"type": "object"})
    answer = shim.produce("orders", {"value_schema": other, "records": [{"value": GOOD}]})
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42207)
    assert shim.registry.versions("orders-value") == (1,)


def test_inline_text_that_is_no_schema_is_said_to_be_none(shim: Shim) -> None:
    answer = shim.produce("orders", {"value_schema": "{", "records": [{"value": GOOD}]})
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42205)


@pytest.mark.parametrize("embedded_format", ["avro", "protobuf"])
def test_a_format_that_would_bypass_the_schema_is_refused(shim: Shim, embedded_format: str) -> None:
    content_type = f"application/vnd.kafka.{embedded_format}.v2+json"
    answer = shim.produce("orders", {"records": [{"value": "AAAA"}]}, content_type)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42290)


def test_a_key_is_written_as_confluent_writes_it_and_the_value_keeps_its_bytes(shim: Shim) -> None:
    body = b'{"records":[{"key": {"b": 1.10, "a": "\xf0\x9f\x98\x80"}, "value": {"id": 1}}]}'
    assert shim.produce("orders", body, JSON).status_code == 200
    (record,) = shim.sink.landed("orders")
    assert record.key == b'{"b":1.1,"a":"\\uD83D\\uDE00"}'


def test_keys_in_the_schema_format_need_a_key_schema_as_in_confluent(shim: Shim) -> None:
    answer = shim.produce("orders", {"records": [{"key": 1, "value": GOOD}]}, JSON_SCHEMA)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42201)
    answer = shim.produce("orders", {"key_schema": "{}", "records": [{"key": 1, "value": GOOD}]}, JSON_SCHEMA)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42291)


def test_a_null_value_is_a_tombstone_with_a_key_and_refused_without(shim: Shim) -> None:
    assert shim.produce("orders", {"records": [{"key": "k", "value": None}]}, JSON).status_code == 200
    assert shim.sink.landed("orders")[0].value is None
    answer = shim.produce("orders", {"records": [{"value": None}]}, JSON)
    assert answer.get_json()["errors"][0]["keyword"] == "nulls"


@pytest.mark.parametrize(
    ("rule", "key", "status"),
    [("required", None, 400), ("required", "k", 200), ("none", "k", 400), ("none", None, 200)],
)
def test_the_key_rule_of_the_binding_holds(shim: Shim, rule: str, key: str | None, status: int) -> None:
    shim.bind("keyed", key=rule)
    answer = shim.produce("keyed", {"records": [{"key": key, "value": GOOD}]}, JSON)
    assert answer.status_code == status
    if status == 400:
        assert answer.get_json()["errors"][0]["keyword"] == "key"


def test_the_records_partition_wins_over_the_paths(shim: Shim) -> None:
    body = {"records": [{"value": GOOD, "partition": 2}, {"value": GOOD}]}
    answer = shim.client.post("/topics/orders/partitions/1", json=body, headers={"Content-Type": JSON})
    assert [offset["partition"] for offset in answer.get_json()["offsets"]] == [2, 1]


def test_a_new_version_is_in_force_and_the_old_id_no_longer_taken_under_latest(shim: Shim) -> None:
    wider = shim.register("orders-value", {"type": "object"})
    assert shim.send("orders", {"anything": 1}).get_json()["value_schema_id"] == wider.schema_id
    answer = shim.produce("orders", {"value_schema_id": 1, "records": [{"value": GOOD}]})
    assert answer.get_json()["error_code"] == 42207


def test_a_pinned_binding_stays_with_its_version_and_any_takes_all(shim: Shim) -> None:
    narrow = shim.register("pinned-value", ORDER)
    wider = shim.register("pinned-value", {"type": "object"})
    assert shim.admin("PUT", "pinned", {"versions": "pinned 1"}, query="?create_topic=true").status_code == 200
    assert shim.send("pinned", {"anything": 1}).status_code == 400
    assert shim.admin("PUT", "pinned", {"versions": "any"}, query="?replace=true").status_code == 200
    assert shim.send("pinned", {"anything": 1}).get_json()["value_schema_id"] == wider.schema_id
    answer = shim.produce("pinned", {"value_schema_id": narrow.schema_id, "records": [{"value": GOOD}]})
    assert answer.get_json()["value_schema_id"] == narrow.schema_id


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_other_encodings_of_unicode_are_transcoded(shim: Shim, prefix: bytes, encoding: str) -> None:
    text = '{"records":[{"value":{"id":1,"note":"é"}}]}'.encode(encoding)
    assert shim.produce("orders", prefix + text if encoding == "utf-8" else text).status_code == 200
    assert shim.landed("orders") == [b'\x00\x00\x00\x00\x01{"id":1,"note":"\xc3\xa9"}']


def test_an_unframed_binding_validates_as_any_other_and_lands_the_bare_bytes(shim: Shim) -> None:
    shim.bind("plain", encoding="json")
    answer = shim.produce("plain", b'{"records":[{"value":{"id": 1}}]}', JSON)
    assert answer.get_json()["value_schema_id"] is None
    assert shim.landed("plain") == [b'{"id": 1}']
    assert shim.send("plain", {"id": "x"}, content_type=JSON).status_code == 400


@pytest.mark.parametrize(
    ("nulls", "key", "schema", "landed"),
    [
        ("tombstone", "k", {"type": "object"}, [None]),
        ("tombstone", None, {"type": "object"}, None),
        ("refuse", "k", {"type": ["object", "null"]}, None),
        ("refuse", None, {"type": ["object", "null"]}, None),
        ("validate", "k", {"type": "object"}, None),
        ("validate", "k", {"type": ["object", "null"]}, [b"null"]),
        ("validate", None, {"type": ["object", "null"]}, [b"null"]),
    ],
)
def test_a_null_value_is_what_the_binding_says(
    shim: Shim, nulls: str, key: str | None, schema: object, landed: list[bytes | None] | None
) -> None:
    shim.bind("nullable", schema, nulls=nulls)
    answer = shim.produce("nullable", {"records": [{"key": key, "value": None}]}, JSON)
    assert answer.status_code == (400 if landed is None else 200)
    frame = b"\x00" + (answer.get_json().get("value_schema_id") or 0).to_bytes(4, "big")
    assert shim.landed("nullable") == [value and frame + value for value in landed or []]


def test_a_lenient_request_stores_the_good_records_and_answers_for_each_bad_one(shim: Shim) -> None:
    body = {
        "records": [{"value": {"id": "x"}}, {"value": {"id": 1}}, {"value": {"id": 2, "b": 1}}, {"value": {"id": 3}}]
    }
    answer = shim.produce("orders", body, Prefer="handling=lenient")
    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "handling=lenient"
    first, second, third, fourth = answer.get_json()["offsets"]
    assert (second["offset"], fourth["offset"]) == (0, 1)
    assert (first["error_code"], first["outcome"], first["retryable"]) == (400, "not_written", False)
    assert first["error"] == "Bad Request: /id: the value is not of type integer"
    assert [(error["record"], error["keyword"]) for error in third["errors"]] == [(2, "additionalProperties")]
    assert [value and value[5:] for value in shim.landed("orders")] == [b'{"id": 1}', b'{"id": 3}']
    metrics = shim.client.get("/-/metrics").text
    assert 'confluent_shim_rejected_records_total{reason="type",topic="orders"} 1.0' in metrics


def test_a_lenient_request_without_a_good_record_is_refused_as_a_whole(shim: Shim) -> None:
    answer = shim.produce("orders", {"records": [{"value": {}}, {"value": 1}]}, Prefer="handling=lenient")
    assert answer.status_code == 400
    assert {error["record"] for error in answer.get_json()["errors"]} == {0, 1}


@pytest.mark.parametrize("prefer", ["handling=strict", "respond-async", "handling=strict, handling=lenient", ""])
def test_anything_but_lenient_is_all_or_nothing(shim: Shim, prefer: str) -> None:
    answer = shim.produce("orders", {"records": [{"value": {}}, {"value": GOOD}]}, Prefer=prefer)
    assert answer.status_code == 400
    assert shim.landed("orders") == []


def test_a_value_of_no_branch_is_told_what_the_nearest_one_has_against_it(shim: Shim) -> None:
    card = {"properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["number"]}
    cash = {"properties": {"kind": {"const": "cash"}}, "additionalProperties": False}
    shim.bind("payments", {"oneOf": [card, cash]})
    assert shim.send("payments", {"kind": "cash", "number": "1"}).get_json()["message"] == (
        "Bad Request: record 0, the whole value: unexpected properties: 'number' (nearest branch: /oneOf/1)"
    )
