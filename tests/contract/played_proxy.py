"""A sink before a REST Proxy that answers as a test says."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_shim.records import AdmittedRecord, Delivery, Extras
from confluent_shim.settings import RestProxyEndpoint
from confluent_shim.sinks.rest_proxy import RestProxySink
from confluent_shim.sinks.upstream import Upstream
from tests.upstream import Handler, Proxy, echoing

Play = Callable[[Handler], None]
RECORD = AdmittedRecord(b"k", b"\0\0\0\0\1{}")
TIMED = AdmittedRecord(b"k", b"v", None, Extras((("h", b"1"),), 1_612_552_482_123))


def sink_at(url: str, on_refusal: Callable[[int], None] = lambda _: None, **settings: Any) -> RestProxySink:
    """Make a sink on the proxy at `url`; `settings` are those of its endpoint."""
    endpoint = RestProxyEndpoint(url=url, **settings)
    return RestProxySink(Upstream(endpoint), on_refusal, forward_authorization=endpoint.forward_authorization)


class Story:
    """A sink before a stand-in that answers as a test says, and what it counted."""

    def __init__(self, proxy: Proxy, **settings: Any) -> None:
        self.proxy = proxy
        self.refusals: list[int] = []
        self.sink = sink_at(proxy.url, self.refusals.append, **settings)

    def posts(self) -> int:
        """Return how many requests came that would produce."""
        return sum(received.method == "POST" for received in self.proxy.received)


@contextmanager
def playing(play: Play, **settings: Any) -> Iterator[Story]:
    with echoing() as proxy:
        proxy.play = play
        story = Story(proxy, **settings)
        try:
            yield story
        finally:
            story.sink.close()


def answering(status: int, document: object) -> Play:
    """Answer each POST so; whatever else is asked, tell of a cluster."""

    def play(handler: Handler) -> None:
        reading = handler.receive().method == "GET"
        handler.answer(200 if reading else status, {"data": [{"cluster_id": "c/1"}]} if reading else document)

    return play


def told(deliveries: list[Delivery]) -> list[tuple[int | None, str, bool]]:
    return [(int(each.error_code or 0), each.outcome, each.retryable) for each in deliveries]


def place(**changes: object) -> Mapping[str, object]:
    return {"partition": 1, "offset": 7, "error_code": None, "error": None, **changes}


def failure(code: int) -> Mapping[str, object]:
    return place(partition=None, offset=None, error_code=code, error=f"why {code}")
