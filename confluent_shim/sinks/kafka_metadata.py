"""Metadata from Kafka, asked through one admin client of its own, which nobody pays for who asks nothing."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec  # type: ignore[attr-defined]

from confluent_shim.errors import MetadataForbidden, MetadataUnavailable, TopicNotHosted
from confluent_shim.sinks.delivery_errors import AUTHENTICATION, AUTHORIZATION
from confluent_shim.sinks.metadata import ClusterMetadata, Partition, Replica, Topic

T = TypeVar("T")

SECONDS = 5.0
"""How long Kafka may take for one answer. Confluent waits a minute."""

_PAUSE_SECONDS = 0.1
_MOVING = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
"""What a broker answers while a partition is being made or is changing hands: it is worth asking again."""

_QUIET = {"log_level": "0"}  # what goes wrong is told by the error that is raised


class KafkaMetadata:
    """Asks the cluster that `config`, keys of librdkafka, leads to. Connects when it is first asked."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._opened: tuple[int, AdminClient] | None = None
        self._closed = False

    def read(self) -> ClusterMetadata:
        # Asking for one topic would create it where the broker auto-creates; the whole list does not.
        found: Any = self._ask(lambda admin: admin.list_topics(timeout=SECONDS))
        brokers = tuple(sorted(found.brokers))
        controller = found.controller_id if found.controller_id in found.brokers else None
        return ClusterMetadata(found.cluster_id, controller, brokers, {topic.name: topic for topic in _topics(found)})

    def configs(self, topic: str) -> Mapping[str, str | None]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = self._ask(
            lambda admin: admin.describe_configs([resource], request_timeout=SECONDS)[resource].result(SECONDS)
        )
        return {name: entry.value for name, entry in entries.items()}

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        place = TopicPartition(topic, partition)

        def asked(admin: AdminClient) -> tuple[int, int]:
            ends = [
                admin.list_offsets({place: spec}, request_timeout=SECONDS)[place]
                for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
            ]
            first, end = (future.result(SECONDS).offset for future in ends)
            return first, end

        return self._ask(asked)

    def _ask(self, question: Callable[[AdminClient], T]) -> T:
        end = time.monotonic() + SECONDS
        while True:
            try:
                return question(self._admin())
            except KafkaException as error:
                if error.args[0].code() not in _MOVING or time.monotonic() > end:
                    raise unanswered(error.args[0]) from error
                time.sleep(_PAUSE_SECONDS)
            except TimeoutError as error:
                raise MetadataUnavailable(f"Kafka did not answer within {SECONDS:.0f} s") from error

    def _admin(self) -> AdminClient:
        with self._lock:
            if self._closed:
                raise MetadataUnavailable("the process is ending")
            if self._opened is None or self._opened[0] != os.getpid():
                # A connection does not outlive a fork.
                self._opened = (os.getpid(), AdminClient({**_QUIET, **self._config}))
            return self._opened[1]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._opened = None  # it has no other way to be closed


def _topics(found: Any) -> Iterator[Topic]:
    for name, topic in sorted(found.topics.items()):
        if topic.partitions:  # one without is about to go or to come
            yield Topic(name, tuple(_partition(topic.partitions[number]) for number in sorted(topic.partitions)))


def _partition(found: Any) -> Partition:
    leader = found.leader if found.leader >= 0 else None
    in_sync = set(found.isrs)
    return Partition(
        found.id, leader, tuple(Replica(broker, broker == leader, broker in in_sync) for broker in found.replicas)
    )


def unanswered(error: KafkaError) -> MetadataUnavailable | MetadataForbidden | TopicNotHosted:
    """Return what `error` means for one who asks for metadata."""
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_EXCEPTION):
        return TopicNotHosted()
    if error.code() in AUTHENTICATION | AUTHORIZATION:
        return MetadataForbidden(f"Kafka refuses the shim: {error.str()}")
    return MetadataUnavailable(f"Kafka does not answer: {error.str()}")
