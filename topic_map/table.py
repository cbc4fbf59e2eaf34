"""The table of bindings and the rule that keeps it one to one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec.structs import asdict, replace

from topic_map.binding import Binding, check, nearest
from topic_map.claims import DEFAULT_CONTEXT, Claim, SubjectId, claims_of
from topic_map.errors import BindingInvalid, SubjectTaken, TopicNotBound, TopicTaken


@dataclass(frozen=True, slots=True)
class Table:
    """The topic map at one revision: a snapshot that never changes.

    ``bindings`` has one row per topic, ``claims`` the owner of every subject that a row claims.
    """

    revision: int = 0
    bindings: Mapping[str, Binding] = field(default_factory=lambda: MappingProxyType({}))
    claims: Mapping[SubjectId, Claim] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, topic: str) -> Binding | None:
        """Return the topic's binding, or None where it is not bound."""
        return self.bindings.get(topic)


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind a topic; with ``replace`` a binding that is there already gives way."""

    binding: Binding
    replace: bool = False

    @property
    def topic(self) -> str:
        """The topic that changes."""
        return self.binding.topic


@dataclass(frozen=True, slots=True)
class Unbind:
    """Take a topic out of the table."""

    topic: str


Change = Bind | Unbind


def table_of(revision: int, bindings: Iterable[Binding], registries: Mapping[str, str]) -> Table:
    """Return the table that these stored rows make. Raises `SubjectTaken` when two of them claim one subject.

    That can only be when the settings changed, for instance when two clusters came to share one registry.
    """
    rows: dict[str, Binding] = {}
    claims: dict[SubjectId, Claim] = {}
    for binding in bindings:
        rows[binding.topic] = binding
        _claim(binding, claims, registries)
    return Table(revision, MappingProxyType(rows), MappingProxyType(claims))


def apply_changes(table: Table, changes: Sequence[Change], registries: Mapping[str, str]) -> Table:
    """Return the table after a whole set of changes, one revision on; the one place that keeps it one to one.

    A topic is bound once. A subject, known by (registry, context, name), is claimed once, as wire, source or
    key. The set is taken as a whole, so its order does not matter: a subject that one change frees is free for
    all others. ``registries`` names each cluster's registry; clusters that share one share its subjects.

    A set that changes nothing returns the same table, at the same revision.
    Raises `BindingInvalid`, `TopicTaken`, `SubjectTaken` or `TopicNotBound`.
    """
    incoming = _incoming(table, changes, registries)
    if not incoming:
        return table
    revision = table.revision + 1
    rows, claims = dict(table.bindings), dict(table.claims)
    for topic in incoming:
        if before := rows.pop(topic, None):
            _release(before, claims, registries)
    for topic, binding in incoming.items():
        if binding:
            rows[topic] = replace(binding, revision=revision)
            _claim(binding, claims, registries)
    return Table(revision, MappingProxyType(rows), MappingProxyType(claims))


def _incoming(table: Table, changes: Sequence[Change], registries: Mapping[str, str]) -> dict[str, Binding | None]:
    """Return what becomes of each topic that really changes; None is unbound."""
    incoming: dict[str, Binding | None] = {}
    seen: set[str] = set()
    for change in changes:
        topic = change.topic
        if topic in seen:
            raise BindingInvalid("topic", f"{topic!r} stands twice in one set of changes")
        seen.add(topic)
        before = table.get(topic)
        if isinstance(change, Unbind):
            if before is None:
                raise TopicNotBound(topic)
            incoming[topic] = None
            continue
        after = _checked(change.binding, registries)
        if before is not None and not change.replace:
            raise TopicTaken(topic, *_sides(before, after))
        if before is None or before != replace(after, revision=before.revision):
            incoming[topic] = after
    return incoming


def _checked(binding: Binding, registries: Mapping[str, str]) -> Binding:
    binding = check(binding)
    if binding.cluster not in registries:
        raise BindingInvalid(
            "cluster", f"{binding.cluster!r} is not a known cluster; {nearest(binding.cluster, registries)}"
        )
    return binding


def _claim(binding: Binding, claims: dict[SubjectId, Claim], registries: Mapping[str, str]) -> None:
    for subject, asked in claims_of(binding, registries):
        found = claims.setdefault(subject, asked)
        if found is not asked:
            raise SubjectTaken(_spelled(subject), found.topic, found.role, asked.topic, asked.role)


def _release(binding: Binding, claims: dict[SubjectId, Claim], registries: Mapping[str, str]) -> None:
    for subject, _ in claims_of(binding, registries):
        del claims[subject]


def _spelled(subject: SubjectId) -> str:
    return subject.name if subject.context == DEFAULT_CONTEXT else f":{subject.context}:{subject.name}"


def _sides(before: Binding, after: Binding) -> tuple[str, str]:
    """Tell what is bound and what was asked for: the subjects, and every other field in which they differ."""
    one, other = asdict(before), asdict(after)
    other |= {name: one[name] for name in ("revision", "bound_version") if name == "revision" or not other[name]}
    differing = [name for name in one if name not in ("subject", "cluster") and one[name] != other[name]]
    left, right = (
        f"subject {row['subject']!r} of cluster {row['cluster']!r}"
        + "".join(f", {name} {row[name]!r}" for name in differing)
        for row in (one, other)
    )
    return left, right
