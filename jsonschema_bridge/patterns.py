"""Patterns with look-around, back-references or edges of words, which backtrack, and where they may not stand.

All other patterns are matched in linear time. These are given up after so many steps, and the validator then refuses
the value, whatever `not`, `oneOf` or `if` would make of that; only `contains` takes an item that was given up for one
that conforms (jsonschema-rs 0.60).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from jsonschema_bridge import drafts
from jsonschema_bridge.errors import SchemaInvalid

_LARGEST = 2**25
"""Bytes that a compiled pattern may have: 255 letters of any script, as in names of people, take more than 2**23."""

_SMALLEST = 2**12
_EDGE = re.compile(r"(?<!\\)(?:\\\\)*\\[bB]")
"""The edge of a word: the engine that knows look-around takes it for such, the other one does not."""

_LINEAR = jsonschema_rs.RegexOptions(size_limit=_LARGEST)
_BOUNDED = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000, size_limit=_LARGEST)
"""A pattern that backtracks this often on a text is given up: no schema can stall a worker."""

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


@lru_cache(maxsize=10_000)
def backtracks(pattern: str) -> bool:
    """Tell whether `pattern` cannot be matched in linear time; a text that is no pattern counts as such."""
    return _EDGE.search(pattern) is not None or not _compiles(pattern, _LINEAR)


@lru_cache(maxsize=10_000)
def size(pattern: str) -> int:
    """Return how many bytes `pattern` takes at most, compiled; of one that backtracks, the largest part of it."""
    bytes_ = _SMALLEST
    while bytes_ < _LARGEST and not _compiles(pattern, jsonschema_rs.FancyRegexOptions(size_limit=bytes_)):
        bytes_ *= 2
    return bytes_


def _compiles(pattern: str, options: Any) -> bool:
    try:
        jsonschema_rs.Draft7Validator({"pattern": pattern}, pattern_options=options)
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def options(schemas: Iterable[object]) -> Any:
    """Return how the patterns in `schemas` are matched: in linear time, unless one of them cannot be.

    The engine that can backtrack has a fault besides (jsonschema-rs 0.60.3): to it "a" matches `^[a-z]+-?[a-z]+$`.
    """
    every = (pattern for node, _ in nodes(schemas) for pattern in _patterns(node))
    return _BOUNDED if any(map(backtracks, every)) else _LINEAR


def check_contains(schemas: Iterable[object]) -> None:
    """Refuse `schemas`, which refer to each other, where `contains` may meet a pattern that backtracks.

    Raises SchemaInvalid with the pattern.
    """
    inside, anywhere, refers = set[str](), set[str](), False
    for node, within in nodes(schemas):
        found = set(filter(backtracks, _patterns(node)))
        anywhere |= found
        if within:
            inside |= found
            refers = refers or any(keyword in node for keyword in _REFERENCES)
    for pattern in sorted(anywhere if refers else inside)[:1]:
        raise SchemaInvalid(
            f"the pattern {pattern[:200]!r} has look-around, back-references or \\b and could be given up "
            "within contains"
        )


def nodes(schemas: Iterable[object]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield whatever could be a schema, and whether it stands below `contains`."""
    waiting = [(schema, False) for schema in schemas]
    while waiting:
        item, within = waiting.pop()
        if isinstance(item, list):
            waiting.extend((each, within) for each in item)
        elif isinstance(item, dict):
            yield item, within
            for keyword, value in item.items():
                if keyword in drafts.MAPS and isinstance(value, dict):
                    waiting.extend((each, within) for each in value.values())
                elif keyword not in ("enum", "const"):
                    waiting.append((value, within or keyword == "contains"))


def _patterns(node: dict[str, Any]) -> Iterator[str]:
    if isinstance(node.get("pattern"), str):
        yield node["pattern"]
    if isinstance(node.get("patternProperties"), dict):
        yield from node["patternProperties"]
