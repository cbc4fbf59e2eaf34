"""A REST Proxy for tests: a second shim, over a memory sink and with all topics unbound, behind a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.test import Client

from confluent_shim.sinks.memory import MemorySink
from tests.parts import Shim, memory_shim
from tests.upstream import Handler, Proxy, echoing

_FRAMING = ("content-length", "transfer-encoding")


@contextmanager
def rest_proxy(**parts: Any) -> Iterator[tuple[Proxy, MemorySink]]:
    """Serve a REST Proxy, and what its records land in, until the block ends; `parts` are those of `memory_shim`."""
    with memory_shim(unbound="pass", producers_may_register=True, **parts) as shim, serving(shim) as proxy:
        yield proxy, shim.sink


@contextmanager
def serving(shim: Shim) -> Iterator[Proxy]:
    """Serve `shim` behind a real socket until the block ends."""
    with echoing() as proxy:
        asked = Client(shim.client.application)

        def play(handler: Handler) -> None:
            received = handler.receive()
            headers = [each for each in received.headers if each[0].lower() not in _FRAMING]
            answer = asked.open(
                received.target, method=received.method, data=received.body, headers=headers, buffered=True
            )
            handler.send_response(answer.status_code)
            for name, value in answer.headers:
                if name.lower() not in _FRAMING:
                    handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.data)))
            handler.end_headers()
            if received.method != "HEAD":
                handler.wfile.write(answer.data)

        proxy.play = play
        yield proxy
