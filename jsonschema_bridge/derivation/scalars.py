"""Shapes of values without parts, and what they cannot carry."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from jsonschema_bridge.avro.primitives import RANGES
from jsonschema_bridge.derivation.admitted import NUMBERS, Admitted, Keywords, kind_of
from jsonschema_bridge.derivation.base64_text import is_canonical
from jsonschema_bridge.derivation.cases import Case
from jsonschema_bridge.derivation.model import Rule
from jsonschema_bridge.derivation.names import is_legal
from jsonschema_bridge.derivation.shapes import Enum, Scalar, ScalarKind, Shape

Judged = tuple[Case, Admitted]
"""A case, and what kinds of values it admits."""

_LONG = RANGES["long"]
_EXACT = 2**53
LIMITS: Mapping[ScalarKind, tuple[Rule, str]] = {
    "long": ("int64", f"integers are from {_LONG[0]} to {_LONG[1]}"),
    "double": ("exact", "integers are those that a double holds exactly: all up to 2^53, few beyond"),
}
"""The carry rules of numbers."""


def null(at: str) -> Scalar:
    """Return the shape of null."""
    return Scalar("null", at)


def boolean(judged: list[Judged], at: str) -> Scalar:
    """Return the shape of the booleans of some cases."""
    return Scalar("boolean", at, _choices(judged, bool))


def number_kind(judged: list[Judged]) -> ScalarKind:
    """Return what carries the numbers of some cases: long where all are integers, else double."""
    return "double" if any("fraction" in found.kinds for _, found in judged) else "long"


def number(kind: ScalarKind, judged: list[Judged], at: str) -> Scalar:
    """Return the shape of the numbers of some cases."""
    return Scalar(kind, at, _choices(judged, int, float))


def symbols(judged: list[Judged]) -> tuple[str, ...] | None:
    """Return all texts that some cases admit, None where they do not list them."""
    if any(found.choices is None for _, found in judged):
        return None
    return tuple(dict.fromkeys(each for _, found in judged for each in found.choices or () if isinstance(each, str)))


def are_legal(texts: Iterable[str]) -> bool:
    """Tell whether texts can be symbols of an Avro enum."""
    return all(map(is_legal, texts))


def is_base64(case: Case, keywords: Keywords) -> bool:
    """Tell whether one of the schemas says that the text is base64."""
    return any(keywords(node).get("contentEncoding") == "base64" for node in case)


def is_safe(kind: ScalarKind, case: Case, found: Admitted, keywords: Keywords) -> bool:
    """Tell whether `kind` carries every number that a case admits."""
    if found.choices is not None:
        return all(_fits(kind, value) for value in found.choices if kind_of(value) in NUMBERS)
    low, high = _bounds(case, keywords)
    if kind == "double":
        return "integer" not in found.kinds or (low >= -_EXACT and high <= _EXACT)
    return low >= _LONG[0] and high <= _LONG[1]


def takes(shape: Shape, value: object) -> int | None:
    """Return which branch of a shape carries a value without parts, None where none does."""
    for index, branch in enumerate(shape):
        if isinstance(branch, Enum) and isinstance(value, str) and value in branch.symbols:
            return index
        if isinstance(branch, Scalar) and _fits(branch.kind, value) and value in (branch.choices or (value,)):
            return index
    return None


def _fits(kind: ScalarKind, value: Any) -> bool:
    match kind, kind_of(value):
        case ("null", "null") | ("boolean", "boolean") | ("string", "string"):
            return True
        case "bytes", "string":
            return is_canonical(value)
        case "long", "integer":
            return bool(_LONG[0] <= value <= _LONG[1])
        case "double", "integer" | "fraction":
            return is_exact(value)
    return False


def is_exact(value: float) -> bool:
    """Tell whether a double holds a number exactly."""
    try:
        return float(value) == value
    except OverflowError:
        return False


def _choices(judged: list[Judged], *classes: type) -> frozenset[Any] | None:
    if any(found.choices is None for _, found in judged):
        return None
    return frozenset(each for _, found in judged for each in found.choices or () if type(each) in classes)


def _bounds(case: Case, keywords: Keywords) -> tuple[float, float]:
    every = [keywords(node) for node in case]
    low = [found.get(name) for found in every for name in ("minimum", "exclusiveMinimum")]
    high = [found.get(name) for found in every for name in ("maximum", "exclusiveMaximum")]
    return max(_numbers(low), default=-inf), min(_numbers(high), default=inf)


def _numbers(values: Iterable[Any]) -> list[float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
