"""What the v2 API tells of Kafka; the recorded answers are in the contract tests."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from confluent_shim.settings import Limits
from confluent_shim.sinks.memory import MemoryMetadata, MemorySink
from confluent_shim.sinks.metadata import ClusterMetadata
from tests.doubles import HeadlessMetadata
from tests.parts import JSON, V2, Shim, memory_shim


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim({"analytics": MemorySink(["clicks"], partitions=2, cluster_id="second")}) as shim:
        shim.sink.create_topic("orders")
        yield shim


def test_topics_are_listed_by_name_without_kafkas_own(shim: Shim) -> None:
    for name in ("b", "a", "__consumer_offsets"):
        shim.sink.create_topic(name)
    assert shim.client.get("/topics").get_json() == ["a", "b", "orders"]
    assert shim.client.get("/topics/__consumer_offsets").status_code == 200


def test_what_is_about_a_topic_comes_from_the_cluster_of_its_binding(shim: Shim) -> None:
    assert shim.client.get("/topics/clicks").status_code == 404
    shim.bind("clicks", cluster="analytics")
    assert len(shim.client.get("/topics/clicks/partitions").get_json()) == 2
    assert shim.client.get("/topics").get_json() == ["orders"]


def test_offsets_tell_what_a_partition_holds(shim: Shim) -> None:
    shim.bind("orders")
    shim.send("orders/partitions/3", {"id": 1}, {"id": 2})
    assert shim.client.get("/topics/orders/partitions/3/offsets").get_json() == {"beginning_offset": 0, "end_offset": 2}


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/topics/absent", 40403, "This server does not host this topic-partition."),
        ("/topics/absent/partitions/0", 40403, "This server does not host this topic-partition."),
        ("/topics/absent/partitions/0/offsets", 40403, "This server does not host this topic-partition."),
        ("/topics/orders/partitions/4", 40402, "Partition not found."),
        ("/topics/orders/partitions/-1", 40402, "Partition not found."),
        ("/topics/orders/partitions/4/offsets", 40402, "Partition not found."),
        ("/topics/orders/partitions/one", 404, "HTTP 404 Not Found"),
        ("/topics/orders/partitions/2147483648", 404, "HTTP 404 Not Found"),
    ],
)
def test_what_is_not_there_is_told_apart(shim: Shim, path: str, code: int, message: str) -> None:
    answer = shim.client.get(path)
    assert answer.status_code == 404
    assert answer.get_json() == {"error_code": code, "message": message}
    assert answer.content_type == V2


@pytest.mark.parametrize("path", ["/topics/", "/topics;x=1", "/topics/orders/", "/topics/orders;x=1/partitions;y"])
def test_a_trailing_slash_and_matrix_parameters_change_nothing(shim: Shim, path: str) -> None:
    assert shim.client.get(path).status_code == 200


def test_a_request_with_another_content_type_is_refused_even_without_a_body(shim: Shim) -> None:
    answer = shim.client.get("/topics", headers={"Content-Type": JSON, "Accept": f"text/html, {V2}"})
    assert (answer.status_code, answer.content_type) == (415, V2)
    assert shim.client.get("/topics", headers={"Content-Type": V2}).status_code == 200
    malformed = shim.client.get("/topics", headers={"Content-Type": "foo"})
    assert (malformed.status_code, malformed.data, "Content-Type" in malformed.headers) == (400, b"", False)


def test_an_answer_that_the_client_does_not_take_is_not_given(shim: Shim) -> None:
    answer = shim.client.get("/topics", headers={"Accept": "application/json"})
    assert answer.get_json(force=True) == {"error_code": 406, "message": "HTTP 406 Not Acceptable"}
    assert (answer.status_code, "Content-Type" in answer.headers) == (406, False)


def test_a_head_is_the_get_without_its_body(shim: Shim) -> None:
    answer = shim.client.head("/topics/orders")
    assert (answer.status_code, answer.content_type, answer.data) == (200, V2, b"")


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        (None, "text/plain", b"HEAD, GET, OPTIONS"),
        ("*/*", "text/plain", b"HEAD, GET, OPTIONS"),
        (f"{V2};q=0.9, application/json", V2, b""),
    ],
)
def test_options_tell_the_methods(shim: Shim, accept: str | None, content_type: str, body: bytes) -> None:
    answer = shim.client.options("/topics", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Allow"]) == (200, "HEAD,GET,OPTIONS")
    assert (answer.headers["Content-Type"], answer.data) == (content_type, body)


def test_posting_to_the_root_does_nothing_and_says_so(shim: Shim) -> None:
    assert shim.client.post("/", headers={"Content-Type": V2}).get_json() == {}


def test_kafka_that_does_not_answer_is_told_as_confluent_does(shim: Shim) -> None:
    shim.sink.metadata.close()
    paths = ["/topics", "/brokers", "/topics/orders", "/topics/orders/partitions/0/offsets"]
    for answer in map(shim.client.get, paths):
        body: dict[str, Any] = answer.get_json()
        assert (answer.status_code, body["error_code"], answer.content_type) == (500, 50003, V2)
    assert shim.client.get("/").status_code == 200


def test_while_nobody_leads_a_topic_is_told_with_what_is_known() -> None:
    """There is no controller that could be asked for its configuration."""
    sink = MemorySink(["clicks"], partitions=1)
    sink.metadata = HeadlessMetadata(sink, "second")
    with memory_shim({"analytics": sink}) as shim:
        shim.bind("clicks", cluster="analytics")
        assert shim.client.get("/topics/clicks").get_json() == {
            "name": "clicks",
            "configs": {},
            "partitions": [
                {"partition": 0, "leader": -1, "replicas": [{"broker": 1, "leader": False, "in_sync": True}]}
            ],
        }


def test_a_worker_takes_on_no_more_questions_than_it_has_places_for() -> None:
    """Each may wait for Kafka, and probes must be answered all the while."""
    waiting, over = threading.Event(), threading.Event()
    sink = MemorySink()
    sink.metadata = SlowMetadata(sink, waiting, over)
    with memory_shim({"default": sink}, limits=Limits(requests=1)) as shim, ThreadPoolExecutor(1) as pool:
        first = pool.submit(shim.client.application.test_client().get, "/brokers")
        assert waiting.wait(10)
        refused = shim.client.get("/topics")
        over.set()
        assert first.result().status_code == 200
        assert (refused.status_code, refused.get_json()["error_code"]) == (429, 42990)
        assert shim.client.get("/topics").status_code == 200


class SlowMetadata(MemoryMetadata):
    """Answers when the test says so."""

    def __init__(self, sink: MemorySink, waiting: threading.Event, over: threading.Event) -> None:
        super().__init__(sink, "slow")
        self._waiting = waiting
        self._over = over

    def read(self) -> ClusterMetadata:
        self._waiting.set()
        assert self._over.wait(10)
        return super().read()
