"""A batch of the v3 API: each entry is judged and answered by itself."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Extras
from confluent_shim.settings import Limits
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.settled import Settled
from jsonschema_bridge import Schema
from tests.parts import ORDER, Shim, memory_shim

GOOD = {"value": {"type": "JSONSCHEMA", "data": {"id": 1}}}
BAD = {"value": {"type": "JSONSCHEMA", "data": {"id": "x"}}}
AVRO_ORDER = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}
URL = "/v3/clusters/c/topics/orders/records:batch"
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


def both(shim: Shim, *records: Mapping[str, object]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Send a batch and return its successes and its failures."""
    answer = shim.batch("orders", *records)
    assert (answer.status_code, answer.content_type) == (207, "application/json")
    body = answer.get_json()
    assert list(body) == ["successes", "failures"]
    return body["successes"], body["failures"]


def failure(shim: Shim, record: Mapping[str, object]) -> tuple[int, str]:
    successes, (failed,) = both(shim, record)
    assert successes == []
    return failed["error_code"], failed["message"]


def test_a_success_tells_where_the_record_is_and_what_judged_it(shim: Shim) -> None:
    (success,), failures = both(
        shim, {"key": {"type": "STRING", "data": "k"}, "timestamp": "2021-02-05T19:14:42Z", **GOOD}
    )
    assert failures == []
    assert list(success) == ["id", "cluster_id", "topic_name", "partition_id", "offset", "timestamp", "key", "value"]
    assert success == {
        "id": "0",
        "cluster_id": "c",
        "topic_name": "orders",
        "partition_id": success["partition_id"],
        "offset": 0,
        "timestamp": "2021-02-05T19:14:42Z",
        "key": {"type": "STRING", "size": 1},
        "value": {"type": "JSONSCHEMA", "subject": "orders-value", "schema_id": 1, "schema_version": 1, "size": 14},
    }


def test_good_entries_are_written_beside_bad_ones_and_both_lists_keep_the_order(shim: Shim) -> None:
    successes, failures = both(shim, GOOD, BAD, GOOD, {"partition_id": -1}, BAD, GOOD)
    assert [success["id"] for success in successes] == ["0", "2", "5"]
    assert [(failed["id"], failed["error_code"]) for failed in failures] == [("1", 400), ("3", 40402), ("4", 400)]
    assert [failed["errors"][0]["record"] for failed in failures if "errors" in failed] == [1, 4]
    assert len(shim.landed("orders")) == 3


def test_a_rejected_entry_says_which_field_and_why(shim: Shim) -> None:
    _, (failed,) = both(shim, BAD)
    assert failed == {
        "id": "0",
        "error_code": 400,
        "message": "Bad Request: /id: the value is not of type integer",
        "outcome": "not_written",
        "retryable": False,
        "errors": [
            {
                "record": 0,
                "part": "value",
                "pointer": "/id",
                "keyword": "type",
                "schema_pointer": "/properties/id/type",
                "expected": "integer",
                "actual": "x",
                "message": "the value is not of type integer",
                "retryable": False,
            }
        ],
    }


def test_the_violations_of_each_entry_are_bounded() -> None:
    with memory_shim(max_violations=1) as shim:
        shim.bind("orders")
        _, failures = both(shim, *[{"value": {"data": {"id": "x", "dt": "x"}}}] * 2)
    assert [len(failed["errors"]) for failed in failures] == [1, 1]


def test_headers_and_time_land_with_their_record_and_with_no_other(shim: Shim) -> None:
    headers = [{"name": "a", "value": "MQ=="}, {"name": "a"}]
    both(shim, GOOD, {**GOOD, "headers": headers}, BAD, {**GOOD, "timestamp": 1})
    assert [record.extras for record in shim.sink.landed("orders")] == [
        None,
        Extras([("a", b"1"), ("a", None)], None),
        Extras([], 1000),
    ]


def test_an_entry_chooses_its_partition(shim: Shim) -> None:
    (success,), _ = both(shim, {**GOOD, "partition_id": 3})
    assert success["partition_id"] == 3


@pytest.mark.parametrize(
    ("said", "kind", "size"),
    [
        ({"data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"type": "JSON", "data": {"id": 1}}, "JSON", 14),
        ({"schema_id": 1, "data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"schema_version": 1, "data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"schema_version": "latest", "data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"subject": "orders-value", "data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"subject_name_strategy": "TOPIC_NAME", "data": {"id": 1}}, "JSONSCHEMA", 14),
        ({"schema": json.dumps(ORDER), "data": {"id": 1}}, "JSONSCHEMA", 14),
    ],
)
def test_every_way_to_name_the_bound_schema_is_taken(shim: Shim, said: dict[str, object], kind: str, size: int) -> None:
    (success,), _ = both(shim, {"value": said})
    schema = {"subject": "orders-value", "schema_id": 1, "schema_version": 1}
    assert success["value"] == {"type": kind, **schema, "size": size}


def test_bytes_are_taken_with_their_frame_and_tell_no_schema(shim: Shim) -> None:
    sent = b64encode(b'\0\0\0\0\1{"id":1}').decode()
    (success,), (failed,) = both(
        shim, {"value": {"type": "BINARY", "data": sent}}, {"value": {"type": "BINARY", "data": "eyJpZCI6MX0="}}
    )
    assert success["value"] == {"type": "BINARY", "size": 13}
    assert failed["errors"][0]["keyword"] == "frame"
    assert shim.landed("orders") == [b'\0\0\0\0\1{"id":1}']


def test_a_tombstone_has_the_size_minus_one(shim: Shim) -> None:
    (success,), _ = both(shim, {"key": {"type": "JSON", "data": {"a": 1.0}}, "value": {"data": None}})
    assert (success["key"]["size"], success["value"]["size"]) == (9, -1)
    (record,) = shim.sink.landed("orders")
    assert (record.key, record.value) == (b'{"a":1.0}', None)


def test_the_bound_value_of_a_string_is_that_string() -> None:
    with memory_shim() as shim:
        shim.bind("orders", {"type": "string"})
        (success,), (failed,) = both(
            shim, {"value": {"type": "STRING", "data": "x"}}, {"value": {"type": "STRING", "data": 1}}
        )
        assert success["value"]["type"] == "STRING"
        assert shim.landed("orders") == [b'\0\0\0\0\1"x"']
        assert failed["errors"][0]["keyword"] == "string"


@pytest.mark.parametrize("data", [1, None, "", {"a": 1}])
def test_a_key_that_is_called_a_string_is_one_and_lands_as_its_text(shim: Shim, data: object) -> None:
    successes, failures = both(shim, {"key": {"type": "STRING", "data": data}, **GOOD})
    if isinstance(data, str | None):
        assert [record.key for record in shim.sink.landed("orders")] == [None if data is None else data.encode()]
    else:
        assert failures[0]["errors"][0]["part"] == "key"
        assert successes == []


class TestAvro:
    @pytest.fixture
    def shim(self) -> Iterator[Shim]:
        with memory_shim() as shim:
            shim.bind("orders", AVRO_ORDER, encoding="avro")
            yield shim

    @pytest.mark.parametrize(("said", "kind"), [({}, "AVRO"), ({"type": "AVRO"}, "AVRO"), ({"type": "JSON"}, "JSON")])
    def test_values_are_avro_json_or_plain_json_and_land_as_avro(
        self, shim: Shim, said: dict[str, object], kind: str
    ) -> None:
        (success,), _ = both(shim, {"value": {**said, "data": {"id": 1}}})
        assert success["value"]["type"] == kind
        assert shim.landed("orders") == [b"\0\0\0\0\1\2"]

    @pytest.mark.parametrize(
        ("strategy", "taken"), [("RECORD_NAME", False), ("TOPIC_RECORD_NAME", False), ("TOPIC_NAME", True)]
    )
    def test_a_strategy_that_leads_to_another_subject_is_refused(self, shim: Shim, strategy: str, taken: bool) -> None:
        said = {"subject_name_strategy": strategy, "schema": json.dumps(AVRO_ORDER), "data": {"id": 1}}
        successes, failures = both(shim, {"value": said})
        assert bool(successes) == taken
        if not taken:
            assert failures[0]["error_code"] == 422
            assert failures[0]["message"].startswith("Error: 42207 : ")

    @pytest.mark.parametrize(
        ("subject", "strategy"), [("shop.Order", "RECORD_NAME"), ("orders-shop.Order", "TOPIC_RECORD_NAME")]
    )
    def test_a_strategy_that_leads_to_the_bound_subject_is_taken(self, subject: str, strategy: str) -> None:
        with memory_shim() as shim:
            shim.bind("orders", {**AVRO_ORDER, "namespace": "shop"}, encoding="avro", subject=subject)
            (success,), _ = both(
                shim, {"value": {"subject_name_strategy": strategy, "schema_id": 1, "data": {"id": 1}}}
            )
            assert success["value"]["subject"] == subject


def test_keys_and_values_come_each_in_their_own_format() -> None:
    with memory_shim() as shim:
        shim.registry.register("orders-key", Schema('"string"', "AVRO"))
        shim.bind("orders", key="subject", key_subject="orders-key")
        (success,), _ = both(shim, {"key": {"type": "AVRO", "data": "k"}, **GOOD})
        assert success["key"] == {
            "type": "AVRO",
            "subject": "orders-key",
            "schema_id": 1,
            "schema_version": 1,
            "size": 7,
        }
        assert [record.key for record in shim.sink.landed("orders")] == [b"\0\0\0\0\1\2k"]
        (success,), _ = both(shim, {"key": {"data": "k"}, **GOOD})
        assert success["key"]["type"] == "AVRO"


@pytest.mark.parametrize(
    ("record", "code", "message"),
    [
        (
            {"value": {"schema_version": 7, "data": {"id": 1}}},
            400,
            "Bad Request: Schema does not exist for subject: orders-value, version: 7",
        ),
        (
            {"value": {"subject_name_strategy": "RECORD_NAME", "data": {"id": 1}}},
            400,
            "Bad Request: Cannot use schema_subject_strategy=RECORD_NAME without schema_id or schema.",
        ),
        (
            {"value": {"schema_id": 7, "data": {"id": 1}}},
            422,
            "Error: 42207 : Error serializing message. value_schema_id 7 is",
        ),
        (
            {"value": {"subject": "other", "data": {"id": 1}}},
            422,
            "Error: 42207 : Error serializing message. The values of",
        ),
        ({"value": {"type": "JSONSCHEMA", "schema": "{", "data": 1}}, 422, "Error: 42205 : Invalid schema: "),
        ({"value": {"type": "AVRO", "data": {"id": 1}}}, 422, "Error: 42290 : The values of topic orders are bound to"),
        ({"value": {"type": "PROTOBUF", "data": {"id": 1}}}, 422, "Error: 42290 : The values of topic orders are"),
        ({"key": {"data": "k"}, **GOOD}, 422, "Error: 42201 : Request includes keys but does not include key schema"),
        (
            {"key": {"type": "AVRO", "schema": '"string"', "data": "k"}, **GOOD},
            422,
            "Error: 42291 : Topic orders has no",
        ),
        ({}, 400, "Bad Request: the whole value: a null value deletes a key, and this record has none"),
    ],
)
def test_what_the_topic_does_not_take_is_the_entrys_failure(
    shim: Shim, record: Mapping[str, object], code: int, message: str
) -> None:
    found_code, found = failure(shim, record)
    assert (found_code, found[: len(message)]) == (code, message)
    assert shim.landed("orders") == []


def test_a_version_of_the_subject_that_the_binding_does_not_take_is_refused(shim: Shim) -> None:
    shim.register("orders-value", {**ORDER, "title": "newer"})
    assert failure(shim, {"value": {"schema_version": 1, "data": {"id": 1}}})[0] == 422
    (success,), _ = both(shim, {"value": {"schema_version": 2, "data": {"id": 1}}})
    assert success["value"]["schema_version"] == 2


def test_latest_is_the_subjects_latest_whatever_the_binding_takes() -> None:
    with memory_shim() as shim:
        shim.register("orders-value", ORDER)
        shim.bind("orders", versions="pinned 1")
        shim.register("orders-value", {**ORDER, "title": "newer"})
        assert failure(shim, {"value": {"schema_version": "latest", "data": {"id": 1}}})[0] == 422
        (success,), _ = both(shim, {"value": {"data": {"id": 1}}})
        assert success["value"]["schema_version"] == 1


def test_entries_for_an_unbound_topic_each_say_how_to_bind_it(shim: Shim) -> None:
    answer = shim.batch("unknown", GOOD, GOOD)
    assert answer.status_code == 207
    failures = answer.get_json()["failures"]
    assert [failed["error_code"] for failed in failures] == [40401, 40401]
    assert "confluent-shim bindings bind unknown" in failures[0]["message"]


def test_an_entry_too_large_is_told_with_413() -> None:
    with memory_shim(limits=Limits(record_bytes=20)) as shim:
        shim.bind("orders")
        _, (failed,) = both(shim, {"value": {"data": {"id": 1, "note": "x" * 20}}})
    assert failed["error_code"] == 413


def test_a_sink_that_takes_nothing_fails_each_entry_and_says_that_it_may_come_again(shim: Shim) -> None:
    shim.sink.close()
    _, failures = both(shim, GOOD, GOOD)
    assert [(failed["error_code"], failed["retryable"], failed["outcome"]) for failed in failures] == [
        (50392, True, "not_written")
    ] * 2


def test_an_entry_without_a_single_reading_refuses_the_whole_and_is_named(shim: Shim) -> None:
    body = b'{"entries":[{"id":"0","value":{"data":{"id":1}}},{"id":"1","value":{"data":{"id":1,"id":2}}}]}'
    answer = shim.client.post(URL, data=body, headers=JSON_TYPE)
    assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)
    (error,) = answer.get_json()["errors"]
    assert (error["record"], error["part"], error["keyword"]) == (1, "value", "duplicate-key")
    assert shim.landed("orders") == []


@pytest.mark.parametrize(
    ("headers", "status", "content_type"),
    [
        ({}, 422, "application/json"),
        ({"Content-Type": "application/json; charset=utf-8"}, 422, "application/json"),
        ({"Content-Type": "text/plain"}, 415, "application/json"),
        ({"Content-Type": "foo"}, 400, None),
        ({"Content-Type": "application/json", "Accept": "text/plain"}, 406, None),
        ({"Content-Type": "application/json", "Accept": "text/plain, */*;q=0.1"}, 422, "application/json"),
    ],
)
def test_types_are_negotiated_before_the_body_is_looked_at(
    shim: Shim, headers: dict[str, str], status: int, content_type: str | None
) -> None:
    answer = shim.client.post(URL, data=b"", headers=headers)
    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, content_type)


def test_a_batch_may_have_as_many_entries_as_the_setting_says() -> None:
    with memory_shim(limits=Limits(entries=1)) as shim:
        shim.bind("orders")
        assert shim.batch("orders", GOOD).status_code == 207
        answer = shim.batch("orders", GOOD, GOOD)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42208)


def test_the_path_may_have_matrix_parameters_a_slash_at_its_end_and_any_cluster(shim: Shim) -> None:
    body = json.dumps({"entries": [{"id": "1", **GOOD}]})
    answer = shim.client.post("/v3/clusters/%C3%A9;x=1/topics/orders;y/records:batch/", data=body, headers=JSON_TYPE)
    assert answer.get_json()["successes"][0]["cluster_id"] == "\u00e9"


def test_the_path_knows_no_other_method_and_says_so(shim: Shim) -> None:
    for method in ("GET", "PUT", "HEAD"):
        assert shim.client.open(URL, method=method).status_code == 405
    assert shim.client.open(URL, method="OPTIONS").headers["Allow"] == "POST,OPTIONS"


def test_a_defect_is_answered_entry_by_entry_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Defective(MemorySink):
        def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Settled:
            raise KeyError(topic, len(records), client)

    with memory_shim(others={"default": Defective()}) as shim:
        shim.bind("orders")
        assert failure(shim, GOOD) == (500, "Internal Server Error")
    assert "unexpected error" in caplog.text
