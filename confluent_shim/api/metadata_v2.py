"""`/`, `/brokers` and `/topics`: what the v2 API tells of Kafka.

Source: rest-proxy contract, section 2.7; transcripts C9 to C16, X154 to X173.
"""

import re
from typing import Any

from flask import Blueprint

from confluent_shim.api.clusters import Clusters, hosted, partition_of
from confluent_shim.api.resources import V2, Resources
from confluent_shim.capacity import Capacity
from confluent_shim.errors import RouteUnknown
from confluent_shim.services import Services
from confluent_shim.sinks.metadata import Partition, Topic

_PRODUCE = ("POST",)
_PARTITION = "/topics/<topic>/partitions/<partition>"


def blueprint(services: Services, capacity: Capacity) -> Blueprint:
    """Return the v2 routes that read."""
    routes = Blueprint("metadata_v2", __name__)
    resources = Resources(routes, V2, capacity)
    clusters = Clusters(services)

    def root() -> dict[str, str]:
        """Say nothing, as Confluent does; clients knock here to see whether somebody is at home."""
        return {}

    def brokers() -> dict[str, list[int]]:
        return {"brokers": list(clusters.default().brokers)}

    def topics() -> list[str]:
        return [topic.name for topic in clusters.default().public_topics()]

    def one_topic(topic: str) -> dict[str, Any]:
        source = clusters.source_of(topic)
        cluster = source.read()
        found = hosted(cluster, topic)
        configs = source.configs(topic) if cluster.controller is not None else {}
        return {"name": topic, "configs": configs, "partitions": _partitions(found)}

    def partitions(topic: str) -> list[dict[str, Any]]:
        return _partitions(hosted(clusters.source_of(topic).read(), topic))

    def one_partition(topic: str, partition: str) -> dict[str, Any]:
        number = partition_number(partition)
        return _plain(partition_of(hosted(clusters.source_of(topic).read(), topic), number))

    def offsets(topic: str, partition: str) -> dict[str, int]:
        number, source = partition_number(partition), clusters.source_of(topic)
        partition_of(hosted(source.read(), topic), number)
        beginning, end = source.offsets(topic, number)
        return {"beginning_offset": beginning, "end_offset": end}

    resources.add("/", root, methods=("GET", "POST"))
    resources.add("/brokers", brokers)
    resources.add("/topics", topics)
    resources.add("/topics/<topic>", one_topic, elsewhere=_PRODUCE)
    resources.add("/topics/<topic>/partitions", partitions)
    resources.add(_PARTITION, one_partition, elsewhere=_PRODUCE)
    resources.add(f"{_PARTITION}/offsets", offsets)
    return routes


def partition_number(text: str) -> int:
    """Read a partition from a path. What is no int32 is no path; a negative one only is not there."""
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        raise RouteUnknown
    return int(text)


def _partitions(topic: Topic) -> list[dict[str, Any]]:
    return [_plain(partition) for partition in topic.partitions]


def _plain(partition: Partition) -> dict[str, Any]:
    return {
        "partition": partition.number,
        "leader": -1 if partition.leader is None else partition.leader,
        "replicas": [replica._asdict() for replica in partition.replicas],
    }
