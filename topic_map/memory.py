"""The topic map in this process's memory: for tests and the embedded default."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from topic_map.errors import StaleRevision, StoreUnavailable
from topic_map.store import HistoryEntry, history_entries
from topic_map.table import Change, Table, apply_changes


class MemoryStore:
    """A `topic_map.Store` that ends with its process.

    ``registries`` names each cluster's registry (see `topic_map.apply_changes`); ``clock`` gives Unix
    seconds.
    """

    def __init__(self, registries: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._registries = dict(registries)
        self._clock = clock
        self._writing = threading.Lock()
        self._history: list[HistoryEntry] = []
        self._table = Table()
        self._closed = False

    def table(self) -> Table:
        self.ping()
        return self._table

    def change(self, changes: Sequence[Change], *, expected_revision: int | None = None, who: str, why: str) -> int:
        self.ping()
        with self._writing:
            before = self._table
            if expected_revision is not None and expected_revision != before.revision:
                raise StaleRevision(expected_revision, before.revision)
            after = apply_changes(before, changes, self._registries)
            self._history += history_entries(before, after, changes, who=who, why=why, at=self._clock())
            self._table = after
            return after.revision

    def history(self, topic: str | None = None, limit: int = 100) -> list[HistoryEntry]:
        self.ping()
        newest_first = reversed(self._history.copy())
        entries = [entry for entry in newest_first if topic is None or entry.topic == topic]
        return entries[: max(limit, 0)]

    def ping(self) -> None:
        if self._closed:
            raise StoreUnavailable("it is closed")

    def close(self) -> None:
        self._closed = True
