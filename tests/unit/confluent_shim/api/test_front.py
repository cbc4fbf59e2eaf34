"""What a request meets that no produce route took."""

from typing import Any

import pytest

from tests.parts import V2, memory_shim

CONSUMERS = ["/consumers/g", "/consumers/g/instances/i/records", "/consumers/g/instances/i/", "/consumers;x=1/g"]


@pytest.mark.parametrize("path", CONSUMERS)
@pytest.mark.parametrize(
    ("method", "status"), [("GET", 404), ("POST", 405), ("DELETE", 405), ("PUT", 405), ("OPTIONS", 405)]
)
def test_consumers_are_refused_as_an_endpoint_that_is_blocked_and_told_where_to_go(
    path: str, method: str, status: int
) -> None:
    with memory_shim() as shim:
        answer = shim.client.open(path, method=method)
    body: dict[str, Any] = answer.get_json()
    assert (answer.status_code, body["error_code"], answer.content_type) == (status, status, V2)
    assert "Kafka client" in body["message"]


def test_a_head_for_a_consumer_is_its_get_without_the_body() -> None:
    with memory_shim() as shim:
        answer = shim.client.head("/consumers/g")
    assert (answer.status_code, answer.data) == (404, b"")


def test_a_topic_may_be_called_consumers() -> None:
    with memory_shim() as shim:
        shim.bind("consumers")
        assert shim.send("consumers", {"id": 1}).status_code == 200
        assert shim.client.get("/topics/consumers").status_code == 200
