"""What every source of metadata promises, told once; a subclass brings the sink whose cluster is told of."""

import uuid
from collections.abc import Callable

import pytest

from confluent_shim.errors import MetadataUnavailable
from confluent_shim.records import AdmittedRecord
from confluent_shim.sinks import Sink
from confluent_shim.sinks.metadata import MetadataSource


class MetadataContract:
    """Subclasses give the fixtures `sink` and `make_topic`; a made topic has more than one partition."""

    @pytest.fixture
    def source(self, sink: Sink) -> MetadataSource:
        return sink.metadata

    @pytest.fixture
    def topic(self, make_topic: Callable[[str], None]) -> str:
        name = f"metadata-{uuid.uuid4().hex[:8]}"
        make_topic(name)
        return name

    def test_a_cluster_has_an_id_that_stays_and_at_least_one_broker(self, source: MetadataSource) -> None:
        first, second = source.read(), source.read()
        assert first.cluster_id
        assert (first.cluster_id, first.brokers) == (second.cluster_id, second.brokers)
        assert first.brokers

    def test_a_topic_is_told_with_its_partitions_in_order(self, source: MetadataSource, topic: str) -> None:
        cluster = source.read()
        told = cluster.topics[topic]
        assert told.name == topic
        assert not told.is_internal
        assert len(told.partitions) > 1
        assert [partition.number for partition in told.partitions] == list(range(len(told.partitions)))
        for partition in told.partitions:
            assert partition.leader in cluster.brokers
            (leading,) = (replica for replica in partition.replicas if replica.leader)
            assert (leading.broker, leading.in_sync) == (partition.leader, True)

    def test_asking_creates_nothing(self, source: MetadataSource, topic: str) -> None:
        absent = f"absent-{uuid.uuid4().hex}"
        for _ in range(2):
            topics = source.read().topics
            assert absent not in topics
            assert topic in topics

    def test_offsets_move_with_what_is_written(self, sink: Sink, source: MetadataSource, topic: str) -> None:
        assert source.offsets(topic, 0) == (0, 0)
        sink.send(topic, [AdmittedRecord(b"k", b"v", 0)] * 3 + [AdmittedRecord(b"k", b"v", 1)])
        assert source.offsets(topic, 0) == (0, 3)
        assert source.offsets(topic, 1) == (0, 1)

    def test_a_closed_source_answers_nothing(self, sink: Sink, source: MetadataSource) -> None:
        sink.close()
        source.close()
        with pytest.raises(MetadataUnavailable):
            source.read()
        with pytest.raises(MetadataUnavailable):
            source.offsets("any", 0)
