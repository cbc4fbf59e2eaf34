"""Each difference that the docs tell of with a REST Proxy behind the shim, shown: see `test_compatibility`."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_shim.settings import Cluster, Limits, RegistryEndpoint, RestProxyEndpoint
from tests.contract.test_produce_upstream import shim_before_proxy
from tests.parts import Shim, memory_shim
from tests.upstream import Handler, Proxy, echoing

Shown = Callable[[], None]


def show_refused() -> None:
    with shim_before_proxy() as story:
        story.answer_posts(422, {"error_code": 42207, "message": "theirs"})
        answer = story.produce({"id": 1})
        assert (answer.status_code, answer.get_json()["offsets"][0]["error_code"]) == (200, 42207)
        for status in (401, 403):
            story.answer_posts(status, {"error_code": status, "message": "theirs"})
            assert story.produce({"id": 1}).status_code == status


def show_silent() -> None:
    over = threading.Event()

    def play(handler: Handler) -> None:
        handler.receive()
        over.wait(60)

    with shim_before_proxy(Limits(deadline=0.2)) as story:
        story.proxy.play = play
        (offset,) = story.produce({"id": 1}).get_json()["offsets"]
        over.set()
    assert (offset["error_code"], offset["outcome"]) == (50003, "unknown")


SHOWN_BEHIND: Mapping[str, Shown] = {
    "a refused request has its status": show_refused,
    "without Kafka an answer takes": show_silent,
}


@contextmanager
def relaying(rest_proxy: Mapping[str, Any] | None = None, **changes: Any) -> Iterator[tuple[Shim, Proxy]]:
    """Give a shim that hands on to an upstream what it does not answer itself."""
    with echoing() as proxy:
        endpoint = RestProxyEndpoint(url=proxy.url, **(rest_proxy or {}))
        clusters = {"default": Cluster(registry=RegistryEndpoint(url="memory:"), rest_proxy=endpoint)}
        with memory_shim(clusters=clusters, **changes) as shim:
            yield shim, proxy


def show_links() -> None:
    def play(handler: Handler) -> None:
        handler.receive()
        handler.answer(200, {"metadata": {"self": "http://0.0.0.0:8082/v3/clusters/c"}})

    for url, begins in (("", "http://localhost/v3/"), ("https://events.example", "https://events.example/v3/")):
        with relaying(public_url=url) as (shim, proxy):
            proxy.play = play
            assert shim.client.get("/v3/clusters/c").get_json()["metadata"]["self"].startswith(begins)


def show_not_compressed() -> None:
    with relaying() as (shim, proxy):
        shim.client.get("/v3/clusters/c", headers={"Accept-Encoding": "gzip"})
        assert proxy.received[-1].header("Accept-Encoding") is None


def show_ambiguous_paths() -> None:
    with relaying() as (shim, proxy):
        for path in ("/v3/../topics/t", "//topics/t", "/%2574opics/t"):
            answer = shim.client.post("/", environ_overrides={"PATH_INFO": path, "RAW_URI": path})
            assert answer.status_code == 404
        assert proxy.received == []


def show_streams() -> None:
    def play(handler: Handler) -> None:
        handler.receive()  # which is whole before it is answered
        handler.begin_chunks()
        for _ in range(2):
            handler.chunk(b'{"error_code":200}\r\n')
        handler.chunk(b"")

    with relaying(unbound="pass") as (shim, proxy):
        proxy.play = play
        answer = shim.stream("t", json.dumps({"value": {"type": "JSON", "data": 1}}) * 2)
        assert [json.loads(line)["error_code"] for line in answer.data.splitlines()] == [200, 200]


def show_authorization() -> None:
    for forwards, expected in ((False, None), (True, "Basic client")):
        with relaying({"forward_authorization": forwards}) as (shim, proxy):
            shim.client.get("/brokers", headers={"Authorization": "Basic client"})
            assert proxy.received[-1].header("Authorization") == expected


SHOWN_BEFORE: Mapping[str, Shown] = {
    "links begin with": show_links,
    "answers with links are compressed": show_not_compressed,
    "a path with `..`": show_ambiguous_paths,
    "a stream of v3 is answered": show_streams,
    "a client's `Authorization`": show_authorization,
}
