"""The topic map in a SQLite file: for every process of one host."""

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from topic_map.errors import StaleRevision, StoreUnavailable
from topic_map.sqlite_connections import Connect, ThreadView, ThreadViews, connect, transaction, write_ahead
from topic_map.sqlite_format import MIGRATIONS, Migration, format_of, migrate
from topic_map.sqlite_rows import read_history, read_revision, read_table, settle_claims, write_changes
from topic_map.store import HistoryEntry, history_entries
from topic_map.table import Change, Table, apply_changes

_FRESH_SECONDS = 0.005
"""How long a look at the file is good for, and how long it is believed after that while another thread looks again.

A look gives up the interpreter's lock several times, and each time a busy process has to win it back.
"""

_UNSEEN = (-math.inf, Table())

_FAILURES = (sqlite3.Error, OSError, msgspec.DecodeError)


def open_sqlite_store(
    path: str | Path,
    registries: Mapping[str, str],
    clock: Callable[[], float] = time.time,
    *,
    migrations: Sequence[Migration] = MIGRATIONS,
    connect: Connect = connect,
) -> "SqliteStore":
    """Open the file, make it where it is missing, and bring it to the current format.

    The file lies on a local disk, because WAL shares memory between processes. No connection stays open, so a
    server may open the store before it forks. Raises `StoreUnavailable`, `StoreTooNew`, or `SubjectTaken` when
    the rows break the rule under these registries.
    """
    path = Path(path)
    with _failures_wrapped(path), closing(connect(path)) as connection:
        format_of(connection, migrations)  # refuses a foreign file before anything in it changes
        write_ahead(connection)
        with transaction(connection, "IMMEDIATE"):
            migrate(connection, migrations)
            settle_claims(connection, read_table(connection, registries))
    return SqliteStore(path, registries, clock, connect=connect)


class SqliteStore:
    """A `topic_map.Store` in a SQLite file that `open_sqlite_store` has prepared.

    A change that was answered is in the next `table` of every thread of every process of the host.
    ``registries`` names each cluster's registry (see `topic_map.apply_changes`); ``clock`` gives Unix seconds;
    ``connect`` opens one connection.
    """

    def __init__(
        self,
        path: str | Path,
        registries: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        *,
        connect: Connect = connect,
    ) -> None:
        self._path = Path(path)
        self._registries = dict(registries)
        self._clock = clock
        self._views = ThreadViews(self._path, connect)
        self._seen = _UNSEEN
        self._looking = threading.Lock()

    def table(self) -> Table:
        fresh_until, table = self._seen
        late = time.monotonic() - fresh_until
        if late < 0 or not self._looking.acquire(blocking=late > _FRESH_SECONDS):
            return table
        try:
            now = time.monotonic()
            fresh_until, table = self._seen  # of the thread that was waited for
            if now >= fresh_until:
                table = self._looked_up()
                self._seen = now + _FRESH_SECONDS, table
            return table
        finally:
            self._looking.release()

    def _looked_up(self) -> Table:
        try:
            view = self._views.current()
            data_version = view.connection.execute("PRAGMA data_version").fetchone()[0]
            if data_version != view.data_version:
                with transaction(view.connection, "DEFERRED"):
                    view.table = self._read(view)
                view.data_version = data_version
        except _FAILURES as error:
            raise _unavailable(self._path, error) from error
        return view.table

    def change(self, changes: Sequence[Change], *, expected_revision: int | None = None, who: str, why: str) -> int:
        with _failures_wrapped(self._path):
            view = self._views.current()
            view.data_version = None  # it does not move for what is committed here
            with transaction(view.connection, "IMMEDIATE"):
                before = self._read(view)
                if expected_revision is not None and expected_revision != before.revision:
                    raise StaleRevision(expected_revision, before.revision)
                after = apply_changes(before, changes, self._registries)
                if after is not before:
                    entries = [*history_entries(before, after, changes, who=who, why=why, at=self._clock())]
                    write_changes(view.connection, after.revision, entries, self._registries)
            view.table = view.process.table = after
            self._seen = _UNSEEN
            # Whoever looked just before the commit may believe what they saw for so long; then the change is in force.
            time.sleep(2 * _FRESH_SECONDS)
        return after.revision

    def history(self, topic: str | None = None, limit: int = 100) -> list[HistoryEntry]:
        with _failures_wrapped(self._path):
            return read_history(self._views.current().connection, topic, limit)

    def ping(self) -> None:
        with _failures_wrapped(self._path):
            self._path.stat()  # an open connection goes on happily after its file was deleted
            read_revision(self._views.current().connection)

    def close(self) -> None:
        with _failures_wrapped(self._path):
            self._views.close()

    def _read(self, view: ThreadView) -> Table:
        """Return the table that the view's transaction sees, parsed once for all threads of the process."""
        revision = read_revision(view.connection)
        if view.table.revision == revision:
            return view.table
        with view.process.parsing:
            if view.process.table.revision != revision:
                view.process.table = read_table(view.connection, self._registries)
            return view.process.table


@contextmanager
def _failures_wrapped(path: Path) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"{path}: {error}")
