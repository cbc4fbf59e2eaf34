"""A producer that knows nothing but one address finds its way, and learns soon when Kafka is away."""

import time
import uuid
from pathlib import Path
from typing import Any

import requests

from confluent_shim.sinks.kafka_metadata import SECONDS
from tests.e2e.server import Server, configuration, serving
from tests.stack import Stack

NOBODY = "127.0.0.1:1"
"""A Kafka that is not there."""


def follow(link: str) -> Any:
    answer = requests.get(link, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_links_lead_from_the_clusters_to_a_partition(server: Server, stack: Stack) -> None:
    topic = f"links-{uuid.uuid4().hex}"
    stack.create_topic(topic, partitions=4)
    (cluster,) = follow(f"{server.url}/v3/clusters")["data"]
    topics = follow(cluster["topics"]["related"])["data"]
    (found,) = (each for each in topics if each["topic_name"] == topic)
    assert follow(found["metadata"]["self"]) == found
    partitions = follow(found["partitions"]["related"])["data"]
    assert [partition["partition_id"] for partition in partitions] == [0, 1, 2, 3]
    assert follow(partitions[3]["metadata"]["self"]) == partitions[3]


def test_the_offsets_of_a_partition_move_with_what_is_produced(server: Server, stack: Stack) -> None:
    topic = f"offsets-{uuid.uuid4().hex}"
    stack.create_topic(topic, partitions=4)
    server.bind(topic, schema={"type": "object"})
    server.produce(f"{topic}/partitions/2", {"records": [{"value": {}}, {"value": {}}]})
    assert server.get(f"/topics/{topic}/partitions/2/offsets") == {"beginning_offset": 0, "end_offset": 2}
    assert requests.get(f"{server.url}/topics/{topic}/partitions/9/offsets", timeout=10).status_code == 404


def test_without_kafka_a_question_is_answered_in_seconds(stack: Stack, tmp_path: Path) -> None:
    with serving(configuration(tmp_path, NOBODY, stack.registry_url)) as server:
        for path in ("/topics", "/v3/clusters"):
            began = time.monotonic()
            answer = requests.get(server.url + path, timeout=30)
            assert time.monotonic() - began < SECONDS + 3.0
            assert (answer.status_code, answer.json()["error_code"]) == (500, 50003)
        assert server.get("/") == {}
