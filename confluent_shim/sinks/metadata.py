"""What a Kafka cluster is made of, as the metadata routes tell it."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

_INTERNAL = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})


class Replica(NamedTuple):
    """A copy of a partition on a broker."""

    broker: int
    leader: bool
    in_sync: bool


class Partition(NamedTuple):
    """A partition; `leader` is None while it has none."""

    number: int
    leader: int | None
    replicas: tuple[Replica, ...]


class Topic(NamedTuple):
    """A topic and its partitions, in order."""

    name: str
    partitions: tuple[Partition, ...]

    @property
    def is_internal(self) -> bool:
        """Whether the topic is Kafka's own."""
        return self.name in _INTERNAL


class ClusterMetadata(NamedTuple):
    """A cluster as one answer of Kafka has it; `controller` is None while there is none."""

    cluster_id: str
    controller: int | None
    brokers: tuple[int, ...]
    topics: Mapping[str, Topic]

    def public_topics(self) -> list[Topic]:
        """Return the topics that a list shows: those that are not Kafka's own, by name."""
        return [topic for _, topic in sorted(self.topics.items()) if not topic.is_internal]


class MetadataSource(Protocol):
    """Asks Kafka what is there; each call waits a few seconds at most. Safe to share between threads.

    All methods raise MetadataUnavailable when Kafka does not answer in time, and MetadataForbidden when it answers
    that the shim may not know.
    """

    def read(self) -> ClusterMetadata:
        """Return the whole cluster. No topic is created by asking."""
        ...

    def configs(self, topic: str) -> Mapping[str, str | None]:
        """Return the configuration of a topic; a secret's value is None. Raises TopicNotHosted.

        The controller is asked: where a cluster has none, which librdkafka's mock cluster never has, none answers.
        """
        ...

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset and the one behind the last of a partition that is there."""
        ...

    def close(self) -> None:
        """Let go of all connections; what is asked afterwards raises MetadataUnavailable."""
        ...
