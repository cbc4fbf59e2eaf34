"""The Kafka sink on Apache Kafka: its contract, and what only a real broker can answer."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Extras
from confluent_shim.sinks.kafka import KafkaSink
from jsonschema_bridge import confluent_text
from tests.contract.sink_contract import ReadAll, ReadExtras, SinkContract
from tests.integration.sinks import eventually_written, open_sink, told
from tests.shared_data import TRANSCRIPTS
from tests.stack import Stack

SECONDS = 5.0
"""What "within seconds" allows: librdkafka alone would take 30 s."""


class TestKafkaSink(SinkContract):
    @pytest.fixture
    def sink(self, real_stack: Stack) -> Iterator[KafkaSink]:
        with open_sink(real_stack.kafka_bootstrap) as sink:
            yield sink

    @pytest.fixture
    def make_topic(self, real_stack: Stack) -> Callable[[str], None]:
        return lambda topic: real_stack.create_topic(topic, partitions=3)

    @pytest.fixture
    def read_all(self, real_stack: Stack) -> ReadAll:
        return lambda topic: [
            (record.partition, record.offset, record.key, record.value) for record in real_stack.read_all(topic)
        ]

    @pytest.fixture
    def read_extras(self, real_stack: Stack) -> ReadExtras:
        return lambda topic: [Extras(record.headers, record.timestamp) for record in real_stack.read_all(topic)]


@pytest.fixture(scope="module")
def shared(real_stack: Stack) -> Iterator[KafkaSink]:
    with open_sink(real_stack.kafka_bootstrap) as sink:
        sink.warm_up(5.0)
        sink._single.get()  # both producers' threads are of the module, not of the test that needs them first
        yield sink


@pytest.fixture
def topic() -> str:
    return f"sink-{uuid.uuid4().hex}"


def test_records_for_an_unknown_topic_are_answered_one_by_one_within_seconds_and_create_nothing(
    shared: KafkaSink, topic: str
) -> None:
    began = time.monotonic()
    deliveries = shared.send(topic, [AdmittedRecord(b"k", b"%d" % n) for n in range(3)])
    assert time.monotonic() - began < SECONDS
    assert [told(delivery) for delivery in deliveries] == [(50003, "not_written", True)] * 3
    assert not shared.has_topic(topic)


def test_a_topic_made_after_its_first_records_were_refused_takes_records_within_seconds(
    shared: KafkaSink, real_stack: Stack, topic: str
) -> None:
    shared.send(topic, [AdmittedRecord(None, b"early")])
    real_stack.create_topic(topic)
    delivery = eventually_written(shared, topic, b"late", SECONDS)
    assert delivery.offset == 0
    assert [record.value for record in real_stack.read_all(topic)] == [b"late"]


def test_a_partition_that_is_not_there_fails_its_record_and_no_other(
    shared: KafkaSink, real_stack: Stack, topic: str
) -> None:
    real_stack.create_topic(topic, partitions=3)
    began = time.monotonic()
    absent, good = shared.send(topic, [AdmittedRecord(None, b"lost", 99), AdmittedRecord(None, b"kept", 2)])
    assert time.monotonic() - began < SECONDS
    assert told(absent) == (50003, "not_written", True)
    assert (good.partition, good.offset) == (2, 0)
    assert [record.value for record in real_stack.read_all(topic)] == [b"kept"]


def test_a_record_too_large_for_the_topic_fails_and_the_others_of_its_request_land(
    shared: KafkaSink, real_stack: Stack, topic: str
) -> None:
    real_stack.create_topic(topic, partitions=3, max_message_bytes="1000")
    large, good = shared.send(topic, [AdmittedRecord(None, b"x" * 5000, 0), AdmittedRecord(None, b"1", 1)])
    assert told(large) == (50002, "not_written", False)
    assert (good.partition, good.offset) == (1, 0)
    assert [record.value for record in real_stack.read_all(topic)] == [b"1"]


def test_small_records_land_however_large_they_are_together(shared: KafkaSink, real_stack: Stack, topic: str) -> None:
    real_stack.create_topic(topic, max_message_bytes="1000")
    sent = [b"%03d" % n * 100 for n in range(20)]
    deliveries = shared.send(topic, [AdmittedRecord(None, value) for value in sent])
    assert {delivery.outcome for delivery in deliveries} == {"written"}
    assert [record.value for record in real_stack.read_all(topic)] == sent


def test_a_large_record_does_not_take_the_small_ones_of_its_partition_with_it(
    shared: KafkaSink, real_stack: Stack, topic: str
) -> None:
    real_stack.create_topic(topic, max_message_bytes="1000")
    sent = [b"a", b"x" * 5000, b"b"]
    deliveries = shared.send(topic, [AdmittedRecord(None, value) for value in sent])
    assert [told(delivery) for delivery in deliveries] == [
        (None, "written", False),
        (50002, "not_written", False),
        (None, "written", False),
    ]
    assert [record.value for record in real_stack.read_all(topic)] == [b"a", b"b"]


def test_a_record_too_large_for_the_producer_fails_and_the_others_of_its_request_land(
    real_stack: Stack, topic: str
) -> None:
    real_stack.create_topic(topic)
    with open_sink(real_stack.kafka_bootstrap, message_max_bytes="2000") as sink:
        large, good = sink.send(topic, [AdmittedRecord(None, b"x" * 5000), AdmittedRecord(None, b"1")])
    assert told(large) == (50002, "not_written", False)
    assert good.offset == 0
    assert [record.value for record in real_stack.read_all(topic)] == [b"1"]


def test_a_created_topic_is_there_and_takes_records(shared: KafkaSink, topic: str) -> None:
    shared.create_topic(topic)
    assert shared.has_topic(topic)
    (delivery,) = shared.send(topic, [AdmittedRecord(None, b"v")])
    assert delivery.offset == 0


def test_creating_a_topic_that_is_there_changes_nothing(shared: KafkaSink, real_stack: Stack, topic: str) -> None:
    real_stack.create_topic(topic, partitions=3)
    shared.create_topic(topic)
    (delivery,) = shared.send(topic, [AdmittedRecord(None, b"v", 2)])
    assert delivery.partition == 2


def test_a_name_that_kafka_refuses_is_not_created_and_kafkas_reason_is_told(shared: KafkaSink) -> None:
    with pytest.raises(SinkUnavailable, match=r"(?i)invalid|illegal"):
        shared.create_topic("no such/name")


class Keyed(NamedTuple):
    """A record as a real Confluent stack placed it by its key."""

    exchange: str
    partitions: int
    key: bytes
    partition: int | None


def _exchanges() -> Iterator[dict[str, Any]]:
    for line in TRANSCRIPTS.read_text().splitlines():
        yield json.loads(line)


def recorded() -> list[Keyed]:
    """Return every recorded record that has a key and was given no partition."""
    found = []
    for exchange in _exchanges():
        request = exchange["request"]
        if "/partitions/" in request["path"] or _names_a_partition(request.get("body") or ""):
            continue
        topics: list[tuple[str, int]] = exchange["setup"].get("topics") or []
        if len(topics) == 1:
            found += [
                Keyed(exchange["id"], topics[0][1], bytes.fromhex(record["key_hex"]), record["partition"])
                for record in exchange["landed"] or ()
                if record.get("key_hex") is not None
            ]
    return found


def _names_a_partition(body: str) -> bool:
    return '"partition"' in body or '"partition_id"' in body


def test_every_recorded_key_lands_where_confluents_producer_put_it(shared: KafkaSink, real_stack: Stack) -> None:
    keyed = recorded()
    assert len(keyed) >= 50
    theirs: dict[int, list[Keyed]] = {}
    for each in keyed:
        theirs.setdefault(each.partitions, []).append(each)
    for partitions, group in theirs.items():
        topic = f"keys-{uuid.uuid4().hex}"
        real_stack.create_topic(topic, partitions=partitions)
        deliveries = shared.send(topic, [AdmittedRecord(each.key, each.exchange.encode()) for each in group])
        assert [
            each._replace(partition=delivery.partition) for each, delivery in zip(group, deliveries, strict=True)
        ] == (group)


def test_json_keys_are_the_bytes_that_confluent_wrote() -> None:
    compared = 0
    for exchange in _exchanges():
        for sent, landed in _json_keys(exchange):
            assert confluent_text(sent) == landed, exchange["id"]
            compared += 1
    assert compared >= 5


def _json_keys(exchange: Mapping[str, Any]) -> Iterator[tuple[object, bytes]]:
    """Yield each key that was sent as JSON, with the bytes that landed; only where one record was sent."""
    landed: Sequence[Mapping[str, Any]] = exchange["landed"] or ()
    try:
        body = json.loads(exchange["request"].get("body") or "")
    except ValueError:
        return
    entries = body.get("entries", [body]) if isinstance(body, dict) else []
    if len(landed) != 1 or len(entries) != 1 or landed[0].get("key_hex") is None:
        return
    key = entries[0].get("key")
    if isinstance(key, dict) and key.get("type") == "JSON":
        yield key["data"], bytes.fromhex(landed[0]["key_hex"])
