"""Metadata from Apache Kafka: its contract, and what only a real broker can answer."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from confluent_shim.errors import MetadataUnavailable, TopicNotHosted
from confluent_shim.sinks.kafka import KafkaSink
from confluent_shim.sinks.kafka_metadata import SECONDS, KafkaMetadata
from confluent_shim.sinks.metadata import ClusterMetadata
from tests.contract.metadata_contract import MetadataContract
from tests.stack import Kafka, Stack
from tests.stack.topics import create_on_kafka


class TestKafkaMetadata(MetadataContract):
    @pytest.fixture
    def sink(self, real_stack: Stack) -> Iterator[KafkaSink]:
        sink = KafkaSink({"bootstrap.servers": real_stack.kafka_bootstrap})
        yield sink
        sink.close()

    @pytest.fixture
    def make_topic(self, real_stack: Stack) -> Callable[[str], None]:
        return lambda topic: real_stack.create_topic(topic, partitions=3, cleanup_policy="compact")

    def test_a_topic_has_the_configuration_that_it_was_made_with(self, sink: KafkaSink, topic: str) -> None:
        configs = sink.metadata.configs(topic)
        assert configs["cleanup.policy"] == "compact"
        assert configs["compression.type"] == "producer"

    def test_a_topic_that_is_not_there_has_no_configuration(self, sink: KafkaSink) -> None:
        with pytest.raises(TopicNotHosted):
            sink.metadata.configs(f"absent-{uuid.uuid4().hex}")

    def test_somebody_is_the_controller(self, sink: KafkaSink) -> None:
        cluster = sink.metadata.read()
        assert cluster.controller in cluster.brokers


@pytest.fixture
def creating_kafka(tmp_path: Path, own_kafka: Kafka) -> Iterator[Kafka]:
    """Give a broker that creates each topic which a producer names."""
    del own_kafka  # asked for because it looks whether this machine has what a broker needs
    kafka = Kafka(tmp_path / "creating", {"auto.create.topics.enable": "true"})
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


def test_asking_creates_nothing_even_where_naming_a_topic_creates_it(creating_kafka: Kafka) -> None:
    source = KafkaMetadata({"bootstrap.servers": creating_kafka.bootstrap})
    for question in (source.configs, lambda topic: source.offsets(topic, 0)):
        with pytest.raises((TopicNotHosted, MetadataUnavailable)):
            question("absent")
    assert "absent" not in source.read().topics
    source.close()


def test_a_broker_that_hangs_is_given_up_in_seconds_and_asked_again_when_it_goes_on(own_kafka: Kafka) -> None:
    create_on_kafka(own_kafka.bootstrap, "orders", 1, {})
    source = KafkaMetadata({"bootstrap.servers": own_kafka.bootstrap})
    assert "orders" in source.read().topics
    own_kafka.pause()
    try:
        await_silence(source)
        for question in (source.read, lambda: source.configs("orders"), lambda: source.offsets("orders", 0)):
            began = time.monotonic()
            with pytest.raises(MetadataUnavailable):
                question()
            assert time.monotonic() - began < SECONDS + 3.0
    finally:
        own_kafka.resume()
    assert "orders" in eventually_read(source).topics
    source.close()


def await_silence(source: KafkaMetadata) -> None:
    """Ask until no answer comes: a broker does not freeze in the moment when it is told to."""
    with suppress(MetadataUnavailable):
        while source.read():
            pass


def eventually_read(source: KafkaMetadata) -> ClusterMetadata:
    """Ask until Kafka answers: librdkafka waits between its attempts to connect."""
    end = time.monotonic() + 30.0
    while True:
        try:
            return source.read()
        except MetadataUnavailable:
            if time.monotonic() > end:
                raise
