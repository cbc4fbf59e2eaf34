"""The sink on Kafka: one idempotent producer per process, one wait per request."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Delivery
from confluent_shim.sinks.delivery_errors import failed, undelivered

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

_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 10.0
_GRACE_SECONDS = 1.0


class KafkaSink:
    """Sends through librdkafka; `config` takes any key of its producer (see DEFAULTS and FIXED)."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = {**DEFAULTS, **config, **FIXED}
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._closed = False
        self._wait_seconds = float(self._config["message.timeout.ms"]) / 1000 + _GRACE_SECONDS

    def send(self, topic: str, records: Sequence[AdmittedRecord]) -> list[Delivery]:
        producer = self._connect().producer
        batch = _Batch(len(records))
        for index, record in enumerate(records):
            try:
                producer.produce(
                    topic,
                    record.value,
                    record.key,
                    -1 if record.partition is None else record.partition,
                    on_delivery=batch.callback(index),
                )
            except (KafkaException, BufferError) as error:
                if index == 0 and isinstance(error, BufferError):
                    raise SinkUnavailable("the queue to Kafka is full; nothing of this request was sent") from error
                batch.settle(index, failed(_kafka_error(error)))
        return batch.wait(self._wait_seconds)

    def _connect(self) -> "_Connection":
        connection = self._connection
        if connection is not None and connection.process == os.getpid():
            return connection
        with self._lock:
            if self._closed:
                raise SinkUnavailable("the process is ending; nothing of this request was sent")
            if self._connection is None or self._connection.process != os.getpid():
                self._connection = _Connection(self._config)
            return self._connection

    def has_topic(self, topic: str) -> bool:
        # Asking for one topic would create it where the broker auto-creates; the whole list does not.
        return topic in self._metadata(5.0)

    def create_topic(self, topic: str) -> None:
        # Where topics are created by being named, this is enough; librdkafka's mock cluster knows no other way.
        named = self._metadata(5.0, topic).get(topic)
        if named is not None and named.error is None:
            return
        admin = AdminClient(self._shared_config())
        future = admin.create_topics([NewTopic(topic, -1, -1)], operation_timeout=5.0)[topic]
        try:
            future.result(10.0)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise SinkUnavailable(f"Kafka did not create topic {topic}: {error.args[0].str()}") from error
        except TimeoutError as error:
            raise SinkUnavailable(f"Kafka did not answer when asked to create topic {topic}") from error

    def _shared_config(self) -> dict[str, str | int | float | bool]:
        producer_only = {*DEFAULTS, *FIXED}
        return {key: value for key, value in self._config.items() if key not in producer_only}

    def _metadata(self, seconds: float, topic: str | None = None) -> Mapping[str, Any]:
        try:
            topics: Mapping[str, Any] = self._connect().producer.list_topics(topic, timeout=seconds).topics
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
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
        if connection is not None and connection.process == os.getpid():
            connection.close()


class _Connection:
    """A producer and the thread that serves its callbacks, in the process that made them."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self.process = os.getpid()
        self.producer = Producer({**config, "error_cb": _log_error, "logger": log})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-deliveries", daemon=True)
        self._thread.start()

    def _poll(self) -> None:
        while not self._ended.is_set():
            self.producer.poll(_POLL_SECONDS)

    def close(self) -> None:
        left = self.producer.flush(_CLOSE_SECONDS)
        if left:
            log.error("%d records were not acknowledged before the end", left)
        self._ended.set()
        self._thread.join()


class _Batch:
    """Collects the deliveries of one request; the last one wakes the request's thread."""

    def __init__(self, size: int) -> None:
        self._deliveries: list[Delivery | None] = [None] * size
        self._left = size
        self._lock = threading.Lock()
        self._done = threading.Event()

    def callback(self, index: int) -> Callable[[KafkaError | None, Message], None]:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.settle(index, Delivery(message.partition(), message.offset()))
            else:
                self.settle(index, failed(error))

        return delivered

    def settle(self, index: int, delivery: Delivery) -> None:
        # Callbacks come from the poll thread, refusals from the request's own.
        with self._lock:
            self._deliveries[index] = delivery
            self._left -= 1
            if not self._left:
                self._done.set()

    def wait(self, seconds: float) -> list[Delivery]:
        end = time.monotonic() + seconds
        self._done.wait(max(0.0, end - time.monotonic()))
        return [delivery or undelivered() for delivery in self._deliveries]


def _kafka_error(error: KafkaException | BufferError) -> KafkaError:
    if isinstance(error, KafkaException):
        found: KafkaError = error.args[0]
        return found
    return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - librdkafka's local codes begin with an underscore


def _log_error(error: KafkaError) -> None:
    log.warning("kafka: %s", error.str())
