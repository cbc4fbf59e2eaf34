import threading
import zlib
from collections import defaultdict
from collections.abc import Sequence

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery


class MemorySink:
    """Keeps what it is sent in lists: for tests, and for `serve` without Kafka."""

    def __init__(self, topics: Sequence[str] = (), partitions: int = 4) -> None:
        self._partitions = partitions
        self._lock = threading.Lock()
        self._closed = False
        self._topics = set(topics)
        self._logs: dict[tuple[str, int], list[AdmittedRecord]] = defaultdict(list)

    def send(self, topic: str, records: Sequence[AdmittedRecord]) -> list[Delivery]:
        with self._lock:
            if self._closed:
                raise SinkUnavailable("the process is ending; nothing of this request was sent")
            self._topics.add(topic)
            return [self._append(topic, record) for record in records]

    def _append(self, topic: str, record: AdmittedRecord) -> Delivery:
        partition = record.partition
        if partition is None:
            partition = zlib.crc32(record.key) % self._partitions if record.key else 0
        log = self._logs[topic, partition]
        log.append(record)
        return Delivery(partition, len(log) - 1)

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

    def has_topic(self, topic: str) -> bool:
        return topic in self._topics

    def create_topic(self, topic: str) -> None:
        self._topics.add(topic)

    def warm_up(self, seconds: float) -> None:
        """Do nothing: there is no connection."""

    def ping(self) -> None:
        """Do nothing: memory always answers."""

    def close(self) -> None:
        self._closed = True
