"""Which of the configured clusters a request for metadata means.

A v2 path has no cluster in it: lists tell of the default cluster, and what is about a topic goes to the cluster of its
binding. A v3 path has Kafka's own id of the cluster.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator

from confluent_shim.errors import (
    ClusterNotFound,
    MetadataForbidden,
    MetadataUnavailable,
    PartitionNotFound,
    TopicNotHosted,
)
from confluent_shim.services import Services
from confluent_shim.sinks.metadata import ClusterMetadata, MetadataSource, Partition, Topic

log = logging.getLogger(__name__)

_SILENCE_SECONDS = 30.0


class Clusters:
    """Finds clusters by topic and by id, and asks them."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._sinks = services.sinks
        self.default_name = services.settings.default_cluster()
        self._ids: dict[str, str] = {}
        self._silent_until: dict[str, float] = defaultdict(float)

    def of_topic(self, topic: str) -> str:
        """Return the name of the cluster that `topic` is in: its binding's, else the default one."""
        binding = self._store.table().get(topic)
        return binding.cluster if binding is not None and binding.cluster in self._sinks else self.default_name

    def default(self) -> ClusterMetadata:
        """Ask the default cluster. Raises what a MetadataSource raises."""
        return self._read(self.default_name)

    def source_of(self, topic: str) -> MetadataSource:
        """Return who can be asked about `topic`."""
        return self._sinks[self.of_topic(topic)].metadata

    def every(self) -> list[ClusterMetadata]:
        """Ask all clusters, the default one first; one that does not answer is left out and logged.

        Names that lead to the same Kafka are one cluster. Raises MetadataUnavailable when none answers.
        """
        found: dict[str, ClusterMetadata] = {}
        failure: MetadataUnavailable | None = None
        for name in self._names():
            try:
                cluster = self._read(name)
            except MetadataUnavailable as error:
                log.warning("cluster %s is left out of the list of clusters: %s", name, error)
                failure = failure or error
            else:
                found.setdefault(cluster.cluster_id, cluster)
        if failure is not None and not found:
            raise failure
        return list(found.values())

    def by_id(self, cluster_id: str) -> ClusterMetadata:
        """Ask the cluster that Kafka calls `cluster_id`.

        Raises ClusterNotFound, or MetadataUnavailable when one that did not answer might be it.
        """
        failure: MetadataUnavailable | None = None
        # Those that were seen under another id come last: only a Kafka that was set up anew has changed it.
        for name in sorted(self._names(), key=lambda name: {cluster_id: 0, None: 1}.get(self._ids.get(name), 2)):
            try:
                cluster = self._read(name)
            except MetadataUnavailable as error:
                failure = failure or error
                continue
            if cluster.cluster_id == cluster_id:
                return cluster
        raise failure or ClusterNotFound(cluster_id)

    def named_by(self, cluster_id: str) -> str:
        """Return the name of the cluster that Kafka calls `cluster_id`; of one that nobody knows, the default one's.

        Kafka is asked only where there is a choice, as long as it is not known who has which id, and rarely when it is
        away: a request that is handed on has no need of it.
        """
        if len(self._sinks) == 1:
            return self.default_name
        for name in self._names():
            if name not in self._ids and time.monotonic() >= self._silent_until[name]:
                try:
                    self._read(name)
                except (MetadataUnavailable, MetadataForbidden):
                    self._silent_until[name] = time.monotonic() + _SILENCE_SECONDS
            if self._ids.get(name) == cluster_id:
                return name
        return self.default_name

    def _read(self, name: str) -> ClusterMetadata:
        cluster = self._sinks[name].metadata.read()
        self._ids[name] = cluster.cluster_id
        return cluster

    def _names(self) -> Iterator[str]:
        yield self.default_name
        yield from (name for name in self._sinks if name != self.default_name)


def hosted(cluster: ClusterMetadata, topic: str) -> Topic:
    """Return the topic as `cluster` has it. Raises TopicNotHosted."""
    found = cluster.topics.get(topic)
    if found is None:
        raise TopicNotHosted
    return found


def partition_of(topic: Topic, number: int) -> Partition:
    """Return a partition of `topic`. Raises PartitionNotFound."""
    for partition in topic.partitions:
        if partition.number == number:
            return partition
    raise PartitionNotFound
