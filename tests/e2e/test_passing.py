"""Produce requests that are handed on, through real servers: what only the wire can tell."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.server import Kind, Server, configuration, serving
from tests.stack import Stack
from tests.upstream import Proxy, echoing

JSON = "application/vnd.kafka.json.v2+json"
STREAM = "/v3/clusters/c/topics/{}/records"
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


class Story(NamedTuple):
    """A shim whose sink is an upstream that echoes; it tells of one topic."""

    server: Server
    proxy: Proxy

    def post(self, target: str, body: Any, content_type: str, *, chunked: bool = False) -> tuple[int, str | None, str]:
        """Send a request, and return the status, the verdict and the text of the answer."""
        client = HTTPConnection(self.server.url.removeprefix("http://"), timeout=30)
        try:
            client.request("POST", target, body, {"Content-Type": content_type}, encode_chunked=chunked)
            answer = client.getresponse()
            return answer.status, answer.headers["Shim-Verdict"], answer.read().decode()
        finally:
            client.close()


@pytest.fixture(scope="module", params=["granian", "gunicorn"])
def story(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    kind: Kind = request.param
    folder: Path = tmp_path_factory.mktemp("passing")
    config = configuration(folder, stack.kafka_bootstrap, stack.registry_url, extra='unbound = "pass"\n')
    # A connection that is kept would keep its thread here beyond the test.
    with echoing(keeps_connections=False) as proxy:
        environment = {**os.environ, "SHIM_CLUSTERS__DEFAULT__REST_PROXY__URL": proxy.url}
        with serving(config, environment=environment, kind=kind) as server:
            server.bind("watched-passing", schema=SCHEMA, create_topic=True, mode="observe")
            proxy.received.clear()
            yield Story(server, proxy)


def test_a_request_goes_byte_for_byte_however_it_is_framed(story: Story) -> None:
    body = b'{"records":[{"value":"' + b"x" * 3_000_000 + b'"}]}'
    for sent in (body, iter([body[:1_000_000], body[1_000_000:]])):
        status, verdict, _ = story.post("/topics/free", sent, JSON, chunked=not isinstance(sent, bytes))
        assert (status, verdict) == (200, None)
        assert (story.proxy.received[-1].target, story.proxy.received[-1].body) == ("/topics/free", body)


def test_records_that_are_watched_go_byte_for_byte_with_their_verdict(story: Story) -> None:
    body = b'{"records": [ {"value":{"id":1}},{"value":{"id":"x"}} ]}'
    for sent in (body, iter([body[:30], body[30:]])):
        status, verdict, _ = story.post("/topics/watched-passing", sent, JSON, chunked=not isinstance(sent, bytes))
        assert (status, verdict) == (200, "reject; records=1")
        assert story.proxy.received[-1].body == body


@pytest.mark.parametrize("topic", ["free", "watched-passing"])
def test_a_stream_in_chunks_goes_byte_for_byte(story: Story, topic: str) -> None:
    records = [json.dumps({"value": {"type": "JSON", "data": {"id": n}}}).encode() for n in range(3000)]
    status, _, text = story.post(STREAM.format(topic), iter(records), "application/json", chunked=True)
    assert status == 200
    assert story.proxy.received[-1].body == b"".join(records)
    assert ('"shim_verdict":"admit"' in text) == (topic == "watched-passing")


@pytest.mark.parametrize("target", ["/topics//free", "/topics/%2566ree", "/topics/free%5C"])
def test_a_path_that_could_be_two_goes_nowhere(story: Story, target: str) -> None:
    before = len(story.proxy.received)
    assert story.post(target, b'{"records":[{"value":1}]}', JSON)[0] == 404
    assert len(story.proxy.received) == before
