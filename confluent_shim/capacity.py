"""What one process takes on at a time."""

import threading
from types import TracebackType
from typing import Self

from confluent_shim.errors import Overloaded, TooManyRequests, TooManyStreams
from jsonschema_bridge.waiting import waits_here


class Capacity:
    """Counts the requests and streams in flight that wait, and the bytes that they hold, and refuses what is too much.

    A request that waits for Kafka or for an upstream holds a thread, unless it is served where nobody waits, and so
    does a stream for as long as it is open. With fewer of both than threads there is always one left that answers
    probes and says no at once.
    """

    def __init__(self, requests: int, size: int, streams: int = 0, threads: int | None = None) -> None:
        self._most_requests = requests
        self._most_threads = requests if threads is None else threads
        self._most_streams = streams
        self._most_bytes = size
        self._lock = threading.Lock()
        self._requests = 0
        self._threads = 0
        self._streams = 0
        self._bytes = 0

    def request(self) -> "Place":
        """Return a place for one request, to be used with `with`: entering raises TooManyRequests."""
        return Place(self, requests=1, threads=int(waits_here()))

    def stream(self) -> "Place":
        """Return a place for one stream, to be used in the same way: entering raises TooManyStreams."""
        return Place(self, streams=1)

    def take(self, requests: int, threads: int, streams: int, size: int) -> None:
        """Count in, or out where it is negative. Raises TooManyRequests, TooManyStreams, Overloaded."""
        with self._lock:
            if requests > 0 and self._requests + requests > self._most_requests:
                raise TooManyRequests(self._most_requests)
            if threads > 0 and self._threads + threads > self._most_threads:
                raise TooManyRequests(self._most_threads)
            if streams > 0 and self._streams + streams > self._most_streams:
                raise TooManyStreams(self._most_streams)
            if size > 0 and self._bytes + size > self._most_bytes:
                raise Overloaded(self._most_bytes)
            self._requests += requests
            self._threads += threads
            self._streams += streams
            self._bytes += size


class Place:
    """One request or stream in flight and the bytes that it holds."""

    __slots__ = ("_bytes", "_capacity", "_requests", "_streams", "_threads")

    def __init__(self, capacity: Capacity, *, requests: int = 0, threads: int = 0, streams: int = 0) -> None:
        self._capacity = capacity
        self._requests = requests
        self._threads = threads
        self._streams = streams
        self._bytes = 0

    def __enter__(self) -> Self:
        self._capacity.take(self._requests, self._threads, self._streams, 0)
        return self

    def hold(self, size: int) -> None:
        """Count `size` bytes until it leaves. Raises Overloaded."""
        self._capacity.take(0, 0, 0, size)
        self._bytes += size

    def kept(self) -> "Place":
        """Return a place that holds all that this one does, which then holds nothing: it stays behind a `with`."""
        kept = Place(self._capacity, requests=self._requests, threads=self._threads, streams=self._streams)
        kept._bytes = self._bytes
        self._requests = self._threads = self._streams = self._bytes = 0
        return kept

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Let go of everything, where no `with` does; again is fine."""
        if self._requests or self._streams or self._bytes:
            self._capacity.take(-self._requests, -self._threads, -self._streams, -self._bytes)
            self._requests = self._threads = self._streams = self._bytes = 0
