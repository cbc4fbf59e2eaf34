"""The topic map's rows in SQLite: reading and writing them inside the caller's transaction."""

import sqlite3
import sys
from collections.abc import Mapping, Sequence

import msgspec

from topic_map.binding import Binding, binding_to_json
from topic_map.claims import claims_of
from topic_map.store import HistoryEntry, encodable
from topic_map.table import Table, table_of

_BINDING = msgspec.json.Decoder(Binding)
_INSERT_CLAIM = "INSERT INTO claims (registry, context, name, topic, role) VALUES (?, ?, ?, ?, ?)"
_HISTORY = "SELECT revision, topic, before, after, who, why, at FROM history"


def read_revision(connection: sqlite3.Connection) -> int:
    """Return the table's revision."""
    revision: int = connection.execute("SELECT revision FROM meta").fetchone()[0]
    return revision


def read_table(connection: sqlite3.Connection, registries: Mapping[str, str]) -> Table:
    """Return the whole table. Raises `SubjectTaken` as `topic_map.table.table_of` does."""
    documents = connection.execute("SELECT document FROM bindings ORDER BY revision, topic")
    bindings = [_BINDING.decode(document) for (document,) in documents]
    return table_of(read_revision(connection), bindings, registries)


def write_changes(
    connection: sqlite3.Connection,
    revision: int,
    entries: Sequence[HistoryEntry],
    registries: Mapping[str, str],
) -> None:
    """Write what one change set did: the rows that changed, their claims, and the history."""
    topics = [(entry.topic,) for entry in entries]
    after = [entry.after for entry in entries if entry.after is not None]
    connection.executemany("DELETE FROM claims WHERE topic = ?", topics)
    connection.executemany("DELETE FROM bindings WHERE topic = ?", topics)
    connection.executemany(
        "INSERT INTO bindings (topic, document, revision) VALUES (?, ?, ?)",
        [(binding.topic, _document(binding), binding.revision) for binding in after],
    )
    claims = [(*subject, *claim) for binding in after for subject, claim in claims_of(binding, registries)]
    connection.executemany(_INSERT_CLAIM, claims)
    connection.executemany(
        "INSERT INTO history (revision, topic, before, after, who, why, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                entry.revision,
                entry.topic,
                _document(entry.before),
                _document(entry.after),
                entry.who,
                entry.why,
                entry.at,
            )
            for entry in entries
        ],
    )
    connection.execute("UPDATE meta SET revision = ?", (revision,))


def settle_claims(connection: sqlite3.Connection, table: Table) -> None:
    """Make the stored claims those of the table: the settings may have given a cluster another registry."""
    stored = set(connection.execute("SELECT registry, context, name, topic, role FROM claims"))
    claims = {(*subject, *claim) for subject, claim in table.claims.items()}
    if stored != claims:
        connection.execute("DELETE FROM claims")
        connection.executemany(_INSERT_CLAIM, sorted(claims))


def read_history(connection: sqlite3.Connection, topic: str | None, limit: int) -> list[HistoryEntry]:
    """Return the newest entries first."""
    limit = min(max(limit, 0), sys.maxsize)
    if topic is None:
        rows = connection.execute(f"{_HISTORY} ORDER BY entry DESC LIMIT ?", (limit,))
    else:
        rows = connection.execute(f"{_HISTORY} WHERE topic = ? ORDER BY entry DESC LIMIT ?", (encodable(topic), limit))
    return [
        HistoryEntry(revision, name, _binding(before), _binding(after), who, why, at)
        for revision, name, before, after, who, why, at in rows
    ]


def _document(binding: Binding | None) -> str | None:
    return binding_to_json(binding).decode() if binding else None


def _binding(document: str | None) -> Binding | None:
    return _BINDING.decode(document) if document else None
