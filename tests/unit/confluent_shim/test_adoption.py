"""Which versions a binding takes, as a function of the binding and what its subject holds."""

from collections.abc import Sequence

import pytest

from confluent_shim.adoption import Look, adopt, in_words
from jsonschema_bridge import RegisteredSchema, Schema, SchemaChange, SchemaInvalid
from topic_map import Binding

ADDED = SchemaChange("/properties/note", "/note was added", additive=True)
BROKEN = SchemaChange("/required", "/price became required", additive=False)


def registered(version: int) -> RegisteredSchema:
    return RegisteredSchema("orders-value", version, version, Schema("{}", "JSON"))


def look(*unusable: int, broken: Sequence[tuple[int, int]] = ()) -> Look:
    """Return a look at a subject some of whose versions cannot judge, and others break what another one says."""

    def changes(old: RegisteredSchema, new: RegisteredSchema) -> list[SchemaChange]:
        if {old.version, new.version} & set(unusable):
            raise SchemaInvalid("broken")
        return [ADDED, BROKEN] if (old.version, new.version) in broken else [ADDED]

    return Look(registered, lambda found: "broken" if found.version in unusable else None, changes)


def taken(binding: Binding, versions: Sequence[int], at: Look) -> tuple[list[int], dict[int, str]]:
    """Return what is taken, and why what is newer is not."""
    adoption = adopt(binding, versions, at)
    return list(adoption.taken), {each.found.version: each.reason for each in adoption.not_adopted}


def bound(at: int | None = None, **fields: object) -> Binding:
    return Binding(topic="orders", bound_version=at, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("binding", "versions", "at", "expected"),
    [
        (bound(), [1, 2, 3], look(), ([3], {})),
        (bound(), [1, 2, 3], look(3), ([2], {3: "broken"})),
        (bound(), [1, 2, 3], look(1, 2), ([3], {})),
        (bound(2), [1, 2, 3], look(2, 3), ([], {2: "broken", 3: "broken"})),
        (bound(4), [1, 2, 3], look(), ([], {})),
        (bound(2, compatibility="additive"), [1, 2, 3, 4], look(), ([4], {})),
        (bound(1, compatibility="additive"), [1, 2], look(broken=[(1, 2)]), ([1], {2: "/price became required"})),
        (bound(1, compatibility="additive"), [1, 2, 3], look(broken=[(1, 2)]), ([3], {})),
        (bound(1, compatibility="additive"), [1, 2, 3], look(broken=[(2, 3)]), ([2], {3: "/price became required"})),
        (bound(2, compatibility="additive"), [1, 2, 3], look(broken=[(1, 2), (1, 3)]), ([3], {})),
        (
            bound(1, compatibility="additive"),
            [1, 2, 3],
            look(2, broken=[(1, 3)]),
            ([1], {2: "broken", 3: BROKEN.message}),
        ),
        (bound(2, compatibility="additive"), [1, 3, 4], look(broken=[(3, 4)]), ([3], {4: "/price became required"})),
        (bound(1, compatibility="additive"), [1, 2], look(1, broken=[(1, 2)]), ([2], {})),
        (bound(2, compatibility="additive"), [1], look(), ([], {})),
        (bound(2, versions="any", compatibility="additive"), [1, 2], look(2, broken=[(1, 2)]), ([1, 2], {})),
        (bound(2, versions="any", source_subject="s"), [1, 2, 3, 4], look(2, 4), ([1, 3], {4: "broken"})),
        (bound(3, versions="pinned 2"), [1, 2, 3], look(), ([2], {})),
        (bound(3, versions="pinned 2"), [1, 2, 3], look(2), ([], {2: "broken"})),
        (bound(3, versions="pinned 4"), [1, 2, 3], look(), ([], {})),
    ],
)
def test_a_binding_takes_what_its_versions_and_its_compatibility_allow(
    binding: Binding, versions: list[int], at: Look, expected: tuple[list[int], dict[int, str]]
) -> None:
    assert taken(binding, versions, at) == expected


def test_where_each_version_adds_to_the_one_before_only_the_newest_is_tried() -> None:
    """A worker that starts on a long history is ready soon."""
    tried: list[int] = []

    def unusable(found: RegisteredSchema) -> None:
        tried.append(found.version)

    at = look()._replace(unusable=unusable)
    assert taken(bound(1, compatibility="additive"), range(1, 1000), at) == ([999], {})
    assert tried == [999]


def test_a_version_that_waits_is_told_so_when_nothing_else_is_against_it() -> None:
    """The last one that waits for nothing stays."""
    at = look(3, broken=[(1, 2)])._replace(waits=lambda found: "waits" if found.version > 1 else None)
    assert taken(bound(1, compatibility="additive"), [1, 2, 3, 4], at) == (
        [1],
        {2: "/price became required", 3: "broken", 4: "waits"},
    )
    assert taken(bound(1), [1, 2, 3, 4], at) == ([1], {2: "waits", 3: "broken", 4: "waits"})


def test_what_is_adopted_does_not_hang_on_when_it_was_met() -> None:
    """A process that has seen every version come, and one that starts at the end, come to the same."""
    at = look(3, broken=[(1, 2), (4, 5)])
    binding = bound(1, compatibility="additive")
    one_by_one = [taken(binding, range(1, newest + 1), at)[0] for newest in range(1, 6)]
    assert one_by_one == [[1], [1], [1], [4], [4]]
    assert taken(binding, range(1, 6), at)[0] == one_by_one[-1]


def test_what_only_adds_is_no_reason() -> None:
    """The changes that come with a version which is not adopted are those that break it."""
    [passed] = adopt(bound(1, compatibility="additive"), [1, 2], look(broken=[(1, 2)])).not_adopted
    assert passed.changes == [BROKEN]


def test_many_changes_are_told_in_one_line() -> None:
    assert in_words([ADDED]) == "/note was added"
    assert in_words([ADDED] * 7) == ", ".join(["/note was added"] * 5) + " (and 2 more)"
