"""An ASGI application over a WSGI application."""

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

from confluent_shim.api.body import declared_length
from confluent_shim.api.facts import facts_of
from confluent_shim.api.lingering import is_waited_for
from confluent_shim.api.record_stream import BLOCK
from confluent_shim.api.targets import PRODUCE_V2, PRODUCE_V3
from confluent_shim.asgi import Receive, Scope, Send
from confluent_shim.asgi.answer import ClientGone, Head, Sending, close, joined, send_whole
from confluent_shim.asgi.body import ArrivingBody, whole_body
from confluent_shim.asgi.environ import environ_of
from confluent_shim.asgi.waiting import Waiting
from confluent_shim.settings import Settings
from jsonschema_bridge.waiting import WouldWait, never_wait_here

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


_SECONDS_TAKEN_IN = 1.0
"""How long a refused client may go on sending before it is answered; granian closes the connection then."""


class Application:
    """Serves short produce requests on the event loop, and on the threads of `pool` whatever may wait.

    Made in the thread that is going to run the loop. Those that turn out to wait take turns on the threads, as many as
    `limits.requests`: when something has left the cache, all that are on their way turn out so, and none of them is one
    too many.
    """

    def __init__(self, inner: "WSGIApplication", settings: Settings, pool: ThreadPoolExecutor) -> None:
        never_wait_here()
        self._inner = inner
        self._pool = pool
        self._turns = asyncio.Semaphore(settings.threads_at_a_time())
        self._room = settings.limits.requests
        self._sink_waits = settings.sink == "rest-proxy"
        self._patience = settings.limits.stream_idle
        self._most_taken_in = settings.most_taken_in()
        self._waiting = Waiting()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = environ_of(scope)
        if self._sink_waits or not _is_short(environ):
            await self._on_a_thread(environ, ArrivingBody(receive, asyncio.get_running_loop()), send)
            return
        sent = await whole_body(receive)
        environ["wsgi.input"] = BytesIO(sent)
        head = Head()
        try:
            answer = self._inner(environ, head)  # type: ignore[arg-type]
        except WouldWait:
            await self._in_turn(environ, ArrivingBody(receive, asyncio.get_running_loop(), sent), send)
            return
        del sent
        environ["wsgi.input"].close()  # what waits for Kafka is in memory once
        body = await self._body(environ, answer)
        await send_whole(send, head, body)

    async def _body(self, environ: "WSGIEnvironment", answer: Iterable[bytes]) -> bytes:
        """Return the body of an answer when it is known, and its head with it."""
        awaited = facts_of(environ).awaits
        if awaited is None:
            return joined(answer)
        if not awaited.ready():
            await self._waiting.until_told(awaited)
            if not awaited.ready() and time.monotonic() < awaited.end:  # something is to be sent again
                async with self._turns:
                    return await asyncio.get_running_loop().run_in_executor(self._pool, joined, answer)
        return joined(answer)

    async def _in_turn(self, environ: "WSGIEnvironment", sent: ArrivingBody, send: Send) -> None:
        if self._room <= 0:
            await self._on_a_thread(environ, sent, send)  # where it may be refused
            return
        self._room -= 1
        try:
            async with self._turns:
                await self._on_a_thread(environ, sent, send)
        finally:
            self._room += 1

    async def _on_a_thread(self, environ: "WSGIEnvironment", sent: ArrivingBody, send: Send) -> None:
        environ["wsgi.input"] = BufferedReader(sent, BLOCK)
        loop, head = asyncio.get_running_loop(), Head()
        sending = Sending(send, sent, loop, self._patience)
        try:
            body = await loop.run_in_executor(self._pool, self._serve, environ, head, sending)
            if not sending.has_begun:
                if is_waited_for(environ, self._most_taken_in):
                    await sent.drop_the_rest(self._most_taken_in, _SECONDS_TAKEN_IN)
                await send_whole(send, head, body)
        finally:
            sent.end()

    def _serve(self, environ: "WSGIEnvironment", head: Head, sending: Sending) -> bytes:
        """Return an answer that is known at once, or send it as it is made."""
        answer = self._inner(environ, head)  # type: ignore[arg-type]
        if isinstance(answer, list) or facts_of(environ).awaits is not None:
            return joined(answer)
        sending.look_out()
        try:
            with suppress(ClientGone):
                for block in answer:
                    sending.block(head, block)
                if sending.has_begun:
                    sending.end(head)
        finally:
            close(answer)
        return b""


def _is_short(environ: "WSGIEnvironment") -> bool:
    """Tell whether a request is served on the event loop: a produce request whose body is small, and is on its way."""
    length, path = declared_length(environ), environ["PATH_INFO"]
    return (
        length is not None
        and length <= BLOCK
        and environ["REQUEST_METHOD"] == "POST"
        and "HTTP_EXPECT" not in environ
        and (PRODUCE_V2.fullmatch(path) or PRODUCE_V3.fullmatch(path)) is not None
    )
