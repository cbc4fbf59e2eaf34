"""Which versions of its subject a binding takes: a pure function of the binding and of what its subject holds.

So every process comes to the same answer, and nothing is stored.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from confluent_shim.records import Part
from jsonschema_bridge import RegisteredSchema, SchemaChange, SchemaInvalid, SubjectNotFound, VersionNotFound
from jsonschema_bridge.registry import SchemaKind
from topic_map import Binding, pinned_version

KIND_OF_ENCODING: Mapping[str, SchemaKind] = {"json-schema": "JSON", "json": "JSON", "avro": "AVRO"}
"""What kind of schema a binding's encoding needs."""

_LISTED = 5


class NotAdopted(NamedTuple):
    """A version that a binding does not take, why, and what in it broke the binding's compatibility."""

    found: RegisteredSchema
    reason: str
    changes: Sequence[SchemaChange] = ()


class Adoption(NamedTuple):
    """The versions that a binding takes, ascending, of which the last one is in force; and what it does not adopt.

    `not_adopted` has the versions that are newer than the one in force, ascending.
    """

    taken: Sequence[int]
    not_adopted: Sequence[NotAdopted] = ()


class Look(NamedTuple):
    """How a subject is looked at.

    `registered` gives a version, `unusable` says why one cannot judge records, or None, `changes` tells what changed
    from one to another or raises SchemaInvalid, SubjectNotFound or VersionNotFound for one that cannot judge, and
    `waits` says what one that is fit still waits for, or None.
    """

    registered: Callable[[int], RegisteredSchema]
    unusable: Callable[[RegisteredSchema], str | None]
    changes: Callable[[RegisteredSchema, RegisteredSchema], Sequence[SchemaChange]]
    waits: Callable[[RegisteredSchema], str | None] = lambda _: None


def adopt(binding: Binding, versions: Sequence[int], look: Look) -> Adoption:
    """Return which `versions` of its subject, ascending, a binding takes for values.

    Under `latest` the walk begins at the version that was current when the topic was bound. It adopts each later
    one that can judge records and that `compatibility` allows after the one adopted last: with `registry` every one,
    because the registry compared it when it was registered. Raises what `look` raises.
    """
    if binding.versions == "latest":
        later = [version for version in versions if version >= (binding.bound_version or 1)]
        return _additive(later, look) if binding.compatibility == "additive" else _newest(later, look)
    pinned = pinned_version(binding)
    if pinned is None and binding.source_subject is None:
        return Adoption(versions)  # whatever a request names is looked at then
    return _all([version for version in versions if pinned in (None, version)], look)


def _newest(later: Sequence[int], look: Look) -> Adoption:
    """Adopt the newest version that can judge; what was adopted before it makes no difference."""
    passed: list[NotAdopted] = []
    for version in reversed(later):
        found = look.registered(version)
        reason = look.unusable(found) or look.waits(found)
        if reason is None:
            return Adoption([version], passed[::-1])
        passed.append(NotAdopted(found, reason))
    return Adoption([], passed[::-1])


def _additive(later: Sequence[int], look: Look) -> Adoption:
    """Adopt each version that only adds to the one adopted last."""
    if _all_add(later, look):
        return _newest(later, look)  # it only adds to those before it, whichever of them were adopted
    last: RegisteredSchema | None = None
    passed: list[NotAdopted] = []
    for version in later:
        found = look.registered(version)
        reason = look.unusable(found)
        breaking = [] if reason or last is None else [each for each in look.changes(last, found) if not each.additive]
        reason = reason or in_words(breaking) or look.waits(found)
        if reason is None:
            last, passed = found, []
        else:
            passed.append(NotAdopted(found, reason, breaking))
    return Adoption([last.version] if last else [], passed)


def _all_add(later: Sequence[int], look: Look) -> bool:
    """Tell whether each version only adds to the one before, which is seen far sooner than that each can judge."""
    try:
        return all(
            each.additive for pair in pairwise(later) for each in look.changes(*(look.registered(at) for at in pair))
        )
    except (SchemaInvalid, SubjectNotFound, VersionNotFound):  # one that cannot judge, and so adds nothing
        return False


def _all(wanted: Sequence[int], look: Look) -> Adoption:
    taken: list[int] = []
    passed: list[NotAdopted] = []
    for version in wanted:
        found = look.registered(version)
        reason = look.unusable(found) or look.waits(found)
        if reason is None:
            taken, passed = [*taken, version], []
        else:
            passed.append(NotAdopted(found, reason))
    return Adoption(taken, passed)


def in_words(changes: Sequence[SchemaChange]) -> str:
    """Say in one line what changed; of many changes the first ones."""
    rest = len(changes) - _LISTED
    return ", ".join(each.message for each in changes[:_LISTED]) + (f" (and {rest} more)" if rest > 0 else "")


def subject_of(binding: Binding, part: Part) -> str:
    """Return the subject that judges the values, or the keys, of a topic."""
    return (binding.key_subject if part == "key" else binding.source_subject) or binding.subject


def kind_that_judges(binding: Binding) -> SchemaKind:
    """Return what kind of schema judges the values of a topic."""
    return "JSON" if binding.source_subject else KIND_OF_ENCODING[binding.encoding]
