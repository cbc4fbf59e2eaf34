"""Values of unions: tagged, as Avro's JSON encoding has them, or plain: the value itself tells the branch."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jsonschema_bridge.avro.findings import KEPT_OF_A_STEP, Enough, Findings, Path, Trial
from jsonschema_bridge.avro.primitives import Convert, holds

_INTEGERS_FIRST = ("int", "long", "float", "double")
_FRACTIONS_FIRST = ("float", "double", "int", "long")
_LAST_RESORT = ("double", "float", "long", "int")
_CLASSES = {"null": (type(None),), "boolean": (bool,), "string": (str,), "bytes": (str,), "enum": (str,)} | {
    "fixed": (str,),
    "array": (list,),
    "map": (dict,),
    "record": (dict,),
}


class Branch(NamedTuple):
    """A branch of a union: `label` is its tag in JSON, `kind` its Avro type, `prefix` its encoded index."""

    label: str
    kind: str
    prefix: bytes
    convert: Convert


def tagged(branches: list[Branch], at: str) -> Convert:
    """Return how tagged values are converted: null, or an object with one member, named for the branch."""
    by_label = {branch.label: branch for branch in branches}
    labels = list(by_label)
    null = by_label["null"].prefix if "null" in by_label else None

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        if value is None and null is not None:
            return null
        if type(value) is not dict or len(value) != 1:
            text = "a union's value is null or an object with one member, which is named for the branch"
            return _refused(labels, text, at, value, path, found)
        [(label, item)] = value.items()
        if label not in by_label:
            return _refused(labels, f"the union has no branch {label[:100]!r}", at, value, path, found)
        _, _, prefix, convert_branch = by_label[label]
        return prefix + convert_branch(item, (path, label), found)

    return convert


def first_fit(branches: list[Branch], at: str) -> Convert:
    """Return how a default is converted: by the first branch that takes it."""

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        taken = _takers(branches, value, path, found)
        if taken:
            return taken[0][1]
        return _no_branch(branches, at, value, path, found)

    return convert


def plain(branches: list[Branch], at: str, several: Callable[[list[Branch], str], Convert] | None = None) -> Convert:
    """Return how untagged values are converted: by the one branch that takes them.

    Numbers go to the first type that holds them without loss: of int, long, float, double for one that is written
    without fraction and exponent, of float, double, int, long for another. Anything else that two branches take is
    ambiguous and refused, unless `several` says otherwise: it converts by branches of which more than one may fit.
    """
    by_class: dict[type, Convert] = {}
    for wanted in (bool, str, list, dict):
        candidates = [branch for branch in branches if wanted in _CLASSES.get(branch.kind, ())]
        if candidates:
            by_class[wanted] = sole(candidates[0]) if len(candidates) == 1 else (several or _best)(candidates, at)
    numbers = {branch.label: branch for branch in branches if branch.label in _INTEGERS_FIRST}
    if len(numbers) == 1:
        by_class[int] = by_class[float] = sole(next(iter(numbers.values())))
    elif numbers:
        by_class[int], by_class[float] = _number(numbers, _INTEGERS_FIRST), _number(numbers, _FRACTIONS_FIRST)
    by_class |= {type(None): sole(branch) for branch in branches if branch.label == "null"}
    return _by_class(by_class, branches, at)


def _by_class(by_class: dict[type, Convert], branches: list[Branch], at: str) -> Convert:
    find: Callable[[type], Convert | None] = by_class.get

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        choose = find(type(value))
        if choose is None:
            return _no_branch(branches, at, value, path, found)
        return choose(value, path, found)

    return convert


def sole(branch: Branch) -> Convert:
    """Return how values are converted that can only be of one branch."""
    _, _, prefix, convert_branch = branch

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        return prefix + convert_branch(value, path, found)

    return convert


def _number(branches: dict[str, Branch], order: tuple[str, ...]) -> Convert:
    candidates = [branches[label] for label in order if label in branches]
    rest = sole(next(branches[label] for label in _LAST_RESORT if label in branches))

    def convert(value: Any, path: Path, found: Findings) -> bytes:
        for label, _, prefix, convert_branch in candidates:
            if holds(label, value):
                return prefix + convert_branch(value, path, found)
        return rest(value, path, found)

    return convert


def _best(branches: list[Branch], at: str) -> Convert:
    def convert(value: Any, path: Path, found: Findings) -> bytes:
        taken = _takers(branches, value, path, found)
        if len(taken) == 1:
            return taken[0][1]
        if not taken:
            return _no_branch(branches, at, value, path, found)
        labels = [label for label, _ in taken]
        text = f"the value fits more than one branch of the union: {' and '.join(labels)}"
        return _refused(labels, text, at, value, path, found)

    return convert


def _takers(branches: list[Branch], value: Any, path: Path, found: Findings) -> list[tuple[str, bytes]]:
    """Collect (label, encoding) of the branches that take a value. Each looks at each part of a value only once."""
    taken: list[tuple[str, bytes]] = []
    work, memo = found.work, found.work.memo
    work.spend(len(branches))
    for label, _, prefix, convert_branch in branches:
        key = (id(value), id(convert_branch))
        if key not in memo:
            try:
                memo[key] = kept = convert_branch(value, path, Trial(work))
                work.spend(len(kept) // KEPT_OF_A_STEP)
            except Enough:
                memo[key] = None
        encoded = memo[key]
        if encoded is not None:
            taken.append((label, prefix + encoded))
    return taken


def _no_branch(branches: list[Branch], at: str, value: Any, path: Path, found: Findings) -> bytes:
    labels = list(dict.fromkeys(branch.label for branch in branches))
    text = f"the value fits no branch of the union: {', '.join(labels)}"
    return _refused(labels, text, at, value, path, found)


def _refused(labels: list[str], text: str, at: str, value: Any, path: Path, found: Findings) -> bytes:
    found.add(path, "union", at, labels, value, text)
    return b""
