"""What the commands need of a topic map, wherever it is: in a store, or behind a running shim."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from topic_map import Binding, HistoryEntry

if TYPE_CHECKING:
    from confluent_shim.inventory import Absences


class Snapshot(msgspec.Struct, frozen=True):
    """The whole table at one revision, sorted by topic."""

    revision: int
    bindings: list[Binding]


class Judgement(msgspec.Struct, frozen=True):
    """What events conform to, when all of them do."""

    topic: str
    records: int
    subject: str
    version: int
    value_schema_id: int


class CarryRule(msgspec.Struct, frozen=True):
    """What derived Avro cannot carry though the JSON Schema admits it."""

    pointer: str
    rule: str
    message: str


class Derivation(msgspec.Struct, frozen=True):
    """The Avro that is derived for a topic; version and id are None while it is not registered."""

    topic: str
    source_subject: str
    source_version: int
    subject: str
    version: int | None
    schema_id: int | None
    schema: Any
    carry_rules: list[CarryRule]


class Change(msgspec.Struct, frozen=True):
    """One thing that a version of a JSON Schema changed."""

    pointer: str
    message: str
    additive: bool


class Version(msgspec.Struct, frozen=True):
    """A version of a subject; what it changed since the one before, or why it is not adopted."""

    version: int
    schema_id: int
    subject: str = ""
    since: int | None = None
    reason: str = ""
    changes: list[Change] = []


class Versions(msgspec.Struct, frozen=True):
    """Which versions of its subject a binding takes now, and which it does not adopt."""

    topic: str
    subject: str
    versions: str
    compatibility: str
    in_force: Version | None
    lands: Version | None
    not_adopted: list[Version]


class BindRequest(NamedTuple):
    """A binding that is asked for, and what may be done to get there."""

    binding: Binding
    schema: str | None = None
    create_topic: bool = False
    replace: bool = False
    expected_revision: int | None = None
    why: str = ""


class Backend(Protocol):
    """A topic map to look at and to change.

    Raises the errors of `confluent_shim.errors` and of the trees below it, or CommandError. Whatever the place, the
    same state gives the same answer and an error of the same text.
    """

    def snapshot(self) -> Snapshot:
        """Return the table in force."""
        ...

    def absences(self) -> "Absences":
        """Return which bound topics and subjects are not there any more."""
        ...

    def get(self, topic: str) -> Binding:
        """Return the binding of `topic`."""
        ...

    def history(self, topic: str | None, limit: int) -> list[HistoryEntry]:
        """Return what happened to `topic`, or to all, the newest first."""
        ...

    def bind(self, asked: BindRequest) -> Binding:
        """Bind a topic and return the row now in force."""
        ...

    def unbind(self, topic: str, *, expected_revision: int | None, why: str) -> int:
        """Unbind `topic` and return the table's revision now in force."""
        ...

    def versions(self, topic: str) -> Versions:
        """Return which versions are in force for `topic`. Raises TopicNotBound, a registry's errors."""
        ...

    def derivation(self, topic: str, *, register: bool) -> Derivation:
        """Return the Avro that is derived for `topic`, and register it if that is asked for."""
        ...

    def validate(self, topic: str, body: bytes) -> Judgement:
        """Judge the body of a v2 produce request and send nothing. Raises RecordsRejected."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...
