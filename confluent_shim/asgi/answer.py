"""The answer of the WSGI application on its way to the server."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import TimeoutError as NotInTime

from confluent_shim.asgi import Message, Send
from confluent_shim.asgi.body import ArrivingBody

Headers = list[tuple[str, str]]

_MOST_NAMES = 100
_names: dict[str, bytes] = {}


class ClientGone(Exception):
    """Nobody reads the answer any more."""


class Head:
    """What a WSGI application calls to begin its answer."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = 500
        self.headers: Headers = []

    def __call__(self, status: str, headers: Headers, exc_info: object = None) -> None:
        del exc_info
        self.status = int(status[:3])
        self.headers = headers


async def send_whole(send: Send, head: Head, body: bytes) -> None:
    """Send an answer that is known."""
    await send(_begin(head))
    await send({"type": "http.response.body", "body": body})


def _begin(head: Head) -> Message:
    headers = [(_names.get(name) or _encoded(name), value.encode("latin-1")) for name, value in head.headers]
    return {"type": "http.response.start", "status": head.status, "headers": headers}


def _encoded(name: str) -> bytes:
    encoded = name.lower().encode("latin-1")
    if len(_names) < _MOST_NAMES:  # a REST Proxy behind may send any
        _names[name] = encoded
    return encoded


class Sending:
    """Sends an answer from a thread, block by block, each when there is room for it behind the one before.

    `body` is the request's, and tells whether its client is gone. One that lets nothing through for `seconds` is taken
    for gone.
    """

    def __init__(self, send: Send, body: ArrivingBody, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._send = send
        self._body = body
        self._loop = loop
        self._seconds = seconds
        self.has_begun = False
        """Whether the head is out."""

    def look_out(self) -> None:
        """Find out when the client goes away, and take what it still sends."""
        self._body.ask()

    def block(self, head: Head, block: bytes) -> None:
        """Send a block, and the head before the first one. Raises ClientGone."""
        self._wait_for(head, block, more=True)

    def end(self, head: Head) -> None:
        """Say that this was all. Raises ClientGone."""
        self._wait_for(head, b"", more=False)

    def _wait_for(self, head: Head, block: bytes, *, more: bool) -> None:
        if self._body.is_gone:
            raise ClientGone
        sent = asyncio.run_coroutine_threadsafe(self._sent(head, block, more=more), self._loop)
        try:
            sent.result(self._seconds)
        except NotInTime:
            sent.cancel()
            raise ClientGone from None

    async def _sent(self, head: Head, block: bytes, *, more: bool) -> None:
        if not self.has_begun:
            self.has_begun = True
            await self._send(_begin(head))
        try:
            await self._send({"type": "http.response.body", "body": block, "more_body": more})
        except Exception as error:  # what a server raises is its own affair
            raise ClientGone from error


def joined(answer: Iterable[bytes]) -> bytes:
    """Return the whole body of an answer, and close it."""
    try:
        return b"".join(answer)
    finally:
        close(answer)


def close(answer: Iterable[bytes]) -> None:
    """Close an answer that can be closed."""
    if (closing := getattr(answer, "close", None)) is not None:
        closing()
