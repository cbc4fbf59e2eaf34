"""The Kafka sink on librdkafka's mock cluster, a real Kafka listener inside this process."""

import time
from collections.abc import Callable, Iterator

import pytest

from confluent_shim.devstack import MockKafka, read_topic
from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Extras
from confluent_shim.sinks.kafka import KafkaSink
from tests.contract.sink_contract import ReadAll, ReadExtras, SinkContract
from tests.stack.topics import read_all


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    kafka = MockKafka()
    yield kafka
    kafka.close()


class TestKafkaSink(SinkContract):
    tells_times = False

    @pytest.fixture
    def sink(self, kafka: MockKafka) -> Iterator[KafkaSink]:
        sink = KafkaSink({"bootstrap.servers": kafka.bootstrap})
        yield sink
        sink.close()

    @pytest.fixture
    def make_topic(self, kafka: MockKafka) -> Callable[[str], None]:
        return kafka.create_topic

    @pytest.fixture
    def read_all(self, kafka: MockKafka) -> ReadAll:
        return lambda topic: [
            (each.partition, each.offset, each.key, each.value) for each in read_topic(kafka.bootstrap, topic)
        ]

    @pytest.fixture
    def read_extras(self, kafka: MockKafka) -> ReadExtras:
        return lambda topic: [Extras(record.headers, record.timestamp) for record in read_all(kafka.bootstrap, topic)]


def test_without_a_broker_nothing_is_claimed_to_be_written() -> None:
    sink = KafkaSink({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "300"})
    (delivery,) = sink.send("orders", [AdmittedRecord(None, b"v")])
    assert (delivery.error_code, delivery.partition, delivery.retryable) == (50003, None, True)
    assert delivery.outcome != "written"
    sink.close()


def test_a_cluster_that_is_known_to_be_down_is_said_at_once_and_nothing_is_handed_over() -> None:
    sink = KafkaSink({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "300"})
    (delivery,) = sink.send("orders", [AdmittedRecord(None, b"v")])
    assert delivery.outcome != "written"
    time.sleep(0.5)
    with pytest.raises(SinkUnavailable, match="has not answered for"):
        sink.send("orders", [AdmittedRecord(None, b"v")])
    sink.close()


def test_what_is_not_known_when_the_time_is_over_is_answered_as_unknown() -> None:
    sink = KafkaSink({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "3000"})
    deliveries = sink.send("orders", [AdmittedRecord(None, b"v"), AdmittedRecord(None, b"w")], seconds=0.1)
    assert [(each.outcome, each.error_code, each.retryable) for each in deliveries] == [("unknown", 50003, True)] * 2
    sink.close()


def test_a_start_without_a_broker_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    sink = KafkaSink({"bootstrap.servers": "127.0.0.1:1"})
    sink.warm_up(0.1)
    assert "starting without Kafka" in caplog.text
    sink.close()


@pytest.mark.parametrize("key", ["acks", "enable.idempotence", "retries", "message.send.max.retries"])
def test_what_the_promise_needs_cannot_be_configured_away(kafka: MockKafka, key: str) -> None:
    sink = KafkaSink({"bootstrap.servers": kafka.bootstrap, key: "0"})
    kafka.create_topic("kept")
    (delivery,) = sink.send("kept", [AdmittedRecord(None, b"v")])
    assert delivery.offset is not None
    assert delivery.offset >= 0
    sink.close()
