"""The SQLite file's format: its numbered migrations, and how a file is brought up to date."""

import sqlite3
from collections.abc import Sequence

from topic_map.errors import StoreTooNew, StoreUnavailable

#: The statements that lead from one format to the next.
Migration = Sequence[str]

_FIRST: Migration = (
    "CREATE TABLE meta (format INTEGER NOT NULL, revision INTEGER NOT NULL)",
    "INSERT INTO meta VALUES (0, 0)",
    """CREATE TABLE bindings (
        topic TEXT PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL
    ) WITHOUT ROWID""",
    # apply_changes keeps the rule; this primary key is a second lock on the same door.
    """CREATE TABLE claims (
        registry TEXT NOT NULL, context TEXT NOT NULL, name TEXT NOT NULL,
        topic TEXT NOT NULL, role TEXT NOT NULL,
        PRIMARY KEY (registry, context, name)
    ) WITHOUT ROWID""",
    "CREATE INDEX claims_by_topic ON claims (topic)",
    """CREATE TABLE history (
        entry INTEGER PRIMARY KEY, revision INTEGER NOT NULL, topic TEXT NOT NULL,
        before TEXT, after TEXT, who TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL
    )""",
    "CREATE INDEX history_by_topic ON history (topic, entry)",
)

#: Entry N leads from format N to N + 1; format 0 is the empty file. A released entry is never edited.
MIGRATIONS: Sequence[Migration] = (_FIRST,)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to the format that these migrations lead to; the caller holds a write transaction.

    Raises `StoreTooNew` for a later format, `StoreUnavailable` for a database of something else.
    """
    found = format_of(connection, migrations)
    for migration in migrations[found:]:
        for statement in migration:
            connection.execute(statement)
    if found < len(migrations):
        connection.execute("UPDATE meta SET format = ?", (len(migrations),))


def format_of(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the file's format, writing nothing; raise as `migrate` does."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if not {"meta", "bindings"} <= tables:
        raise StoreUnavailable(f"this SQLite database belongs to something else; its tables: {sorted(tables)}")
    found: int = connection.execute("SELECT format FROM meta").fetchone()[0]
    if found > len(migrations):
        raise StoreTooNew(found, len(migrations))
    return found
