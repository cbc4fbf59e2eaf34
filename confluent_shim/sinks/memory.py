import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError

from confluent_shim.errors import MetadataUnavailable, SinkUnavailable, TopicNotHosted
from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.sinks import Sink
from confluent_shim.sinks.delivery_errors import failed
from confluent_shim.sinks.metadata import ClusterMetadata, Partition, Replica, Topic
from confluent_shim.sinks.murmur2 import partition_of
from confluent_shim.sinks.settled import Settled, refused
from topic_map import is_topic_name

_BROKER = 1
_REPLICA = Replica(_BROKER, leader=True, in_sync=True)


class MemorySink(Sink):
    """Keeps what it is sent in lists: for tests, and for `serve` without Kafka.

    A topic is created by being named, if `creates_topics`; keys go where Kafka's partitioner puts them.
    """

    def __init__(
        self,
        topics: Sequence[str] = (),
        partitions: int = 4,
        cluster_id: str = "memory",
        clock: Callable[[], float] = time.time,
        *,
        creates_topics: bool = True,
    ) -> None:
        self._partitions = partitions
        self._creates_topics = creates_topics
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._topics = set(topics)
        self._logs: dict[tuple[str, int], list[AdmittedRecord]] = defaultdict(list)
        self.metadata = MemoryMetadata(self, cluster_id)

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Settled:
        del client
        with self._lock:
            if self._closed:
                raise SinkUnavailable("the process is ending; nothing of this request was sent")
            if not is_topic_name(topic):
                return refused(KafkaError.TOPIC_EXCEPTION, records)
            if not self._creates_topics and topic not in self._topics:
                return refused(KafkaError.UNKNOWN_TOPIC_OR_PART, records)
            self._topics.add(topic)
            now = int(self._clock() * 1000)
            return Settled([self._append(topic, record, now) for record in records])

    def _append(self, topic: str, record: AdmittedRecord, now: int) -> Delivery:
        partition = record.partition
        if partition is None:
            partition = 0 if record.key is None else partition_of(record.key, self._partitions)
        elif not 0 <= partition < self._partitions:
            return failed(KafkaError(KafkaError._UNKNOWN_PARTITION))  # noqa: SLF001 - librdkafka's name for it
        timestamp = None if record.extras is None else record.extras.timestamp
        log = self._logs[topic, partition]
        log.append(record)
        return Delivery(partition, len(log) - 1, timestamp=timestamp or now)

    def landed(self, topic: str) -> list[AdmittedRecord]:
        """Return what `topic` holds, partition by partition."""
        return [record for _, _, record in self.read(topic)]

    def read(self, topic: str) -> list[tuple[int, int, AdmittedRecord]]:
        """Return (partition, offset, record) of all that `topic` holds, partition by partition."""
        with self._lock:
            return [
                (partition, offset, record)
                for (name, partition), log in sorted(self._logs.items(), key=lambda item: item[0])
                if name == topic
                for offset, record in enumerate(log)
            ]

    def topics(self) -> dict[str, int]:
        """Return how many partitions each topic has."""
        with self._lock:
            return dict.fromkeys(sorted(self._topics), self._partitions)

    def has_topic(self, topic: str) -> bool:
        return topic in self._topics

    def create_topic(self, topic: str) -> None:
        self._topics.add(topic)

    def delete_topic(self, topic: str) -> None:
        """Take a topic away, with what it holds."""
        with self._lock:
            self._topics.discard(topic)
            for partition in range(self._partitions):
                self._logs.pop((topic, partition), None)

    def warm_up(self, seconds: float) -> None:
        """Do nothing: there is no connection."""

    def ping(self) -> None:
        """Do nothing: memory always answers."""

    def close(self) -> None:
        self._closed = True
        self.metadata.close()


class MemoryMetadata:
    """Tells of a memory sink as of a cluster with one broker, which leads every partition."""

    def __init__(self, sink: MemorySink, cluster_id: str) -> None:
        self._sink = sink
        self._cluster_id = cluster_id
        self._closed = False

    def read(self) -> ClusterMetadata:
        topics = {
            name: Topic(name, tuple(Partition(number, _BROKER, (_REPLICA,)) for number in range(partitions)))
            for name, partitions in self._topics().items()
        }
        return ClusterMetadata(self._cluster_id, _BROKER, (_BROKER,), topics)

    def configs(self, topic: str) -> Mapping[str, str | None]:
        if topic not in self._topics():
            raise TopicNotHosted
        return {"cleanup.policy": "delete"}

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        self._topics()
        return 0, sum(number == partition for number, _, _ in self._sink.read(topic))

    def _topics(self) -> dict[str, int]:
        if self._closed:
            raise MetadataUnavailable("the process is ending")
        return self._sink.topics()

    def close(self) -> None:
        self._closed = True
