"""`/v3/clusters`, their topics and partitions: what the v3 API tells of Kafka to a producer.

Source: rest-proxy contract, section 2.7; transcripts X178 to X188. Lists come whole: `next` is always null.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request

from confluent_shim.api.clusters import Clusters, hosted, partition_of
from confluent_shim.api.links import Links
from confluent_shim.api.metadata_v2 import partition_number
from confluent_shim.api.resources import V3, Resources
from confluent_shim.capacity import Capacity
from confluent_shim.errors import ClusterNotFound, PartitionNotFound, RouteUnknown
from confluent_shim.services import Services
from confluent_shim.sinks.metadata import ClusterMetadata, Partition, Topic

Resource = dict[str, Any]

_CLUSTERS = "/v3/clusters"
_CLUSTER = f"{_CLUSTERS}/<cluster_id>"
_TOPIC = f"{_CLUSTER}/topics/<topic>"


def blueprint(services: Services, capacity: Capacity) -> Blueprint:
    """Return the v3 routes that read."""
    routes = Blueprint("metadata_v3", __name__)
    resources = Resources(routes, V3, capacity)
    told = _Told(Clusters(services), Links(services.settings))
    resources.add(_CLUSTERS, told.clusters)
    resources.add(_CLUSTER, told.cluster)
    resources.add(f"{_CLUSTER}/topics", told.topics)
    resources.add(_TOPIC, told.topic)
    for produce in ("records", "records:batch"):
        resources.add(f"{_TOPIC}/{produce}", dict, methods=(), elsewhere=("POST",))
    resources.add(f"{_TOPIC}/partitions", told.partitions)
    resources.add(f"{_TOPIC}/partitions/<partition>", told.partition)
    return routes


class _Told:
    """What each path answers."""

    def __init__(self, clusters: Clusters, links: Links) -> None:
        self._clusters = clusters
        self._links = links

    def clusters(self) -> Resource:
        found = [_cluster(cluster, self._url(cluster.cluster_id)) for cluster in self._clusters.every()]
        return _list("KafkaClusterList", self._url(), found)

    def cluster(self, cluster_id: str) -> Resource:
        try:
            return _cluster(self._clusters.by_id(cluster_id), self._url(cluster_id))
        except ClusterNotFound as error:
            raise RouteUnknown from error  # of the cluster itself Confluent says no more than this

    def topics(self, cluster_id: str) -> Resource:
        cluster, here = self._clusters.by_id(cluster_id), self._url(cluster_id, "topics")
        found = [_topic(cluster, topic, f"{here}/{topic.name}") for topic in cluster.public_topics()]
        return _list("KafkaTopicList", here, found)

    def topic(self, cluster_id: str, topic: str) -> Resource:
        cluster = self._clusters.by_id(cluster_id)
        return _topic(cluster, hosted(cluster, topic), self._url(cluster_id, "topics", topic))

    def partitions(self, cluster_id: str, topic: str) -> Resource:
        cluster, here = self._clusters.by_id(cluster_id), self._url(cluster_id, "topics", topic, "partitions")
        found = [
            _partition(cluster, topic, partition, f"{here}/{partition.number}")
            for partition in hosted(cluster, topic).partitions
        ]
        return _list("KafkaPartitionList", here, found)

    def partition(self, cluster_id: str, topic: str, partition: str) -> Resource:
        number, cluster = partition_number(partition), self._clusters.by_id(cluster_id)
        here = self._url(cluster_id, "topics", topic, "partitions", number)
        try:
            return _partition(cluster, topic, partition_of(hosted(cluster, topic), number), here)
        except PartitionNotFound as error:
            raise RouteUnknown from error  # nor of a partition

    def _url(self, *segments: object) -> str:
        return "/".join([self._links.base(request.environ) + _CLUSTERS, *map(str, segments)])


def _list(kind: str, here: str, data: Sequence[Resource]) -> Resource:
    return {"kind": kind, "metadata": {"self": here, "next": None}, "data": data}


def _resource(kind: str, here: str, name: str) -> Resource:
    return {"kind": kind, "metadata": {"self": here, "resource_name": f"crn:///kafka={name}"}}


def _cluster(cluster: ClusterMetadata, here: str) -> Resource:
    controller = None if cluster.controller is None else {"related": f"{here}/brokers/{cluster.controller}"}
    return {
        **_resource("KafkaCluster", here, cluster.cluster_id),
        "cluster_id": cluster.cluster_id,
        "controller": controller,
        "acls": {"related": f"{here}/acls"},
        "brokers": {"related": f"{here}/brokers"},
        "broker_configs": {"related": f"{here}/broker-configs"},
        "consumer_groups": {"related": f"{here}/consumer-groups"},
        "topics": {"related": f"{here}/topics"},
        "partition_reassignments": {"related": f"{here}/topics/-/partitions/-/reassignment"},
    }


def _topic(cluster: ClusterMetadata, topic: Topic, here: str) -> Resource:
    return {
        **_resource("KafkaTopic", here, f"{cluster.cluster_id}/topic={topic.name}"),
        "cluster_id": cluster.cluster_id,
        "topic_name": topic.name,
        "is_internal": topic.is_internal,
        "replication_factor": len(topic.partitions[0].replicas),
        "partitions_count": len(topic.partitions),
        "partitions": {"related": f"{here}/partitions"},
        "configs": {"related": f"{here}/configs"},
        "partition_reassignments": {"related": f"{here}/partitions/-/reassignment"},
        "authorized_operations": [],
    }


def _partition(cluster: ClusterMetadata, topic: str, partition: Partition, here: str) -> Resource:
    leader = None if partition.leader is None else {"related": f"{here}/replicas/{partition.leader}"}
    return {
        **_resource("KafkaPartition", here, f"{cluster.cluster_id}/topic={topic}/partition={partition.number}"),
        "cluster_id": cluster.cluster_id,
        "topic_name": topic,
        "partition_id": partition.number,
        "leader": leader,
        "replicas": {"related": f"{here}/replicas"},
        "reassignment": {"related": f"{here}/reassignment"},
    }
