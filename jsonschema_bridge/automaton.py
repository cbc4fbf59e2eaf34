"""How many places of a pattern are open at once while a text is matched, and in how many ways.

The engine reads a text once, with a set of the places that it may be at. It remembers each set that it met, and then
a character takes a nanosecond; where there are too many sets it works through the places for each character.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from jsonschema_bridge.pattern_reading import Characters, Choice, Group, Look, Node, Place, Repetition, Row

_NO_SET = -1
_MOST_NAMES = 4

Step = tuple[str, int, tuple[int, ...]]
"""What a place waits for (a set, start, end, nothing, or it is the last), the number of the set, what comes next."""


class Sets(NamedTuple):
    """The sets of places that can be met.

    `different` says how many, `places` how many all of them hold, `widest` how many are looked at for one, and `work`
    how many were looked at here. Where that was not enough, `complete` is false.
    """

    different: int
    places: int
    widest: int
    work: int
    complete: bool


def places(node: Node) -> int:
    """Return how many places a pattern has, written out."""
    if isinstance(node, Repetition):
        once = places(node.part)
        return node.least * once + (once + 1 if node.most is None else (node.most - node.least) * (once + 1))
    if isinstance(node, Group | Look):
        return places(node.part)
    if isinstance(node, Row | Choice):
        return isinstance(node, Choice) + sum(map(places, node.parts))
    return 1


class Automaton:
    """A pattern without look-around, written out."""

    def __init__(self, node: Node) -> None:
        self._steps: list[Step] = [("last", _NO_SET, ())]
        self._sets: dict[Characters, int] = {}
        self._work = 0
        self._start = self._write(node, 0)

    def _add(self, kind: str, which: int, *targets: int) -> int:
        self._steps.append((kind, which, targets))
        return len(self._steps) - 1

    def _write(self, node: Node, after: int) -> int:
        """Write what matches `node` and then goes on at `after`; return where it begins."""
        if isinstance(node, Characters):
            return self._add("set", self._sets.setdefault(node, len(self._sets)), after)
        if isinstance(node, Row):
            for part in reversed(node.parts):
                after = self._write(part, after)
            return after
        if isinstance(node, Choice):
            return self._add("", _NO_SET, *[self._write(part, after) for part in node.parts])
        if isinstance(node, Repetition):
            return self._write_repetition(node, after)
        if isinstance(node, Group):
            return self._write(node.part, after)
        return self._add(
            {"^": "start", "$": "end"}.get(node.which, "") if isinstance(node, Place) else "", _NO_SET, after
        )

    def _write_repetition(self, node: Repetition, after: int) -> int:
        begin = after
        if node.most is None:
            begin = self._add("", _NO_SET)
            inner = self._write(node.part, begin)
            self._steps[begin] = ("", _NO_SET, (inner, after) if node.greedy else (after, inner))
        for _ in range((node.most or 0) - node.least):
            inner = self._write(node.part, begin)
            begin = self._add("", _NO_SET, *((inner, after) if node.greedy else (after, inner)))
        for _ in range(node.least):
            begin = self._write(node.part, begin)
        return begin

    def sets(self, most_work: int) -> Sets:
        """Find the sets of places that can be met, each in the order in which the engine prefers them."""
        symbols = self._symbols(most_work)
        met: set[tuple[int, ...]] = set()
        held = 0
        before = self._work
        waiting = [self._closure([self._start], at_start=True)]
        widest = self._work - before
        while waiting and symbols is not None and self._work < most_work:
            here = waiting.pop()
            if here in met or 0 in here:  # a match ends the search
                continue
            met.add(here)
            held += len(here)
            for symbol in symbols:
                before = self._work
                targets = [targets[0] for _, which, targets in map(self._steps.__getitem__, here) if which in symbol]
                waiting.append(self._closure([*targets, self._start], at_start=False))
                widest = max(widest, self._work - before)
        return Sets(len(met), held, widest, self._work, complete=symbols is not None and not waiting)

    def _closure(self, begins: Sequence[int], *, at_start: bool) -> tuple[int, ...]:
        """Return the places that wait for something, reached from some without a character."""
        seen: set[int] = set()
        found: list[int] = []
        stack = [*reversed(begins)]
        while stack:
            place = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            kind, _, targets = self._steps[place]
            if kind in ("set", "end", "last"):
                found.append(place)
            elif kind == "" or (kind == "start" and at_start):
                stack += reversed(targets)
        self._work += 1 + len(seen)
        return tuple(found)

    def _symbols(self, most_work: int) -> set[frozenset[int]] | None:
        """Return all that a character can be: in which of the sets it is; None for too many.

        Of a set by name any character may be in it or not.
        """
        names = sorted({name for each in self._sets for name, _ in each.names})
        edges = {0, *(edge for each in self._sets for low, high in each.ranges for edge in (low, high + 1))}
        if len(names) > _MOST_NAMES:
            return None
        self._work += (len(edges) << len(names)) * len(self._sets)
        if self._work > most_work:
            return None
        every = product(edges, product((False, True), repeat=len(names)))
        return {frozenset(self._containing(code, dict(zip(names, known, strict=True)))) for code, known in every}

    def _containing(self, code: int, known: dict[str, bool]) -> Iterator[int]:
        for each, number in self._sets.items():
            inside = any(low <= code <= high for low, high in each.ranges)
            inside = inside or any(known[name] != negated for name, negated in each.names)
            if inside != each.others:
                yield number
