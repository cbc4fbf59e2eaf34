"""The ways in which a value may satisfy a schema: `$ref` followed, `allOf` merged, `anyOf` and `oneOf` told apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from jsonschema_bridge.derivation.admitted import IMPLIED, Admitted, admitted, types
from jsonschema_bridge.derivation.model import Report
from jsonschema_bridge.derivation.source import Node, Place, Source

Case = tuple[Node, ...]
"""Nodes whose own keywords all hold, in the order of their places. Without a node anything goes."""

_Part = list[tuple[Node | None, Case]]
"""Cases, each with the alternative of `anyOf` or `oneOf` by which it came."""

MAX_CASES = 256
"""A schema of which a value may satisfy more combinations of alternatives has no Avro form."""

_ANYTHING: Case = ()
_STRUCTURE = frozenset({"type", "enum", "const", "properties", "patternProperties", "additionalProperties", "items"})
_STRUCTURE |= {"prefixItems", "additionalItems", "unevaluatedProperties", "contentEncoding"}
_GROUPS = ("anyOf", "oneOf")
_LEADS = frozenset({"$ref", "allOf", *_GROUPS})
_NARROWS = frozenset({"minProperties", "maxProperties", "propertyNames", "dependentRequired"})
"""Keywords about objects that leave their form alone: beside anything else they are passed over."""
_OPENS = frozenset({"if", "dependencies", "dependentSchemas", "patternProperties", "$dynamicRef", "$recursiveRef"})
"""Keywords that can bring in members which `unevaluatedProperties` then lets through."""
_OWN = frozenset(IMPLIED) | _STRUCTURE | _OPENS


class Cases:
    """Finds the cases of nodes; what goes wrong is refused in `report`. Each node is looked at once."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self._report = report
        self._known: dict[Place, list[Case]] = {}
        self._open: set[Place] = set()
        self._loose: set[Place] = set()
        self._brings: dict[Place, set[Place]] = {}

    def of(self, node: Node) -> list[Case]:
        """Return the cases of a node; none when no value satisfies it."""
        if isinstance(node.schema, bool):
            return [_ANYTHING] if node.schema else []
        if node.place in self._open:
            self._report.refuse(self.source.pointer(node), "the schema leads back to itself with nothing in between")
            return []
        if node.place not in self._known:
            self._open.add(node.place)
            self._known[node.place] = self._of(node)
            self._open.discard(node.place)
        return self._known[node.place]

    def together(self, parts: Sequence[list[Case]], at: str) -> list[Case]:
        """Return the cases of values that satisfy all `parts`. `at` is the pointer where too many are refused."""
        if prod(map(len, parts)) > MAX_CASES:
            text = f"there are more than {MAX_CASES} combinations of alternatives"
            self._report.refuse(at, text)
            return []
        return distinct(_ordered(each for case in choice for each in case) for choice in product(*parts))

    def admitted(self, case: Case) -> Admitted:
        """Return what kinds of values satisfy a case."""
        return admitted(case, self.source.keywords)

    def opens(self, case: Case) -> bool:
        """Tell whether members may come in that the nodes of a case do not declare, whatever they do not evaluate."""
        return any(node.place in self._loose or _OPENS & self.source.keywords(node).keys() for node in case)

    def telling(self, case: Case) -> list[Node]:
        """Return the nodes that tell a case from others: not those that follow from them or stand around them."""
        own = [node for node in case if not any(self._follows(node.place, other.place) for other in case)] or list(case)
        return [node for node in own if not any(_around(node.place, other.place) for other in own)]

    def _follows(self, place: Place, other: Place) -> bool:
        return any(one in self._brought(another) for one, another in _parents(place, other))

    def _brought(self, place: Place) -> set[Place]:
        """Return the places of the nodes that hold wherever the one at `place` does: by `$ref` and `allOf`."""
        if place not in self._brings:
            found: set[Place] = set()
            waiting = [self.source.at(place)]
            while waiting:
                new = [each for each in self._always(waiting.pop()) if each.place not in found]
                found |= {each.place for each in new}
                waiting += new
            self._brings[place] = found
        return self._brings[place]

    def _of(self, node: Node) -> list[Case]:
        keywords = self.source.keywords(node)
        parts: list[_Part] = [[(None, case) for case in self.of(each)] for each in self._always(node)]
        groups = [self._either(node, group) for group in _GROUPS if _shapes(keywords.get(group, ()))]
        parts = [part for part in parts + groups if not _is_loose(part)]
        own = _OWN & keywords.keys()
        if any(map(_is_loose, groups)):
            self._loose.add(node.place)
            own |= {"anyOf"}
        if not parts:
            return [(node,)] if own else [_ANYTHING]
        own -= _NARROWS
        if len(parts) == 1 and not own:
            return distinct(case for _, case in parts[0])
        if len(parts) == 1 and own == {"type"}:
            wanted = types(keywords["type"])
            return distinct(case if self._within(case, wanted) else _marked(node, alt, case) for alt, case in parts[0])
        marked = [[_marked(node, alt, case) for alt, case in part] for part in parts]
        return self.together(marked, self.source.pointer(node))

    def _always(self, node: Node) -> list[Node]:
        if not isinstance(node.schema, dict):
            return []
        keywords = self.source.keywords(node)
        targets = [self.source.target(node)] if isinstance(keywords.get("$ref"), str) else []
        every = keywords.get("allOf")
        size = len(every) if isinstance(every, list) else 0  # else a member's name, where a place holds members
        return targets + [self.source.below(node, "allOf", index) for index in range(size)]

    def _either(self, node: Node, group: str) -> _Part:
        alternatives = [self.source.below(node, group, index) for index in range(len(node.schema[group]))]
        return [(each, case) for each in alternatives for case in self.of(each)]

    def _within(self, case: Case, wanted: frozenset[str]) -> bool:
        found = self.admitted(case)
        return found.said and found.kinds <= wanted


def _shapes(alternatives: Iterable[Any]) -> bool:
    # `anyOf: [{required: [a]}, {required: [b]}]` and the like only narrow what is there.
    return any(isinstance(each, Mapping) and (_STRUCTURE | _LEADS) & each.keys() for each in alternatives)


def _around(place: Place, other: Place) -> bool:
    return any(
        one.document == another.document
        and len(one.path) < len(another.path)
        and another.path[: len(one.path)] == one.path
        for one, another in _parents(place, other)
    )


def _parents(one: Place, other: Place) -> Iterator[tuple[Place, Place]]:
    """Yield two places, and those around them as long as both are at the same place in there."""
    yield one, other
    while one.path and other.path and one.path[-1] == other.path[-1]:
        one, other = one._replace(path=one.path[:-1]), other._replace(path=other.path[:-1])
        yield one, other


def _is_loose(part: _Part) -> bool:
    return any(case == _ANYTHING for _, case in part)


def _marked(node: Node, alternative: Node | None, case: Case) -> Case:
    """Return a case with the node at which it is merged, and the alternative that it came by: they give it its name."""
    return _ordered((node, *(() if alternative is None else (alternative,)), *case))


def _ordered(nodes: Iterable[Node]) -> Case:
    unique = {node.place: node for node in nodes}
    return tuple(unique[place] for place in sorted(unique))


def distinct(cases: Iterable[Case]) -> list[Case]:
    """Return the cases without repetition, in their order."""
    return list({places(case): case for case in cases}.values())


def places(case: Case) -> tuple[Place, ...]:
    """Return what tells cases apart."""
    return tuple(node.place for node in case)
