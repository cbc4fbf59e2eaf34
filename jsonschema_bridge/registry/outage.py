import threading
from collections.abc import Callable
from typing import NewType

from jsonschema_bridge.errors import RegistryUnavailable

Turn = NewType("Turn", int)
"""The right to make one attempt; goes stale when the state it was given in has changed."""


class Outage:
    """Whether one registry is up, and when it may be tried again. Safe to call from many threads.

    Up, everyone may try. Down, one attempt at a time is allowed, the first after `first_wait` seconds and
    each next after twice the wait, up to `longest_wait`. Any answer ends the outage.
    """

    def __init__(
        self,
        identity: str,
        clock: Callable[[], float],
        first_wait: float = 1.0,
        longest_wait: float = 30.0,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._lock = threading.Lock()
        self._turn = Turn(0)
        self._down_since: float | None = None
        self._answered_at: float | None = None
        self._reason = ""
        self._wait = first_wait
        self._next_attempt = 0.0
        self._probing = False

    @property
    def down(self) -> bool:
        """Whether the last attempt found nobody."""
        return self._down_since is not None

    def due(self) -> bool:
        """Whether an attempt would be allowed now."""
        return self._down_since is None or (not self._probing and self._clock() >= self._next_attempt)

    def claim(self) -> Turn:
        """Return the right to one attempt, to be given back; RegistryUnavailable when there is none now."""
        with self._lock:
            if not self.due():
                raise self.error()
            self._probing = self._down_since is not None
            return self._turn

    def answered(self) -> bool:
        """Note an answer, whichever it was; returns whether that ended an outage."""
        with self._lock:
            ended = self._down_since is not None
            if ended:
                self._turn = Turn(self._turn + 1)
            self._answered_at, self._down_since = self._clock(), None
            self._wait, self._probing = self._first_wait, False
            return ended

    def failed(self, turn: Turn, reason: str) -> None:
        """Note that the attempt of this turn found nobody; of attempts side by side the first counts."""
        with self._lock:
            if turn != self._turn:
                return
            now = self._clock()
            if self._down_since is None:
                self._down_since = now
            self._turn, self._reason, self._probing = Turn(turn + 1), reason, False
            self._next_attempt = now + self._wait
            self._wait = min(2 * self._wait, self._longest_wait)

    def given_up(self, turn: Turn) -> None:
        """Note that the attempt of this turn ended without telling anything about the registry."""
        with self._lock:
            if turn == self._turn:
                self._probing = False

    def error(self) -> RegistryUnavailable:
        """Return the error for a caller who is not let through: since when, and what the last attempt met."""
        now, since = self._clock(), self._down_since
        down_for = 0.0 if since is None else now - since
        wait = max(0.0, self._next_attempt - now)
        return RegistryUnavailable(
            f"down for {down_for:.1f} s, tried again in {wait:.1f} s; last reason: {self._reason}",
            registry=self._identity,
        )

    def staleness(self) -> float:
        """Return the seconds since the registry last answered (or first did not) while down, 0.0 while up."""
        since = self._down_since
        if since is None:
            return 0.0
        return self._clock() - (since if self._answered_at is None else self._answered_at)
