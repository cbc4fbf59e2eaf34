import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.contract.store_contract import AUTHOR, NOW, REGISTRIES, StoreContract, orders
from topic_map import (
    Bind,
    Binding,
    SqliteStore,
    Store,
    StoreTooNew,
    StoreUnavailable,
    SubjectTaken,
    Unbind,
    open_sqlite_store,
)
from topic_map.sqlite_connections import connect
from topic_map.sqlite_format import MIGRATIONS

SPAWN = multiprocessing.get_context("spawn")
TAKEN = 3
FORMAT_1 = """
CREATE TABLE meta (format INTEGER NOT NULL, revision INTEGER NOT NULL);
INSERT INTO meta VALUES (1, 4);
CREATE TABLE bindings (topic TEXT PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO bindings VALUES ('orders', '{"topic":"orders","subject":"orders-value","revision":4}', 4);
CREATE TABLE claims (registry TEXT NOT NULL, context TEXT NOT NULL, name TEXT NOT NULL, topic TEXT NOT NULL,
    role TEXT NOT NULL, PRIMARY KEY (registry, context, name)) WITHOUT ROWID;
INSERT INTO claims VALUES ('http://moved', '.', 'orders-value', 'orders', 'wire');
CREATE INDEX claims_by_topic ON claims (topic);
CREATE TABLE history (entry INTEGER PRIMARY KEY, revision INTEGER NOT NULL, topic TEXT NOT NULL, before TEXT,
    after TEXT, who TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX history_by_topic ON history (topic, entry);
"""


class DyingConnection(sqlite3.Connection):
    """Ends its process, as kill -9 does, when everything is written and nothing committed."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(sql, *parameters)


class BrokenConnection(sqlite3.Connection):
    """A driver whose disk is gone."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        raise sqlite3.OperationalError("disk I/O error", sql, parameters)


def bind_and_die(path: Path) -> None:
    def dying(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, factory=DyingConnection)

    SqliteStore(path, REGISTRIES, connect=dying).change([Unbind("orders"), Bind(Binding(topic="parcels"))], **AUTHOR)


def open_and_bind(path: Path, topic: str, barrier: Barrier) -> None:
    barrier.wait(60)
    store = open_sqlite_store(path, REGISTRIES)
    try:
        store.change([Bind(Binding(topic=topic, subject="wanted"))], **AUTHOR)
    except SubjectTaken:
        sys.exit(TAKEN)
    finally:
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "topics.db"


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, path: Path) -> Iterator[Store]:
        store = open_sqlite_store(path, REGISTRIES, clock=lambda: NOW)
        yield store
        store.close()

    def test_of_concurrent_processes_one_wins(self, path: Path) -> None:
        """Processes that open a new file and want one subject at the same moment: one has it."""
        barrier = SPAWN.Barrier(4)
        processes = [SPAWN.Process(target=open_and_bind, args=(path, f"topic-{n}", barrier)) for n in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert sorted(process.exitcode or 0 for process in processes) == [0, TAKEN, TAKEN, TAKEN]

    def test_a_crash_before_the_commit_leaves_the_old_state(self, path: Path, store: Store) -> None:
        """A process killed between its statements and its commit has changed nothing, and blocks nobody."""
        store.change([Bind(orders())], **AUTHOR)
        process = SPAWN.Process(target=bind_and_die, args=(path,))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        with_fresh_eyes = open_sqlite_store(path, REGISTRIES)
        assert with_fresh_eyes.table() == store.table()
        assert (list(store.table().bindings), len(store.history())) == (["orders"], 1)
        assert with_fresh_eyes.change([Unbind("orders")], **AUTHOR) == 2
        with_fresh_eyes.close()

    def test_a_change_by_another_process_is_in_force_at_once(self, path: Path, store: Store) -> None:
        """What another process was answered is in this one's next table."""
        assert store.table().revision == 0
        barrier = SPAWN.Barrier(1)
        process = SPAWN.Process(target=open_and_bind, args=(path, "orders", barrier))
        process.start()
        process.join()
        assert store.table().bindings["orders"].subject == "wanted"

    def test_own_and_foreign_changes_interleave(self, path: Path, store: Store) -> None:
        """A table is current whoever changed it last, through this connection or another."""
        other = open_sqlite_store(path, REGISTRIES)
        for revision, writer in enumerate([store, other, other, store, store, other], start=1):
            assert writer.change([Bind(Binding(topic=f"t{revision}"))], **AUTHOR) == revision
            assert store.table() == other.table()
            assert len(store.table().bindings) == revision
        assert store.table() is store.table()
        other.close()

    def test_a_forked_child_opens_its_own_connections(self, store: Store) -> None:
        """A child forked from a process that uses the store can use it too."""
        store.change([Bind(orders())], **AUTHOR)
        child = os.fork()
        if child == 0:  # pragma: no cover - the child leaves no coverage data
            os._exit(store.change([Unbind("orders")], **AUTHOR))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
        assert store.table().get("orders") is None

    def test_threads_that_ended_leave_no_connection(self, path: Path) -> None:
        """A thread's connection is closed with the thread."""
        opened: list[sqlite3.Connection] = []

        def remembering(path: Path) -> sqlite3.Connection:
            opened.append(connect(path))
            return opened[-1]

        store = SqliteStore(path, REGISTRIES, connect=remembering)
        open_sqlite_store(path, REGISTRIES)
        thread = Thread(target=store.table)
        thread.start()
        thread.join()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            opened[0].execute("SELECT 1")
        store.close()

    @pytest.mark.parametrize(
        "call",
        [
            lambda store: store.table(),
            lambda store: store.change([Bind(orders())], **AUTHOR),
            lambda store: store.history(),
            lambda store: store.ping(),
        ],
        ids=["table", "change", "history", "ping"],
    )
    def test_a_driver_failure_is_wrapped(self, path: Path, call: Callable[[Store], object]) -> None:
        """Every method turns the driver's error into StoreUnavailable and keeps it as the cause."""
        path.touch()
        store = SqliteStore(path, REGISTRIES, connect=lambda path: sqlite3.connect(path, factory=BrokenConnection))
        with pytest.raises(StoreUnavailable, match="disk I/O error") as failed:
            call(store)
        assert isinstance(failed.value.__cause__, sqlite3.OperationalError)
        store.close()

    def test_a_deleted_file_is_noticed(self, path: Path, store: Store) -> None:
        """Ping fails once the file is gone, though open connections still read it."""
        store.ping()
        path.unlink()
        with pytest.raises(StoreUnavailable):
            store.ping()


def test_a_newer_format_is_refused(path: Path) -> None:
    """A file that a later release wrote is refused, untouched, with both formats named."""
    later = (*MIGRATIONS, ("ALTER TABLE bindings ADD COLUMN note TEXT",))
    open_sqlite_store(path, REGISTRIES, migrations=later)
    with pytest.raises(StoreTooNew) as refused:
        open_sqlite_store(path, REGISTRIES)
    assert (refused.value.found, refused.value.known) == (2, 1)


def test_an_older_file_migrates_forward(path: Path) -> None:
    """A file of format 1 keeps its rows through a later migration, and its claims follow a moved registry."""
    connection = sqlite3.connect(path)
    connection.executescript(FORMAT_1)
    later = (*MIGRATIONS, ("ALTER TABLE bindings ADD COLUMN note TEXT",))
    store = open_sqlite_store(path, REGISTRIES, migrations=later)
    assert store.table().get("orders") == orders(subject="orders-value", revision=4)
    assert connection.execute("SELECT format FROM meta").fetchone() == (2,)
    assert connection.execute("SELECT registry FROM claims").fetchone() == ("http://one",)
    connection.close()
    store.close()


def test_a_failed_migration_leaves_the_old_format(path: Path) -> None:
    """A migration is whole or not at all."""
    open_sqlite_store(path, REGISTRIES).close()
    broken = (*MIGRATIONS, ("ALTER TABLE bindings ADD COLUMN note TEXT", "NO SQL"))
    with pytest.raises(StoreUnavailable):
        open_sqlite_store(path, REGISTRIES, migrations=broken)
    open_sqlite_store(path, REGISTRIES).close()


def test_what_is_no_topic_map_is_refused(path: Path) -> None:
    """Neither another program's database nor a text file is taken for a topic map, or changed."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="songs"):
        open_sqlite_store(path, REGISTRIES)
    assert path.read_bytes() == before
    path.write_text("this is a letter and no database" * 100)
    with pytest.raises(StoreUnavailable):
        open_sqlite_store(path, REGISTRIES)
