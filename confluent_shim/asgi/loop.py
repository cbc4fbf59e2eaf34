"""The event loop of one of granian's workers: uvloop's, which tells when the process is to end."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import uvloop
from granian import loops

NAME = "confluent-shim"
"""What granian knows the loop by."""

ending = threading.Event()
"""Set when the worker is told to end. Each worker's own, for nothing sets it before the fork."""


class Loop(uvloop.Loop):
    """Sets `ending` before the server hears of a signal for which it has a handler: of those that end a worker."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        def told() -> None:
            ending.set()
            callback(*args)

        super().add_signal_handler(sig, told)


@loops.register(NAME)
def open_loop() -> Loop:
    """Make the loop of this process."""
    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop
