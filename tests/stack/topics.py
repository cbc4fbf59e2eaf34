"""Looking into topics from outside the shim, the same way on Apache Kafka and on librdkafka's mock cluster."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

_SECONDS = 10.0
_QUIET = {"log_level": 3}  # a broker that a test stopped is no news
_READER = {
    **_QUIET,
    "group.id": "tests-stack",  # never joined: partitions are assigned by hand
    "enable.auto.commit": False,
    "fetch.wait.max.ms": 10,  # a broker holds a fetch back for half a second when there is nothing to give
    "enable.partition.eof": True,  # markers and compaction leave holes, so offsets alone do not tell the end
}


class Record(NamedTuple):
    """A record as a consumer sees it; `headers` keep order and repeats, `timestamp` is in ms since 1970."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int


def create_on_kafka(
    bootstrap: str, name: str, partitions: int, config: dict[str, str], brokers: Sequence[int] = ()
) -> None:
    """Create a topic and wait until each partition has a leader that answers. Raises KafkaException, TimeoutError.

    Each partition is on each of the `brokers`, of which the first one leads; on some broker, where none is named.
    """
    admin = AdminClient({**_QUIET, "bootstrap.servers": bootstrap})
    where: dict[str, Any] = {"replica_assignment": [[*brokers]] * partitions} if brokers else {"replication_factor": 1}
    topic = NewTopic(name, num_partitions=partitions, config=config, **where)
    admin.create_topics([topic], operation_timeout=_SECONDS)[name].result(_SECONDS)
    # The controller names the leaders a moment before they know of it themselves.
    ends = {TopicPartition(name, number): OffsetSpec.latest() for number in range(partitions)}  # type: ignore[no-untyped-call]
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            for answer in admin.list_offsets(ends).values():
                answer.result(_SECONDS)
        except KafkaException:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return


def allow(bootstrap: str, user: str, topic: str, operation: AclOperation) -> None:
    """Let a user of a guarded broker do one thing with a topic; in force a moment later. Raises KafkaException."""
    admin = AdminClient({**_QUIET, "bootstrap.servers": bootstrap})
    rule = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        operation,
        AclPermissionType.ALLOW,
    )
    admin.create_acls([rule])[rule].result(_SECONDS)


def in_sync(bootstrap: str, topic: str) -> set[int]:
    """Return the brokers that are in sync for the topic's partition 0."""
    found = AdminClient({**_QUIET, "bootstrap.servers": bootstrap}).list_topics(topic, timeout=_SECONDS)
    return set(found.topics[topic].partitions[0].isrs)


def create_on_mock(bootstrap: str, name: str) -> None:
    """Make a topic appear by naming it. Raises KafkaException."""
    AdminClient({**_QUIET, "bootstrap.servers": bootstrap}).list_topics(name, timeout=_SECONDS)


def end_offsets(bootstrap: str, name: str) -> int:
    """Return the sum of the end offsets of all partitions. Raises KafkaException."""
    consumer = Consumer({**_READER, "bootstrap.servers": bootstrap})
    try:
        ends = [
            consumer.get_watermark_offsets(partition, timeout=_SECONDS, cached=False)
            for partition in _partitions(consumer, name)
        ]
        return sum(high for _, high in ends)
    finally:
        consumer.close()


def read_all(bootstrap: str, name: str) -> list[Record]:
    """Return every committed record, by partition and offset. Raises KafkaException, TimeoutError."""
    consumer = Consumer({**_READER, "bootstrap.servers": bootstrap})
    try:
        return sorted(_read_to_end(consumer, _partitions(consumer, name)), key=lambda record: record[:2])
    finally:
        consumer.close()


def _partitions(consumer: Consumer, name: str) -> list[TopicPartition]:
    topic = consumer.list_topics(name, timeout=_SECONDS).topics[name]
    if topic.error is not None:
        raise KafkaException(topic.error)
    return [TopicPartition(name, number, OFFSET_BEGINNING) for number in topic.partitions]


def _read_to_end(consumer: Consumer, partitions: list[TopicPartition]) -> list[Record]:
    records = []
    unfinished = {partition.partition for partition in partitions}
    consumer.assign(partitions)
    while unfinished:
        message = consumer.poll(_SECONDS)
        if message is None:
            raise TimeoutError(f"partitions {sorted(unfinished)} gave nothing for {_SECONDS} s")
        partition, offset, error = message.partition(), message.offset(), message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if partition is None or offset is None:
            raise KafkaException(error)
        if error is not None:
            unfinished.discard(partition)
            continue
        _, timestamp = message.timestamp()
        records.append(Record(partition, offset, message.key(), message.value(), _headers(message), timestamp))
    return records


def _headers(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    # The annotation allows what a producer is given, text and mappings; what is read is pairs and bytes.
    pairs = cast("Iterable[tuple[str, bytes | None]]", message.headers() or ())
    return tuple(pairs)
