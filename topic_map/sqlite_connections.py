"""SQLite connections: one per thread of each process."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from topic_map.errors import StoreUnavailable
from topic_map.table import Table

Connect = Callable[[Path], sqlite3.Connection]

_BUSY_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


def connect(path: Path) -> sqlite3.Connection:
    """Open the file: explicit transactions, on disk before a commit is answered, up to 5 s for a lock."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL for good, so that readers and the writer do not wait for each other.

    SQLite's own busy timeout does not cover this switch, and workers that start together all ask for it.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


@contextmanager
def transaction(connection: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
    """Commit what the block does, or nothing of it when it raises."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Process:
    """What the threads of one process share: their open connections and the table that was parsed last."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.connections: dict[int, sqlite3.Connection] = {}
        self.parsing = threading.Lock()
        self.table = Table()

    def release(self, connection: sqlite3.Connection) -> None:
        """Close the connection of a thread that has ended."""
        if os.getpid() == self.pid and self.connections.pop(id(connection), None) is not None:
            connection.close()


class ThreadView:
    """One thread's connection, and the table as that connection last saw it.

    ``data_version`` is SQLite's counter at that moment; None forces the next look. It moves when another
    connection commits, and never for this connection's own commits.
    """

    def __init__(self, process: Process, connection: sqlite3.Connection) -> None:
        self.process = process
        self.connection = connection
        self.data_version: int | None = None
        self.table = Table()


class ThreadViews:
    """Gives each thread its own view: opened at first use, closed when the thread ends, or by `close`.

    A connection that was opened before a fork is neither used nor closed in the child: SQLite forbids both.
    """

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path = path
        self._connect = connect
        self._local = threading.local()
        self._processes: dict[int, Process] = {}
        self._closed = False

    def current(self) -> ThreadView:
        """Return the calling thread's view."""
        view: ThreadView | None = getattr(self._local, "view", None)
        if view is None or view.process.pid != os.getpid():
            view = self._local.view = self._opened()
        return view

    def close(self) -> None:
        """Close every connection of this process, whichever thread it belongs to."""
        self._closed = True
        process = self._processes.get(os.getpid())
        while process and process.connections:
            process.connections.popitem()[1].close()

    def _opened(self) -> ThreadView:
        if self._closed:
            raise StoreUnavailable("it is closed")
        pid = os.getpid()
        process = self._processes.setdefault(pid, Process(pid))
        connection = self._connect(self._path)
        process.connections[id(connection)] = connection
        view = ThreadView(process, connection)
        weakref.finalize(view, process.release, connection).atexit = False
        return view
