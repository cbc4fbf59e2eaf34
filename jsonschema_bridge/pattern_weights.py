"""How long a pattern takes for each character of a text, in steps of 83 ns, known without a text.

The engine is linear in a text, but works through all open places of the pattern for each byte where it meets too many
sets of them to remember: 4 to 14 ns for a place, 45 us for `(a?){5000}`. Usual patterns have some hundred sets at most;
they take a nanosecond and count nothing (jsonschema-rs 0.60, two cores).
"""

from collections.abc import Iterator
from typing import NamedTuple

from jsonschema_bridge.automaton import Automaton, places
from jsonschema_bridge.pattern_reading import (
    Characters,
    Choice,
    Group,
    Look,
    Node,
    Place,
    Repetition,
    Row,
    Unreadable,
    read,
)
from jsonschema_bridge.patterns import backtracks, size

PAIRS = 128
"""Pairs of characters that are a step, where a pattern may look at all of a text from each place in it."""

_MOST_WORK = 1_000_000  # for the patterns of a schema: half a second
_MOST_WORK_ON_ONE = 100_000
_MOST_PLACES = 20_000
_FEW_PLACES = 12
"""So many open places are looked through, byte by byte, in a tenth of a second for a megabyte."""

_MOST_REMEMBERED = 2_000  # sets
_MOST_PLACES_REMEMBERED = 100_000
_NEVER = Characters()
"""What keeps a part of a pattern from being done at its first match, which the rest may refuse."""

_LIKE_LOOKS = (Place("b"), Place("1"))
_LETTERS, _BYTES = 512, 16
"""Sets that one set may become while the bytes of a character are read: of a script, of all but a few."""

_GROUPS = 48
"""Times that looking takes longer where groups are remembered: then no sets of places are."""

_BASE = 3  # steps for a character
_PLACES_OF_A_STEP = 6
_BYTES_OF_A_PLACE = 64


class PatternWeight(NamedTuple):
    """Steps for each byte of a text, and for each PAIRS pairs of its characters."""

    characters: int
    pairs: int


class PatternWeights:
    """The weights of the patterns of one schema. Where there is too much to find out, a pattern counts as slow."""

    def __init__(self) -> None:
        self._known: dict[str, PatternWeight] = {}
        self._work = _MOST_WORK

    def of(self, pattern: str) -> PatternWeight:
        """Return what `pattern` weighs."""
        if pattern not in self._known:
            self._known[pattern] = self._found(pattern)
        return self._known[pattern]

    def _found(self, pattern: str) -> PatternWeight:
        slow = backtracks(pattern)
        try:
            node = read(pattern)
        except Unreadable:
            steps = _steps(size(pattern) // _BYTES_OF_A_PLACE)
            return PatternWeight(0, len(pattern) + PAIRS * steps) if slow else PatternWeight(steps, 0)
        if not slow:
            return PatternWeight(self._once(node), 0)
        pieces = [*_looks(node), _without_looks(node)]
        groups = _has_plain_groups(node)
        each = sum(self._once(Row((piece, _NEVER)), remembers=not groups) for piece in pieces)
        if _looks_once(node):
            return PatternWeight(each, 0)
        looks = max(1, len(pieces) - 1) * (_GROUPS if groups else 1)
        return PatternWeight(0, looks + PAIRS * (_steps(places(node)) if each else 0))

    def _once(self, node: Node, *, remembers: bool = True) -> int:
        """Return the steps for each byte of a text to match it once, by an engine that remembers sets of places."""
        every = places(node)
        if every <= _FEW_PLACES:
            return 0
        if every > _MOST_PLACES or self._work < 0:
            return _steps(every)
        sets = Automaton(node).sets(min(_MOST_WORK_ON_ONE, self._work))
        self._work -= sets.work + every
        if not sets.complete:
            return _steps(every)
        remembered = (
            remembers
            and sets.different * _multiplied(node) <= _MOST_REMEMBERED
            and sets.places <= _MOST_PLACES_REMEMBERED
        )
        return 0 if remembered or sets.widest <= _FEW_PLACES else _steps(sets.widest)


def _steps(places_: int) -> int:
    return _BASE + places_ // _PLACES_OF_A_STEP


def _multiplied(node: Node) -> int:
    """Return how many sets one set may become while the bytes of a character are read."""
    if isinstance(node, Characters):
        if any(name.startswith("p") for name, _ in node.names):
            return _LETTERS
        return _BYTES if node.others or node.names or not all(chr(high).isascii() for _, high in node.ranges) else 1
    return max(map(_multiplied, _inner(node)), default=1)


def _inner(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Row | Choice):
        return node.parts
    return (node.part,) if isinstance(node, Repetition | Group | Look) else ()


def _looks(node: Node) -> Iterator[Node]:
    """Yield what is looked for, each from the place where it is looked for."""
    if isinstance(node, Look):
        yield Row((Place("^"), _without_looks(node.part)))
    for part in _inner(node):
        yield from _looks(part)


def _without_looks(node: Node) -> Node:
    if isinstance(node, Look):
        return Row(())
    if isinstance(node, Row | Choice):
        return type(node)(tuple(map(_without_looks, node.parts)))
    return node._replace(part=_without_looks(node.part)) if isinstance(node, Repetition | Group) else node


def _looks_once(node: Node) -> bool:
    """Tell whether a pattern looks ahead at the start of a text only, and then matches without."""
    if not isinstance(node, Row) or node.parts[:1] != (Place("^"),):
        return False
    parts = [*node.parts[1:]]
    while parts and isinstance(parts[0], Look) and parts[0].ahead and _is_plain(parts[0].part):
        del parts[0]
    return all(map(_is_plain, parts))


def _has_plain_groups(node: Node) -> bool:
    return (isinstance(node, Group) and _is_plain(node.part)) or any(map(_has_plain_groups, _inner(node)))


def _is_plain(node: Node) -> bool:
    return not isinstance(node, Look) and node not in _LIKE_LOOKS and all(map(_is_plain, _inner(node)))
