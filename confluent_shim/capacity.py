"""What one process takes on at a time."""

import threading
from types import TracebackType
from typing import Self

from confluent_shim.errors import Overloaded, TooManyRequests


class Capacity:
    """Counts the requests in flight that wait, and the bytes of their bodies, and refuses what would be too much.

    A request that waits for Kafka or for an upstream holds a thread. With fewer requests than threads there is always
    one left that answers probes and says no at once.
    """

    def __init__(self, requests: int, size: int) -> None:
        self._most_requests = requests
        self._most_bytes = size
        self._lock = threading.Lock()
        self._requests = 0
        self._bytes = 0

    def request(self) -> "Place":
        """Return a place for one request, to be used with `with`: entering raises TooManyRequests."""
        return Place(self)

    def take(self, requests: int, size: int) -> None:
        """Count requests and bytes in, or out where they are negative. Raises TooManyRequests, Overloaded."""
        with self._lock:
            if requests > 0 and self._requests + requests > self._most_requests:
                raise TooManyRequests(self._most_requests)
            if size > 0 and self._bytes + size > self._most_bytes:
                raise Overloaded(self._most_bytes)
            self._requests += requests
            self._bytes += size


class Place:
    """One request in flight and the bytes that it holds."""

    __slots__ = ("_bytes", "_capacity")

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._bytes = 0

    def __enter__(self) -> Self:
        self._capacity.take(1, 0)
        return self

    def hold(self, size: int) -> None:
        """Count `size` bytes until the request leaves. Raises Overloaded."""
        self._capacity.take(0, size)
        self._bytes += size

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capacity.take(-1, -self._bytes)
