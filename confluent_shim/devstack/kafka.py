"""librdkafka's built-in mock cluster, and a reader for any cluster."""

from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from jsonschema_bridge import NotFramed, unframe

_SECONDS = 5.0
_READER = {
    "group.id": "confluent-shim-reader",
    "enable.auto.commit": "false",
    "enable.partition.eof": "true",
    "auto.offset.reset": "earliest",
}


class MockKafka:
    """A Kafka listener on 127.0.0.1 inside this process; topics appear, with 4 partitions, when they are named."""

    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": "1", "log_level": "4"})
        brokers = self._producer.list_topics(timeout=_SECONDS).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def create_topic(self, topic: str) -> None:
        """Make `topic` exist."""
        self._producer.list_topics(topic, timeout=_SECONDS)

    def close(self) -> None:
        """End the cluster and all that it holds."""
        self._producer.close()


class Landed(NamedTuple):
    """A record as it lies in Kafka; `schema_id` is None where the value is not framed, `value` is what is behind."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    schema_id: int | None


def read_topic(bootstrap: str, topic: str) -> Iterator[Landed]:
    """Yield what `topic` holds now, partition by partition. Raises KafkaException when it cannot be read."""
    consumer = Consumer({**_READER, "bootstrap.servers": bootstrap})
    try:
        partitions = consumer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
        for number in sorted(partitions):
            yield from _read_partition(consumer, TopicPartition(topic, number, 0))
    finally:
        consumer.close()


def _read_partition(consumer: Consumer, partition: TopicPartition) -> Iterator[Landed]:
    _, end = consumer.get_watermark_offsets(partition, timeout=_SECONDS)
    if not end:
        return
    consumer.assign([partition])
    offset = -1
    while offset < end - 1:
        message = consumer.poll(_SECONDS)
        if message is None:
            return
        if message.error() is not None:
            raise KafkaException(message.error())
        offset = message.offset() or 0
        yield _landed(partition.partition, offset, message.key(), message.value())


def _landed(partition: int, offset: int, key: object, value: object) -> Landed:
    key_bytes = key if isinstance(key, bytes) else None
    if not isinstance(value, bytes):
        return Landed(partition, offset, key_bytes, None, None)
    try:
        schema_id, payload = unframe(value)
    except NotFramed:
        return Landed(partition, offset, key_bytes, value, None)
    return Landed(partition, offset, key_bytes, payload, schema_id)
