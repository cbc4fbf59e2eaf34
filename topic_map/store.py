"""What keeps the topic map: the interface that every store offers, and the history it leaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from topic_map.binding import Binding
from topic_map.table import Change, Table


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one change set did to one topic: ``before`` is None when it was bound, ``after`` when unbound.

    ``revision`` is the table's revision that the change set made; ``at`` is in seconds since the Unix epoch.
    """

    revision: int
    topic: str
    before: Binding | None
    after: Binding | None
    who: str
    why: str
    at: float


class Store(Protocol):
    """The topic map, kept somewhere. Safe to share between threads, and across a fork.

    Whatever the place, a table is always the result of whole change sets, each of which passed
    `topic_map.apply_changes`. Every method raises `StoreUnavailable` when the place cannot be reached, is
    damaged, or the store was closed; nothing of the driver's own errors gets out.
    """

    def table(self) -> Table:
        """Return the table now in force, an immutable snapshot.

        It includes every change that was answered before the call, by this process or (unless the
        implementation says how far it may lag) by another one. Cheap enough to ask at every request.
        """
        ...

    def change(self, changes: Sequence[Change], *, expected_revision: int | None = None, who: str, why: str) -> int:
        """Apply a whole change set, all of it or nothing, and return the revision then in force.

        The set is judged against the table as it is at that moment, one writer at a time: of two that want
        the same topic or subject, exactly one wins. History is written with the set, before and after, with
        ``who`` asked for it and ``why``. A set that changes nothing leaves revision and history as they are.

        Raises `StaleRevision` when ``expected_revision`` is given and the table is at another one (judged
        before anything else), and what `topic_map.apply_changes` raises.
        """
        ...

    def history(self, topic: str | None = None, limit: int = 100) -> list[HistoryEntry]:
        """Return at most ``limit`` entries, the newest first, of one topic or of all."""
        ...

    def ping(self) -> None:
        """Return when the store can be read now; raise `StoreUnavailable` when not."""
        ...

    def close(self) -> None:
        """Give back everything that is open, once the last request has ended; may be called twice."""
        ...


def history_entries(
    before: Table, after: Table, changes: Sequence[Change], *, who: str, why: str, at: float
) -> Iterator[HistoryEntry]:
    """Yield what a change set that led from one table to the next did, in the set's order."""
    for topic in (change.topic for change in changes):
        old, new = before.get(topic), after.get(topic)
        if old is not new:
            yield HistoryEntry(after.revision, topic, old, new, encodable(who), encodable(why), at)


def encodable(text: str) -> str:
    """Replace what cannot be stored as UTF-8, such as a command line's undecodable bytes."""
    return text.encode("utf-8", "replace").decode()
