"""Metadata from Kafka, asked through a REST Proxy."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import msgspec

from confluent_shim.errors import (
    MetadataForbidden,
    MetadataUnavailable,
    TopicNotHosted,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnavailable,
)
from confluent_shim.sinks.metadata import ClusterMetadata, Partition, Replica, Topic
from confluent_shim.sinks.upstream import Headers, Upstream

T = TypeVar("T")

SECONDS = 5.0
"""How long the proxy may take for one answer; without a Kafka behind it, it takes a minute."""

_ACCEPT = ("Accept", "application/vnd.kafka.v2+json, application/json")
_FORBIDDEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class _Related(msgspec.Struct):
    related: str


class _Cluster(msgspec.Struct):
    cluster_id: str
    controller: _Related | None = None


class _Clusters(msgspec.Struct):
    data: list[_Cluster]


class _Brokers(msgspec.Struct):
    brokers: list[int]


class _Partition(msgspec.Struct):
    partition: int
    leader: int
    replicas: list["_Replica"]


class _Replica(msgspec.Struct):
    broker: int
    leader: bool
    in_sync: bool


class _Topic(msgspec.Struct):
    partitions: list[_Partition]
    configs: dict[str, str | None] = {}


class _Offsets(msgspec.Struct):
    beginning_offset: int
    end_offset: int


class RestProxyMetadata:
    """Asks the REST Proxy that `upstream` leads to, with the shim's own credentials unless told otherwise."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def cluster_id(self, end: float | None = None, authorization: Headers | None = None) -> str:
        """Return Kafka's own id of the cluster, and wait no longer than to `end`, on the monotonic clock.

        With `authorization` it is not the shim that asks.
        """
        return self._cluster(end, authorization).cluster_id

    def topics(self, end: float | None = None) -> Sequence[str]:
        """Return the names of all topics."""
        return self._ask("/topics", list[str], end)

    def brokers(self, end: float | None = None) -> Sequence[int]:
        """Return the ids of the brokers: what no proxy knows without asking Kafka."""
        return self._ask("/brokers", _Brokers, end).brokers

    def topic(self, name: str) -> Topic:
        """Return a topic. Raises TopicNotHosted."""
        found = self._ask(_path(name), _Topic)
        return Topic(name, tuple(map(_told, sorted(found.partitions, key=lambda each: each.partition))))

    def read(self) -> ClusterMetadata:
        cluster = self._cluster()
        last = cluster.controller.related.rpartition("/")[2] if cluster.controller is not None else ""
        controller = int(last) if last.isdecimal() else None
        brokers = tuple(sorted(self.brokers()))
        return ClusterMetadata(cluster.cluster_id, controller, brokers, _Topics(self, self.topics()))

    def configs(self, topic: str) -> Mapping[str, str | None]:
        return self._ask(_path(topic), _Topic).configs

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        found = self._ask(f"{_path(topic)}/partitions/{partition}/offsets", _Offsets)
        return found.beginning_offset, found.end_offset

    def _cluster(self, end: float | None = None, authorization: Headers | None = None) -> _Cluster:
        found = self._ask("/v3/clusters", _Clusters, end, authorization).data
        if not found:
            raise MetadataUnavailable("the REST Proxy tells of no cluster")
        return found[0]

    def _ask(self, target: str, kind: type[T], end: float | None = None, authorization: Headers | None = None) -> T:
        headers = [_ACCEPT, *(self._upstream.authorization() if authorization is None else authorization)]
        try:
            answer = self._upstream.ask("GET", target, headers, end=end or time.monotonic() + SECONDS)
            with closing(answer):
                text = b"".join(answer)
        except (UpstreamUnavailable, UpstreamSilent, UpstreamBroken) as error:
            raise MetadataUnavailable(str(error)) from error
        if answer.status == HTTPStatus.NOT_FOUND:
            raise TopicNotHosted
        if answer.status in _FORBIDDEN:
            raise MetadataForbidden(f"the REST Proxy refuses to tell of Kafka: it answered {answer.status}")
        if answer.status != HTTPStatus.OK:
            raise MetadataUnavailable(f"the REST Proxy answered {answer.status}")
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            raise MetadataUnavailable(f"the REST Proxy answered something else than metadata: {error}") from error

    def close(self) -> None:
        self._upstream.close()


class _Topics(Mapping[str, Topic]):
    """The topics of a cluster; the proxy is asked about one when somebody looks at it."""

    def __init__(self, source: RestProxyMetadata, names: Sequence[str]) -> None:
        self._source = source
        self._names = dict.fromkeys(sorted(names))

    def __getitem__(self, name: str) -> Topic:
        if name not in self._names:
            raise KeyError(name)
        try:
            return self._source.topic(name)
        except TopicNotHosted:  # deleted in the meantime
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _path(topic: str) -> str:
    return f"/topics/{quote(topic, safe='')}"


def _told(found: _Partition) -> Partition:
    replicas = tuple(Replica(each.broker, each.leader, each.in_sync) for each in found.replicas)
    return Partition(found.partition, found.leader if found.leader >= 0 else None, replicas)
