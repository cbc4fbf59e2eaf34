"""Waiting for what comes about by itself: for a condition, never for a time."""

import time
from collections.abc import Callable


def eventually(sought: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until `sought` is true, which it must be within `seconds`."""
    end = time.monotonic() + seconds
    while not sought():
        assert time.monotonic() < end
        time.sleep(0.05)
