"""The sink on Kafka: one idempotent producer per process, one wait per request."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from confluent_shim.errors import SettingsInvalid, SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.delivery_errors import failed, undelivered
from confluent_shim.sinks.kafka_metadata import KafkaMetadata
from confluent_shim.sinks.producer import ProcessProducer

log = logging.getLogger(__name__)

DEFAULTS: Mapping[str, str] = {
    "linger.ms": "0.5",
    "message.timeout.ms": "10000",
    # An unknown topic is answered within seconds; librdkafka waits 30 s by default for it to appear.
    "topic.metadata.propagation.max.ms": "2000",
    "partitioner": "murmur2_random",
}
"""What the sink sets unless the configuration says otherwise."""

FIXED: Mapping[str, str] = {"acks": "all", "enable.idempotence": "true"}
"""What the promise of an acknowledgement needs; the configuration cannot change it."""

_ALIASES: Mapping[str, str] = {"delivery.timeout.ms": "message.timeout.ms", "request.required.acks": "acks"}
_GRACE_SECONDS = 1.0

_Delivered = Callable[[KafkaError | None, Message], None]


class KafkaSink:
    """Sends through librdkafka; `config` takes any key of its producer (see DEFAULTS and FIXED)."""

    def __init__(self, config: Mapping[str, str]) -> None:
        own = {_ALIASES.get(key, key): value for key, value in config.items()}
        self._config = {**DEFAULTS, **own, **FIXED}
        self._batching = ProcessProducer(self._config)
        self._single = ProcessProducer({**self._config, "batch.num.messages": "1"})
        self.metadata = KafkaMetadata(self._shared_config())
        self._wait_seconds = _milliseconds(self._config) / 1000 + _GRACE_SECONDS

    def send(self, topic: str, records: Sequence[AdmittedRecord]) -> list[Delivery]:
        end = time.monotonic() + self._wait_seconds
        batch = _hand_over(self._batching, topic, records)
        deliveries = batch.wait(end)
        refused = batch.refused_for_size()
        if refused:
            # The broker refuses a whole batch for its size, and librdkafka does not divide it as the Java client does.
            # Sent alone, each record is judged by its own size; those that are taken land behind the others.
            alone = _send_alone(self._single, topic, [records[index] for index in refused], end)
            for index, delivery in zip(refused, alone, strict=True):
                deliveries[index] = delivery
        return deliveries

    def has_topic(self, topic: str) -> bool:
        # Asking for one topic would create it where the broker auto-creates; the whole list does not.
        return topic in self._metadata(5.0)

    def create_topic(self, topic: str) -> None:
        # Where topics are created by being named, this is enough; librdkafka's mock cluster knows no other way.
        named = self._metadata(5.0, topic).get(topic)
        if named is not None and named.error is None:
            return
        admin = AdminClient({**self._shared_config()})
        future = admin.create_topics([NewTopic(topic, -1, -1)], operation_timeout=5.0)[topic]
        try:
            future.result(10.0)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise SinkUnavailable(f"Kafka did not create topic {topic}: {error.args[0].str()}") from error
        except TimeoutError as error:
            raise SinkUnavailable(f"Kafka did not answer when asked to create topic {topic}") from error

    def _shared_config(self) -> dict[str, str]:
        producer_only = {*DEFAULTS, *FIXED}
        return {key: value for key, value in self._config.items() if key not in producer_only}

    def _metadata(self, seconds: float, topic: str | None = None) -> Mapping[str, Any]:
        try:
            topics: Mapping[str, Any] = self._batching.get().list_topics(topic, timeout=seconds).topics
        except KafkaException as error:
            raise SinkUnavailable(f"Kafka does not answer: {_kafka_error(error).str()}") from error
        return topics

    def warm_up(self, seconds: float) -> None:
        try:
            self._metadata(max(seconds, 0.001))
        except SinkUnavailable as error:
            log.warning("starting without Kafka: %s", error)

    def ping(self) -> None:
        self._metadata(1.0)

    def close(self) -> None:
        self._batching.close()
        self._single.close()
        self.metadata.close()


def _milliseconds(config: Mapping[str, str]) -> int:
    value = config["message.timeout.ms"]
    if not value.isdecimal() or not int(value):
        raise SettingsInvalid(f"clusters.*.kafka.message.timeout.ms: must be milliseconds above 0, not {value}")
    return int(value)


def _hand_over(line: ProcessProducer, topic: str, records: Sequence[AdmittedRecord]) -> "_Batch":
    """Queue `records`; what cannot be queued is settled at once. Raises SinkUnavailable when nothing was queued."""
    producer = line.get()
    batch = _Batch(len(records))
    for index, record in enumerate(records):
        delivered = batch.callback(index)
        try:
            try:
                _produce(producer, topic, record, delivered)
            except KafkaException as error:
                if _kafka_error(error).code() != KafkaError._FATAL:  # noqa: SLF001
                    raise
                producer = line.instead_of(producer)
                _produce(producer, topic, record, delivered)
        except (KafkaException, BufferError) as error:
            if index == 0 and isinstance(error, BufferError):
                raise SinkUnavailable("the queue to Kafka is full; nothing of this request was sent") from error
            batch.settle(index, failed(_kafka_error(error)))
    return batch


def _send_alone(line: ProcessProducer, topic: str, records: Sequence[AdmittedRecord], end: float) -> list[Delivery]:
    try:
        return _hand_over(line, topic, records).wait(end)
    except SinkUnavailable:
        return [failed(KafkaError(KafkaError._PURGE_QUEUE)) for _ in records]  # noqa: SLF001 - never handed over


def _produce(producer: Producer, topic: str, record: AdmittedRecord, delivered: _Delivered) -> None:
    partition = -1 if record.partition is None else record.partition
    producer.produce(topic, record.value, record.key, partition, on_delivery=delivered)


class _Batch:
    """Collects the deliveries of one request; the last one wakes the request's thread."""

    def __init__(self, size: int) -> None:
        self._deliveries: list[Delivery | None] = [None] * size
        self._left = size
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._too_large: list[int] = []

    def callback(self, index: int) -> _Delivered:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.settle(index, Delivery(message.partition(), message.offset()))
            else:
                if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    self._too_large.append(index)
                self.settle(index, failed(error))

        return delivered

    def settle(self, index: int, delivery: Delivery) -> None:
        # Callbacks come from the poll thread, refusals from the request's own.
        with self._lock:
            self._deliveries[index] = delivery
            self._left -= 1
            if not self._left:
                self._done.set()

    def refused_for_size(self) -> list[int]:
        """Return the records whose batch the broker found too large, in order."""
        return sorted(self._too_large)

    def wait(self, end: float) -> list[Delivery]:
        """Return the deliveries when all are known or `end`, on the monotonic clock, is reached."""
        self._done.wait(max(0.0, end - time.monotonic()))
        return [delivery or undelivered() for delivery in self._deliveries]


def _kafka_error(error: KafkaException | BufferError) -> KafkaError:
    if isinstance(error, KafkaException):
        found: KafkaError = error.args[0]
        return found
    return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - librdkafka's local codes begin with an underscore
