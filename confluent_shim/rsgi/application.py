"""An RSGI application over a WSGI application."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_shim.api.facts import facts_of
from confluent_shim.api.record_stream import BLOCK
from confluent_shim.api.targets import PRODUCE_V2, PRODUCE_V3
from confluent_shim.rsgi.body import ArrivingBody
from confluent_shim.rsgi.environ import environ_of
from confluent_shim.rsgi.waiting import Waiting
from confluent_shim.settings import Settings
from jsonschema_bridge.waiting import WouldWait, never_wait_here

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

Headers = list[tuple[str, str]]


class Application:
    """Serves short produce requests on the event loop, and on threads whatever may wait.

    Those that turn out to wait take turns on the threads, as many as `limits.requests`: when something has left the
    cache, all that are on their way turn out so, and none of them is one too many.
    """

    def __init__(self, inner: "WSGIApplication", settings: Settings) -> None:
        self._inner = inner
        self._pool = ThreadPoolExecutor(settings.server.threads, thread_name_prefix="request")
        self._turns = asyncio.Semaphore(settings.threads_at_a_time())
        self._room = settings.limits.requests
        self._sink_waits = settings.sink == "rest-proxy"

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        never_wait_here()
        self._loop = loop
        self._waiting = Waiting(loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        del loop
        self._pool.shutdown(wait=False)

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        environ = environ_of(scope)
        if self._sink_waits or not _is_short(environ):
            arriving = ArrivingBody(aiter(protocol), self._loop)
            environ["wsgi.input"] = BufferedReader(arriving, BLOCK)
            try:
                await self._on_a_thread(environ, protocol)
            finally:
                arriving.end()
            return
        sent = await _whole_body(protocol)
        environ["wsgi.input"] = BytesIO(sent)
        head = Head()
        try:
            answer = self._inner(environ, head)  # type: ignore[arg-type]
        except WouldWait:
            environ["wsgi.input"] = BytesIO(sent)
            await self._in_turn(environ, protocol)
            return
        del sent
        environ["wsgi.input"].close()  # what waits for Kafka is in memory once
        body = await self._body(environ, answer)  # with which its head may come
        protocol.response_bytes(head.status, head.headers, body)

    async def _body(self, environ: "WSGIEnvironment", answer: Iterable[bytes]) -> bytes:
        """Return the body of an answer when it is known."""
        awaited = facts_of(environ).awaits
        if awaited is None:
            return _joined(answer)
        if not awaited.ready():
            await self._waiting.until_told(awaited)
            if not awaited.ready() and time.monotonic() < awaited.end:  # something is to be sent again
                return await self._loop.run_in_executor(self._pool, _joined, answer)
        return _joined(answer)

    async def _in_turn(self, environ: "WSGIEnvironment", protocol: "HTTPProtocol") -> None:
        if self._room <= 0:
            await self._on_a_thread(environ, protocol)  # where it may be refused
            return
        self._room -= 1
        try:
            async with self._turns:
                await self._on_a_thread(environ, protocol)
        finally:
            self._room += 1

    async def _on_a_thread(self, environ: "WSGIEnvironment", protocol: "HTTPProtocol") -> None:
        sending = Sending(protocol, self._loop)
        whole = await self._loop.run_in_executor(self._pool, self._serve, environ, sending)
        if whole is not None:
            protocol.response_bytes(*whole)

    def _serve(self, environ: "WSGIEnvironment", sending: "Sending") -> "Whole | None":
        """Return an answer that is known at once, or send it as it is made."""
        head = Head()
        answer = self._inner(environ, head)  # type: ignore[arg-type]
        if isinstance(answer, list) or facts_of(environ).awaits is not None:
            body = _joined(answer)
            return Whole(head.status, head.headers, body)
        try:
            for block in answer:
                sending.send(head, block)
        finally:
            _close(answer)
        return None if sending.has_begun else Whole(head.status, head.headers, b"")


class Whole(NamedTuple):
    """An answer."""

    status: int
    headers: Headers
    body: bytes


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


class Sending:
    """Sends an answer from a thread, block by block, each when the one before is out."""

    def __init__(self, protocol: "HTTPProtocol", loop: asyncio.AbstractEventLoop) -> None:
        self._protocol = protocol
        self._loop = loop
        self._transport: Any = None

    @property
    def has_begun(self) -> bool:
        """Whether the head is out."""
        return self._transport is not None

    def send(self, head: Head, block: bytes) -> None:
        """Send a block, and the head before the first one. Raises what the server says of a client that is gone."""
        asyncio.run_coroutine_threadsafe(self._send(head, block), self._loop).result()

    async def _send(self, head: Head, block: bytes) -> None:
        if self._transport is None:
            self._transport = self._protocol.response_stream(head.status, head.headers)
        if block:
            await self._transport.send_bytes(block)


def _is_short(environ: "WSGIEnvironment") -> bool:
    """Tell whether a request is served on the event loop: a produce request whose body is small, and is on its way."""
    length, path = environ.get("CONTENT_LENGTH", ""), environ["PATH_INFO"]
    return (
        length.isdecimal()
        and int(length[:18]) <= BLOCK
        and environ["REQUEST_METHOD"] == "POST"
        and "HTTP_EXPECT" not in environ
        and (PRODUCE_V2.fullmatch(path) or PRODUCE_V3.fullmatch(path)) is not None
    )


async def _whole_body(protocol: "HTTPProtocol") -> bytes:
    try:
        return await protocol()
    except Exception:  # noqa: BLE001 - the application finds that it is not whole
        return b""


def _joined(answer: Iterable[bytes]) -> bytes:
    try:
        return b"".join(answer)
    finally:
        _close(answer)


def _close(answer: Iterable[bytes]) -> None:
    if (close := getattr(answer, "close", None)) is not None:
        close()
