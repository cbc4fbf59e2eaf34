"""The body of a request that arrives on the event loop and is read on a thread."""

import asyncio
import io
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_shim.asgi import Message, Receive

if TYPE_CHECKING:
    from typing_extensions import Buffer

MOST_AHEAD = 262_144
"""Bytes that have arrived and nobody has read, beyond which no more are taken from the server."""


async def whole_body(receive: Receive) -> bytes:
    """Return a body, or nothing of one that breaks off."""
    message = await receive()
    blocks = [message.get("body", b"")]
    while message.get("more_body", False):
        message = await receive()
        blocks.append(message.get("body", b""))
    return b"".join(blocks) if message["type"] == "http.request" else b""


class ArrivingBody(io.RawIOBase):
    """Gives what is there, and waits only while there is nothing. Nothing is asked for before the first reading.

    A body that breaks off raises OSError, and so does reading on when the request is over. `whole` is the body where it
    is there. `end` is called on the event loop, everything else on one thread at a time.
    """

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop, whole: bytes | None = None) -> None:
        self._receive = receive
        self._loop = loop
        self._fetching: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._over = asyncio.Event()
        self._most_dropped = 0
        self._changed = threading.Condition()
        self._arrived = deque([memoryview(whole)] if whole else [])
        self._size = len(whole or b"")
        self._asked = False
        self._is_whole = whole is not None
        self.is_gone = False
        """Whether the client has gone away, as far as anybody asked."""
        self._failure: OSError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        room = memoryview(buffer)
        with self._changed:
            if not self._asked and not self._is_whole:
                self.ask()
            self._changed.wait_for(lambda: self._arrived or self._is_whole or self._failure)
            if not self._arrived and self._failure is not None:
                raise self._failure
            before, taken = self._size, 0
            while self._arrived and taken < len(room):
                block = self._arrived.popleft()
                part = block[: len(room) - taken]
                room[taken : taken + len(part)] = part
                taken += len(part)
                if len(part) < len(block):
                    self._arrived.appendleft(block[len(part) :])
            self._size -= taken
        if before > MOST_AHEAD >= self._size:
            self._loop.call_soon_threadsafe(self._room.set)
        return taken

    def ask(self) -> None:
        """Begin to fetch the body, if that has not begun, and then to look whether its client is there."""
        if not self._asked:
            self._asked = True
            self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if self._failure is None:
            self._fetching = self._loop.create_task(self._fetch())

    async def _fetch(self) -> None:
        more = not self._is_whole
        message: Message = {"type": "http.request"}
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                break
            if (block := message.get("body", b"")) and not self._has_room_after(block):
                await self._room.wait()
            more = message.get("more_body", False)
        with self._changed:
            self._is_whole = not more
            self._failure = self._failure or (OSError("the body broke off") if more else None)
            self._changed.notify_all()
        self._over.set()
        while message["type"] == "http.request":
            message = await self._receive()
        self.is_gone = True

    def _has_room_after(self, block: bytes) -> bool:
        self._room.clear()
        if self._most_dropped:
            self._most_dropped -= len(block)
            return self._most_dropped > 0
        with self._changed:
            self._arrived.append(memoryview(block))
            self._size += len(block)
            self._changed.notify_all()
            return self._size <= MOST_AHEAD

    async def drop_the_rest(self, most: int, seconds: float) -> None:
        """Take what is still being sent, and forget it: `most` bytes at most, and for `seconds` at most."""
        self._most_dropped = most
        self._room.set()
        self.ask()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def end(self) -> None:
        """Let go of whoever waits for more: the request is over."""
        with self._changed:
            self._failure = self._failure or OSError("the request is over")
            self._changed.notify_all()
        if self._fetching is not None:
            self._fetching.cancel()
