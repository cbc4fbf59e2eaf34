"""The sink on Kafka: one idempotent producer per process, one wait per request."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from confluent_shim.errors import SettingsInvalid, SinkUnavailable
from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.sinks import Handover, Sink
from confluent_shim.sinks.kafka_metadata import KafkaMetadata
from confluent_shim.sinks.producer import ProcessProducer
from confluent_shim.sinks.queued import QueuedRecords, error_of
from confluent_shim.sinks.settled import refused
from topic_map import is_topic_name

log = logging.getLogger(__name__)

DEFAULTS: Mapping[str, str] = {
    "linger.ms": "1",
    "message.timeout.ms": "10000",
    # An unknown topic is answered within seconds; librdkafka waits 30 s by default for it to appear.
    "topic.metadata.propagation.max.ms": "2000",
    "partitioner": "murmur2_random",
}
"""What the sink sets unless the configuration says otherwise."""

FIXED: Mapping[str, str] = {
    "acks": "all",
    "enable.idempotence": "true",
    # A record ends by its time and not by its attempts: the error of a last attempt says nothing of those before it.
    "retries": str(2**31 - 1),
}
"""What honest answers need; the configuration cannot change it."""

_ALIASES: Mapping[str, str] = {
    "delivery.timeout.ms": "message.timeout.ms",
    "request.required.acks": "acks",
    "message.send.max.retries": "retries",
}


class KafkaSink(Sink):
    """Sends through librdkafka; `config` takes any key of its producer (see DEFAULTS and FIXED)."""

    def __init__(self, config: Mapping[str, str]) -> None:
        own = {_ALIASES.get(key, key): value for key, value in config.items()}
        self._config = {**DEFAULTS, **own, **FIXED}
        _check_timeout(self._config)
        self._batching = ProcessProducer(self._config)
        self._single = ProcessProducer({**self._config, "batch.num.messages": "1"})
        self.metadata = KafkaMetadata(self._shared_config())

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Handover:
        del client  # Kafka knows the shim alone
        if not is_topic_name(topic):
            # Which librdkafka says once. After that the topic is unknown to it, as if another try might help.
            return refused(KafkaError.TOPIC_EXCEPTION, records)
        queued = QueuedRecords(len(records))
        queued.fill(self._batching, topic, records)
        return _Handover(queued, self._single, topic, records)

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
            raise SinkUnavailable(f"Kafka does not answer: {error_of(error).str()}") from error
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


def _check_timeout(config: Mapping[str, str]) -> None:
    value = config["message.timeout.ms"]
    if not value.isdecimal() or not int(value):
        raise SettingsInvalid(f"clusters.*.kafka.message.timeout.ms: must be milliseconds above 0, not {value}")


class _Handover(NamedTuple):
    """The records of one request on Kafka's side, and how to send some of them again."""

    queued: QueuedRecords
    single: ProcessProducer
    topic: str
    records: Sequence[AdmittedRecord]

    def ready(self) -> bool:
        return self.queued.ready() and not self.queued.any_refused_for_size()

    def tell(self, when_ready: Callable[[], None]) -> None:
        self.queued.tell(when_ready)

    def wait(self, end: float) -> list[Delivery]:
        deliveries = self.queued.wait(end)
        refused = self.queued.refused_for_size()
        if refused:
            # The broker refuses a whole batch for its size, and librdkafka does not divide it as the Java client does.
            # Sent alone, each record is judged by its own size; those that are taken land behind the others.
            for index, delivery in zip(refused, self._alone(refused, end), strict=False):
                deliveries[index] = delivery
        return deliveries

    def _alone(self, indexes: Sequence[int], end: float) -> list[Delivery]:
        queued = QueuedRecords(len(indexes))
        try:
            queued.fill(self.single, self.topic, [self.records[index] for index in indexes])
        except SinkUnavailable:
            return []  # the first answer stands: not written, for their batch was too large
        return queued.wait(end)
