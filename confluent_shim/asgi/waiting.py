"""Requests on the event loop that wait for Kafka."""

import asyncio
import time
from collections import deque
from functools import partial

from confluent_shim.api.later import Awaited

_TICK_SECONDS = 0.1


class Waiting:
    """Resumes each request when what it awaits tells it, or when its time is over.

    What is told comes from librdkafka's thread, and all of one moment wakes the loop once.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: deque[asyncio.Future[None]] = deque()
        self._wakes = False
        self._ends: dict[asyncio.Future[None], float] = {}

    async def until_told(self, awaited: Awaited) -> None:
        """Return when `awaited` tells, or at its end."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._look_at_the_clock(self._loop)
        future: asyncio.Future[None] = self._loop.create_future()
        self._ends[future] = awaited.end
        awaited.tell(partial(self._tell, future))
        await future

    def _tell(self, future: "asyncio.Future[None]") -> None:
        """Note, on whatever thread, that a request is to be resumed."""
        self._told.append(future)
        if not self._wakes:
            self._wakes = True
            future.get_loop().call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._wakes = False  # before the first look: what is noted from now on wakes the loop again
        while self._told:
            self._resume(self._told.popleft())

    def _resume(self, future: "asyncio.Future[None]") -> None:
        if self._ends.pop(future, None) is not None and not future.done():
            future.set_result(None)

    def _look_at_the_clock(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        # All are looked at: one whose body took its time is over before others that have been waiting for longer.
        for future in [future for future, end in self._ends.items() if end <= now]:
            self._resume(future)
        loop.call_later(_TICK_SECONDS, self._look_at_the_clock, loop)
