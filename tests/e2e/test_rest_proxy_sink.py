"""A shim on a real server whose sink is a REST Proxy: what only several workers and real connections can tell."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from confluent_shim.sinks.memory import MemorySink
from tests.e2e.server import Server, configuration, serving
from tests.rest_proxy import rest_proxy
from tests.stack import Stack
from tests.upstream import Handler, Proxy

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Story(NamedTuple):
    """A shim with two workers, and the proxy behind it with what landed there."""

    server: Server
    proxy: Proxy
    behind: MemorySink


@pytest.fixture
def story(stack: Stack, tmp_path: Path) -> Iterator[Story]:
    config: Path = configuration(tmp_path, "not-there:9092", stack.registry_url, extra='sink = "rest-proxy"')
    with rest_proxy() as (proxy, behind):
        environment = {**os.environ, "SHIM_CLUSTERS__DEFAULT__REST_PROXY__URL": proxy.url}
        with serving(config, workers=2, environment=environment) as server:
            behind.create_topic("proxied")
            server.bind("proxied", schema=SCHEMA)
            yield Story(server, proxy, behind)


def test_each_of_many_requests_at_a_time_lands_once_over_few_connections(story: Story) -> None:
    def send(number: int) -> list[tuple[int, int]]:
        answer = story.server.produce("proxied", {"records": [{"value": {"n": number}}, {"value": {"n": -number}}]})
        assert answer.status_code == 200, answer.text
        return [(each["partition"], each["offset"]) for each in answer.json()["offsets"]]

    with ThreadPoolExecutor(8) as pool:
        places = [place for places in pool.map(send, range(1, 101)) for place in places]
    landed = {(partition, offset): record.value for partition, offset, record in story.behind.read("proxied")}
    assert len(set(places)) == len(landed) == 200
    for number, (first, second) in enumerate(zip(places[::2], places[1::2], strict=True), 1):
        assert (landed[first] or b"")[5:] == b'{"n": %d}' % number
        assert (landed[second] or b"")[5:] == b'{"n": -%d}' % number
    assert story.proxy.connections <= 40  # two workers, eight clients, and what was asked before


def test_a_request_that_the_proxy_has_when_the_shim_is_told_to_end_is_answered(story: Story) -> None:
    def ending(handler: Handler) -> None:
        handler.receive()
        story.server.process.terminate()
        handler.answer(200, {"offsets": [{"partition": 0, "offset": 7}]})

    story.proxy.play = ending
    assert story.server.produce("proxied", {"records": [{"value": {"n": 1}}]}).json()["offsets"][0]["offset"] == 7
    assert story.server.process.wait(20) == 0
