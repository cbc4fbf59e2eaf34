"""What one schema asks of one part of a value, apart from what it leads to.

Figures are steps, of 83 ns each: what it takes to compare a constant (jsonschema-rs 0.60, two cores).
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from math import frexp
from typing import Any, NamedTuple

from jsonschema_bridge.pattern_weights import PatternWeights

_FRACTION = 20  # steps for a multiple of one
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_LONG_BITS = 63


class Weight(NamedTuple):
    """What is done for one part of a value: judgements, and slow comparisons with numbers.

    `characters` and `pairs` are the steps that slow patterns take for each byte and for each PAIRS pairs of characters.
    """

    judgements: int
    comparisons: int
    characters: int = 0
    pairs: int = 0

    def plus(self, times: int, other: "Weight") -> "Weight":
        """Return this and so many times another."""
        return Weight(*(mine + times * each for mine, each in zip(self, other, strict=True)))


NOTHING = Weight(0, 0)


def of(schema: Mapping[str, Any], patterns: PatternWeights) -> Weight:
    """Return what a schema asks by itself.

    An `enum` of texts finds a value at once, any other looks at one option after the other; so it is with the names for
    which something is required. Multiples of a fraction are counted exactly, however large the number is.
    """
    options = schema.get("enum")
    if not isinstance(options, list) or all(isinstance(each, str | bool | None) for each in options):
        options = []
    constants = [_constant(each) for each in options]
    judgements = 1 + sum(len(members(schema.get(name))) for name in ("dependentRequired", "dependencies"))
    comparisons = sum(isinstance(schema.get(name), float) for name in _BOUNDS)
    if "const" in schema:
        constants.append(_constant(schema["const"]))
        judgements -= 1  # a constant is what a step is
    multiple = schema.get("multipleOf")
    if isinstance(multiple, float):
        judgements += max(_FRACTION, of_number(multiple))
        comparisons += 1
    pattern = schema.get("pattern")
    characters, pairs = patterns.of(pattern) if isinstance(pattern, str) else (0, 0)
    return reduce(
        lambda total, each: total.plus(1, each), constants, Weight(judgements, comparisons, characters, pairs)
    )


def of_tests(schema: Mapping[str, Any], patterns: PatternWeights) -> Weight:
    """Return what is asked of each name of an object before it is known which schemas judge the member."""
    tests = [Weight(1, 0, *patterns.of(pattern)) for pattern in members(schema.get("patternProperties"))]
    return reduce(lambda total, each: total.plus(1, each), tests, NOTHING)


def _constant(value: object) -> Weight:
    """Return what it takes to compare something with `value`: each part once, with the part in its place."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Weight(1 + of_number(value), 1)
    inner = [_constant(each) for each in parts_of(value)]
    judgements = max((each.judgements for each in inner), default=1)
    return Weight(judgements + isinstance(value, dict), max((each.comparisons for each in inner), default=0))


def of_number(value: float) -> int:
    """Return how many steps more than a step it takes to compare a number with another.

    A fraction is written out and read digit by digit, 1.5 in 0.9 us and 1e-300 in 8.5 us, an integer of 1,000 digits in
    two.
    """
    if isinstance(value, int):
        return 4 + value.bit_length() // 128 if is_long(value) else 0
    return 10 + max(0, -frexp(value)[1]) // 10


def is_long(value: float) -> bool:
    """Tell whether `value` is an integer beyond the machine's: it is read from its digits whenever it is looked at.

    The validator has one hash for all of these, and compares each with each where items are to be unique.
    """
    return isinstance(value, int) and value.bit_length() >= _LONG_BITS


def members(value: object) -> Mapping[str, Any]:
    """Return the members of an object; anything else has none."""
    return value if isinstance(value, dict) else {}


def parts_of(part: Any) -> Iterable[Any]:
    """Return the parts directly below a part of a value."""
    return part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
