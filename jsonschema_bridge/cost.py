"""What it may cost to judge a value by a JSON Schema, known before it is judged.

A native validation cannot be interrupted, so what could take too long is not begun. A schema is told by how often it
can have one part of a value judged, at each level of the value. A value is told by how many parts it has at each.
"""

import marshal
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from jsonschema_bridge import patterns
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.pattern_weights import PAIRS
from jsonschema_bridge.reach import TOLD, Graph
from jsonschema_bridge.weights import NOTHING, Weight, is_long, of_number, parts_of

MOST_JUDGEMENTS = 10_000
"""A schema that can have one part of a value judged more often is refused."""

MOST_STEPS = 1_000_000
"""So many judgements a value may need: a tenth of a second, for which all others wait."""

_MOST_TOLD = 10_000  # errors, at some ten microseconds each
_MOST_WAYS = 500_000
_CHARACTERS_OF_A_STEP = 128
_MOST_TRIES = 10_000  # of a pattern that looks at all of a text from each place: the validator gives up
_BITS_OF_A_STEP = 4  # of long integers: a pair of bounds takes 57 us for 1,000 digits
_WRITTEN_OUT = 10**9
_WITHOUT_REFERENCES = 2  # the version of a dump in which what is there twice is written twice
_DENSEST_INTEGER = 2  # steps for a byte of a dump
_DENSEST_FRACTION = 13


class Cost:
    """How much a schema can ask about one part of a value; `judgements` at each level, the last for all below too.

    `slow` is the most that is asked about a part at any level. `unique` tells whether one long integer may be compared
    with all others. `forks` tells in how many ways the schema leads from a part back to itself for one part below,
    `forks_told` in how many of which errors are told: where nothing remembers what was said of a part, they multiply at
    each level.
    """

    def __init__(
        self,
        judgements: Sequence[int],
        slow: Weight = NOTHING,
        *,
        unique: bool = False,
        forks: int = 1,
        forks_told: int = 1,
    ) -> None:
        self.judgements = judgements
        self.slow = slow
        self._forks = forks
        self._forks_told = forks_told
        self._unique = unique
        self.is_free = judgements[-1] == 1 and not any(slow[1:]) and not unique
        """Whether no part is judged twice: a megabyte of JSON has MOST_STEPS parts at most, and needs no look."""

    def exceeds(self, value: Any, steps: int = MOST_STEPS) -> bool:
        """Tell whether judging `value` may need more than so many judgements."""
        if self.is_free or self._most_steps(value) <= steps:
            return False
        parts: list[Any] = [value]
        names: list[str] = []
        for often in chain(self.judgements, repeat(self.judgements[-1])):
            steps -= often * len(parts)
            if steps < 0 or not (parts or names):
                return steps < 0
            below: list[Any] = []
            numbers: list[float] = []
            texts, names = names, []  # names are judged like the parts below
            for part in parts:
                if isinstance(part, dict):
                    below += part.values()
                    names += part
                elif isinstance(part, list):
                    below += part
                elif isinstance(part, str):
                    texts.append(part)
                elif isinstance(part, int | float):
                    numbers.append(part)
            steps -= self._steps_of_numbers(often, numbers)
            steps -= often * sum(len(text) // _CHARACTERS_OF_A_STEP for text in texts)
            if self.slow.characters or self.slow.pairs:
                steps -= sum(self._steps_of_text(len(text.encode(errors="surrogatepass"))) for text in texts)
            parts = below
        return False

    def _most_steps(self, value: Any) -> int:
        """Return what no value of this size needs more than; it takes a third of a microsecond."""
        # In a dump, which is made in C, a part takes a byte at least, a fraction nine, 15 bits of an integer two.
        size = len(marshal.dumps(value, _WITHOUT_REFERENCES))
        often = max(_DENSEST_INTEGER * self.judgements[-1], _DENSEST_FRACTION * self.slow.comparisons)
        return size * often + self._steps_of_text(size) + (size * size // 32 if self._unique else 0)

    def forks(self, value: Any, steps: int = _MOST_WAYS) -> bool:
        """Tell whether noting what looks at each part of `value` may take more than so many steps."""
        return self._forks > 1 and self._forks ** _levels(value) > steps

    def forks_told(self, value: Any, steps: int = _MOST_TOLD) -> bool:
        """Tell whether that holds for telling what is wrong with each part."""
        return self._forks_told > 1 and self._forks_told ** _levels(value) > steps

    def _steps_of_numbers(self, often: int, numbers: Sequence[float]) -> int:
        """Return how many steps numbers of one level take, besides one for each judgement."""
        comparisons = self.slow.comparisons
        fractions = comparisons and sum(of_number(each) for each in numbers if isinstance(each, float))
        long = [each.bit_length() for each in numbers if isinstance(each, int) and is_long(each)]
        steps = comparisons * fractions + often * sum(long) // _BITS_OF_A_STEP
        return steps + 2 * len(long) ** 2 if self._unique else steps

    def _steps_of_text(self, length: int) -> int:
        """Return how many steps slow patterns take for a text of so many bytes."""
        return self.slow.characters * length + self.slow.pairs * length * min(length, _MOST_TRIES) // PAIRS


def _levels(value: Any) -> int:
    levels, parts = 0, [value]
    while parts := [each for part in parts for each in parts_of(part)]:
        levels += 1
    return levels


def cost_of(document: object, known: Mapping[str, object]) -> Cost:
    """Return what judging by `document` costs; `known` are the schemas that it refers to, by their URIs.

    Raises SchemaInvalid when a part of a value may be judged more than MOST_JUDGEMENTS times, and for a schema that is
    too entangled to tell.
    """
    graph = Graph(document, known)
    judgements: list[int] = []
    for often in graph.most(0):
        if often > MOST_JUDGEMENTS:
            about = str(often) if often < _WRITTEN_OUT else f"10^{len(str(often)) - 1}"
            raise SchemaInvalid(f"a part of a value may be judged {about} times, more than {MOST_JUDGEMENTS}")
        judgements.append(often)
    slow = Weight(judgements[-1], *(max(graph.most(kind)) for kind in range(1, len(NOTHING))))
    forks = graph.forks() if graph.repeated else 1
    told = Graph(document, known, TOLD).forks() if forks > 1 else 1
    unique = any("uniqueItems" in node for node, _ in patterns.nodes([document, *known.values()]))
    return Cost(judgements, slow, unique=unique, forks=forks, forks_told=told)
