"""What the v3 API tells of Kafka; the recorded answers are in the contract tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from confluent_shim.sinks.memory import MemorySink
from tests.doubles import HeadlessMetadata
from tests.parts import Shim, memory_shim

CLUSTERS = "http://localhost/v3/clusters"
MEMORY = f"{CLUSTERS}/memory"


@pytest.fixture
def shim() -> Iterator[Shim]:
    sink = MemorySink(["clicks"], partitions=1)
    sink.metadata = HeadlessMetadata(sink, "second")
    with memory_shim({"analytics": sink}) as shim:
        for topic in ("orders", "__consumer_offsets"):
            shim.sink.create_topic(topic)
        yield shim


def get(shim: Shim, path: str) -> Any:
    answer = shim.client.get(f"/v3/clusters{path}")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return answer.get_json()


def test_a_cluster_leads_on_to_all_that_is_in_it(shim: Shim) -> None:
    assert get(shim, "/memory") == {
        "kind": "KafkaCluster",
        "metadata": {"self": MEMORY, "resource_name": "crn:///kafka=memory"},
        "cluster_id": "memory",
        "controller": {"related": f"{MEMORY}/brokers/1"},
        "acls": {"related": f"{MEMORY}/acls"},
        "brokers": {"related": f"{MEMORY}/brokers"},
        "broker_configs": {"related": f"{MEMORY}/broker-configs"},
        "consumer_groups": {"related": f"{MEMORY}/consumer-groups"},
        "topics": {"related": f"{MEMORY}/topics"},
        "partition_reassignments": {"related": f"{MEMORY}/topics/-/partitions/-/reassignment"},
    }


def test_all_clusters_are_listed_under_kafkas_own_ids(shim: Shim) -> None:
    found = get(shim, "")
    assert (found["kind"], found["metadata"]) == ("KafkaClusterList", {"self": CLUSTERS, "next": None})
    assert [cluster["cluster_id"] for cluster in found["data"]] == ["memory", "second"]
    assert [cluster["controller"] for cluster in found["data"]] == [{"related": f"{MEMORY}/brokers/1"}, None]


def test_topics_are_listed_without_kafkas_own(shim: Shim) -> None:
    found = get(shim, "/memory/topics")
    assert (found["kind"], found["metadata"]) == ("KafkaTopicList", {"self": f"{MEMORY}/topics", "next": None})
    assert found["data"] == [get(shim, "/memory/topics/orders")]
    assert get(shim, "/memory/topics/__consumer_offsets")["is_internal"] is True


def test_partitions_are_listed_with_their_leaders(shim: Shim) -> None:
    here = f"{MEMORY}/topics/orders/partitions"
    found = get(shim, "/memory/topics/orders/partitions")
    assert (found["kind"], found["metadata"]) == ("KafkaPartitionList", {"self": here, "next": None})
    assert len(found["data"]) == 4
    assert found["data"][3] == get(shim, "/memory/topics/orders/partitions/3")
    assert found["data"][3] == {
        "kind": "KafkaPartition",
        "metadata": {"self": f"{here}/3", "resource_name": "crn:///kafka=memory/topic=orders/partition=3"},
        "cluster_id": "memory",
        "topic_name": "orders",
        "partition_id": 3,
        "leader": {"related": f"{here}/3/replicas/1"},
        "replicas": {"related": f"{here}/3/replicas"},
        "reassignment": {"related": f"{here}/3/reassignment"},
    }


def test_a_partition_that_nobody_leads_has_no_leader(shim: Shim) -> None:
    assert get(shim, "/second/topics/clicks/partitions/0")["leader"] is None


def test_links_begin_where_the_settings_say_the_shim_is() -> None:
    with memory_shim(public_url="https://events.example/kafka/") as shim:
        found = get(shim, "/memory")
    assert found["metadata"]["self"] == "https://events.example/kafka/v3/clusters/memory"


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/nope", 404, "HTTP 404 Not Found"),
        ("/nope/topics", 404, "Cluster nope cannot be found."),
        ("/nope/topics/orders/partitions/0", 404, "Cluster nope cannot be found."),
        ("/memory/topics/absent", 40403, "This server does not host this topic-partition."),
        ("/memory/topics/absent/partitions", 40403, "This server does not host this topic-partition."),
        ("/memory/topics/orders/partitions/4", 404, "HTTP 404 Not Found"),
        ("/memory/topics/orders/partitions/one", 404, "HTTP 404 Not Found"),
    ],
)
def test_what_is_not_there_is_told_apart(shim: Shim, path: str, code: int, message: str) -> None:
    answer = shim.client.get(f"/v3/clusters{path}")
    assert (answer.status_code, answer.content_type) == (404, "application/json")
    assert answer.get_json() == {"error_code": code, "message": message}


def test_a_request_may_have_any_content_type_that_is_one(shim: Shim) -> None:
    assert shim.client.get("/v3/clusters", headers={"Content-Type": "text/plain"}).status_code == 200
    assert shim.client.get("/v3/clusters", headers={"Content-Type": "foo"}).status_code == 400


def test_kafka_that_does_not_answer_is_told_as_confluent_does(shim: Shim) -> None:
    for sink in shim.services.sinks.values():
        sink.metadata.close()
    for path in ("", "/memory", "/memory/topics", "/memory/topics/orders"):
        answer = shim.client.get(f"/v3/clusters{path}")
        assert (answer.status_code, answer.get_json()["error_code"]) == (500, 50003)
