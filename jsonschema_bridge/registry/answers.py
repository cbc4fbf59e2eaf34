import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from jsonschema_bridge.errors import RegistryError, RegistryUnauthorized, RegistryUnavailable
from jsonschema_bridge.registry.observer import RegistryObserver
from jsonschema_bridge.registry.outage import Outage
from jsonschema_bridge.waiting import may_wait

K = TypeVar("K")
V = TypeVar("V")

FOR_EVER = float("inf")

Background = Callable[[Callable[[], None]], object]
"""Starts a function without waiting for it."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[V]):
    """An answer, when it was given, and until when it is taken without asking (on the cache's clock)."""

    value: V
    answered_at: float
    fresh_until: float


@dataclass(frozen=True, slots=True)
class Shared:
    """What all kinds of answers of one registry have in common; `capacity` is entries of each kind."""

    capacity: int
    clock: Callable[[], float]
    outage: Outage
    observer: RegistryObserver
    background: Background


class Answers(Generic[K, V]):
    """The answers to one kind of question, kept for `ttl` seconds within a bound; each asked once at a time.

    A fresh entry costs a dictionary lookup and no lock. Beyond `capacity` entries the one that was answered
    longest ago goes first: recency of use is not kept, because that would cost every hit a lock.
    """

    def __init__(self, operation: str, ttl: float, shared: Shared) -> None:
        self._operation = operation
        self._ttl = ttl
        self._capacity = shared.capacity
        self._clock = shared.clock
        self._outage = shared.outage
        self._observer = shared.observer
        self._background = shared.background
        self._entries: dict[K, Entry[V]] = {}
        self._flights: dict[K, Future[V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, ask: Callable[[], V]) -> V:
        """Return the answer for `key`, from memory while it is fresh, else by `ask`.

        Of callers at the same time one asks; the others get the expired entry at once, or wait for the same
        answer or error if there is none. While the registry is down nobody with an expired entry waits, and
        one without fails at once unless it is their turn to try. Raises what `ask` raises, and WouldWait where
        nobody may ask or wait.
        """
        entry = self._entries.get(key)
        if entry is not None:
            if self._clock() < entry.fresh_until:
                return entry.value
            if self._outage.down:
                self._probe(key, entry, ask)
                return self._stale(entry)
            if key in self._flights:
                return entry.value
        may_wait()
        flight, leads = self._join(key, entry)
        if leads:
            return self._lead(key, flight, entry, ask)
        if entry is not None and not flight.done():
            return entry.value
        if self._outage.down and not flight.done():
            raise self._outage.error()
        return flight.result()

    def renew(self, key: K, ask: Callable[[], V]) -> V:
        """Ask now, whatever is remembered; that stays as it is when nobody answers. Raises what `ask` raises."""
        may_wait()
        flight: Future[V] = Future()
        with self._lock:
            self._flights[key] = flight  # in the place of one that may be older than the question
        return self._fly(key, flight, ask)

    def expire(self, matches: Callable[[K], bool]) -> None:
        """Have the matching keys asked for again; until that is answered, what is remembered is given as expired."""
        with self._lock:
            for key in [key for key in self._entries if matches(key)]:
                self._entries[key] = replace(self._entries[key], fresh_until=-FOR_EVER)
            for key in [key for key in self._flights if matches(key)]:
                del self._flights[key]

    def forget(self, matches: Callable[[K], bool]) -> None:
        """Drop what is remembered for the matching keys, and what is on its way for them."""
        with self._lock:
            for key in [key for key in self._entries if matches(key)]:
                del self._entries[key]
            for key in [key for key in self._flights if matches(key)]:
                del self._flights[key]

    def _join(self, key: K, seen: Entry[V] | None) -> tuple[Future[V], bool]:
        """Return the flight for a key and whether the caller has to fly it."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry is not seen:
                landed: Future[V] = Future()
                landed.set_result(entry.value)
                return landed, False
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Future()
            return flight, True

    def _lead(self, key: K, flight: Future[V], entry: Entry[V] | None, ask: Callable[[], V]) -> V:
        try:
            return self._fly(key, flight, ask)
        except RegistryUnavailable:
            if entry is None:
                raise
            return self._stale(entry)

    def _probe(self, key: K, entry: Entry[V], ask: Callable[[], V]) -> None:
        """Try the registry again if it is time, while the caller goes on with the stale entry."""
        if not self._outage.due():
            return
        flight, leads = self._join(key, entry)
        if leads:
            try:
                self._background(lambda: self._fly_unseen(key, flight, ask))
            except RuntimeError:  # no thread can be started now: the next caller tries again
                self._land(key, flight, None, forget=False)

    def _fly_unseen(self, key: K, flight: Future[V], ask: Callable[[], V]) -> None:
        with suppress(RegistryError):
            self._fly(key, flight, ask)

    def _fly(self, key: K, flight: Future[V], ask: Callable[[], V]) -> V:
        try:
            value = ask()
        except BaseException as error:
            gone = isinstance(error, RegistryError) and not isinstance(
                error, RegistryUnavailable | RegistryUnauthorized
            )
            self._land(key, flight, None, forget=gone)
            flight.set_exception(error)
            raise
        now = self._clock()
        self._land(key, flight, Entry(value, now, now + self._ttl))
        flight.set_result(value)
        return value

    def _land(self, key: K, flight: Future[V], entry: Entry[V] | None, *, forget: bool = True) -> None:
        with self._lock:
            if self._flights.get(key) is not flight:
                return  # forgotten on the way: the answer may be older than what made it wrong
            del self._flights[key]
            if entry is not None or forget:
                self._entries.pop(key, None)
            if entry is not None:
                while len(self._entries) >= self._capacity:
                    del self._entries[next(iter(self._entries))]
                self._entries[key] = entry

    def _stale(self, entry: Entry[V]) -> V:
        self._observer.on_stale(self._operation, self._clock() - entry.answered_at)
        return entry.value
