import sqlite3
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from topic_map import StoreUnavailable
from topic_map.sqlite_connections import ThreadViews, connect, write_ahead


class BusyOnce(sqlite3.Connection):
    """Answers the first switch to WAL as SQLite does while another process switches."""

    asked = 0

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        self.asked += 1
        if self.asked == 1:
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise busy
        return super().execute(sql, *parameters)


def test_the_switch_to_wal_waits_for_others(tmp_path: Path) -> None:
    """Workers that start together on a new file all get to WAL."""
    connection = sqlite3.connect(tmp_path / "topics.db", factory=BusyOnce)
    write_ahead(connection)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_each_thread_has_its_own_connection(tmp_path: Path) -> None:
    """One thread always gets the same view, another thread another one."""
    views = ThreadViews(tmp_path / "topics.db", connect)
    mine = views.current()
    others = []
    thread = Thread(target=lambda: others.append(views.current()))
    thread.start()
    thread.join()
    assert views.current() is mine
    assert others[0] is not mine
    views.close()


def test_after_close_no_connection_is_opened(tmp_path: Path) -> None:
    """A thread that comes late is told that the store is closed."""
    views = ThreadViews(tmp_path / "topics.db", connect)
    views.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        views.current()
