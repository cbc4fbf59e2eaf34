"""Metadata from librdkafka's mock cluster, a real Kafka listener inside this process."""

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from confluent_shim.devstack import MockKafka
from confluent_shim.sinks.kafka import KafkaSink
from confluent_shim.sinks.kafka_metadata import KafkaMetadata
from tests.contract.metadata_contract import MetadataContract


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    kafka = MockKafka()
    yield kafka
    kafka.close()


class TestKafkaMetadata(MetadataContract):
    @pytest.fixture
    def sink(self, kafka: MockKafka) -> Iterator[KafkaSink]:
        sink = KafkaSink({"bootstrap.servers": kafka.bootstrap})
        yield sink
        sink.close()

    @pytest.fixture
    def make_topic(self, kafka: MockKafka) -> Callable[[str], None]:
        return kafka.create_topic

    def test_the_mock_cluster_has_no_controller(self, sink: KafkaSink) -> None:
        """So nobody may ask it for the configuration of a topic: it would not answer."""
        assert sink.metadata.read().controller is None


def test_a_partition_that_changes_hands_is_asked_about_again() -> None:
    source = KafkaMetadata({"bootstrap.servers": "127.0.0.1:1"})
    answers: list[KafkaError | int] = [KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION), 7]

    def question(_: object) -> int:
        answer = answers.pop(0)
        if isinstance(answer, KafkaError):
            raise KafkaException(answer)
        return answer

    assert source._ask(question) == 7
    source.close()
