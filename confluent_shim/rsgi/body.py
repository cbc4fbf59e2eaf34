"""The body of a request that arrives on the event loop and is read on a thread."""

import asyncio
import io
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

MOST_AHEAD = 262_144
"""Bytes that have arrived and nobody has read, beyond which no more are taken from the server."""


class ArrivingBody(io.RawIOBase):
    """Gives what is there, and waits only while there is nothing. Nothing is asked for before the first reading.

    A body that breaks off raises OSError, and so does reading on when the request is over. `end` is called on the event
    loop, everything else on one thread at a time.
    """

    def __init__(self, blocks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._blocks = blocks
        self._loop = loop
        self._fetching: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._changed = threading.Condition()
        self._arrived: deque[memoryview] = deque()
        self._size = 0
        self._asked = False
        self._is_whole = False
        self._failure: OSError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        room = memoryview(buffer)
        with self._changed:
            if not self._asked:
                self._asked = True
                self._loop.call_soon_threadsafe(self._begin)
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

    def _begin(self) -> None:
        if self._failure is None:
            self._fetching = self._loop.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            while True:
                block = await anext(self._blocks)
                if block and not self._has_room_after(block):
                    await self._room.wait()
        except StopAsyncIteration:
            self._is_whole = True
        except Exception as error:  # noqa: BLE001 - what a server raises for a broken chunk or connection is its own affair
            self._failure = OSError(f"the body broke off: {error}")
        with self._changed:
            self._changed.notify_all()

    def _has_room_after(self, block: bytes) -> bool:
        with self._changed:
            self._arrived.append(memoryview(block))
            self._size += len(block)
            self._changed.notify_all()
            self._room.clear()
            return self._size <= MOST_AHEAD

    def end(self) -> None:
        """Let go of whoever waits for more: the request is over."""
        with self._changed:
            self._failure = self._failure or OSError("the request is over")
            self._changed.notify_all()
        if self._fetching is not None:
            self._fetching.cancel()
