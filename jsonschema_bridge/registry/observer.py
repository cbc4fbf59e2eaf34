import logging
import threading
from typing import Protocol

_LOG = logging.getLogger("jsonschema_bridge.registry")


class RegistryObserver(Protocol):
    """Is told what CachedRegistry does, from many threads at the same time; must not raise or block."""

    def on_request(self, operation: str, outcome: str, seconds: float) -> None:
        """Note one call that reached for the registry; answers from the cache are not told.

        `operation` is the name of a Registry method; `outcome` is ok, not_found, refused, unauthorized or
        unavailable; `seconds` is how long it took.
        """
        ...

    def on_stale(self, operation: str, age_seconds: float) -> None:
        """Note one answer given from an expired entry, `age_seconds` old, because the registry is down."""
        ...

    def on_recovered(self) -> None:
        """Note that the registry answered after it had been down."""
        ...


class LoggingObserver:
    """Writes one line when stale answers begin and one when the registry is back."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._stale = False

    def on_request(self, operation: str, outcome: str, seconds: float) -> None:
        """Write nothing: requests are for metrics."""

    def on_stale(self, operation: str, age_seconds: float) -> None:
        if self._stale:
            return
        with self._lock:
            begins, self._stale = not self._stale, True
        if begins:
            _LOG.warning(
                "registry %s is down: answering from memory, first a %s answer that is %.1f s old",
                self._identity,
                operation,
                age_seconds,
            )

    def on_recovered(self) -> None:
        with self._lock:
            ends, self._stale = self._stale, False
        if ends:
            _LOG.info("registry %s answers again: no more stale answers", self._identity)
