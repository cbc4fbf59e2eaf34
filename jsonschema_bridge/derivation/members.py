"""The members of an object that satisfies several schemas at once."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from jsonschema_bridge.derivation.cases import Case, Cases
from jsonschema_bridge.derivation.source import Node

ANYTHING: list[Case] = [()]


class Members(NamedTuple):
    """`declared` are the members that have schemas of their own, with these; `required` those that are always there.

    `extra` are the cases of all other members: none where there cannot be any, the empty case where anything goes.
    """

    declared: dict[str, list[Node]]
    required: frozenset[str]
    extra: list[Case]

    def with_required(self) -> "Members":
        """Return the same with the required members declared, though nothing is said of some of them."""
        unsaid: dict[str, list[Node]] = {name: [] for name in sorted(self.required - self.declared.keys())}
        return self._replace(declared=self.declared | unsaid)


def members(cases: Cases, case: Case) -> Members:
    """Return the members of an object of this case.

    Which names match a pattern is not asked: a name that has a schema of its own is judged by that, every other one
    may be what any of the patterns says.
    """
    source = cases.source
    names = dict.fromkeys(chain.from_iterable(source.keywords(node).get("properties", ()) for node in case))
    declared = {name: [found for node in case for found in _of(cases, node, name)] for name in names}
    required = frozenset(name for node in case for name in source.keywords(node).get("required", ()))
    extra = cases.together([_extra(cases, node, case) for node in case], source.pointer(case[0]))
    return Members(declared, required, extra)


def items(cases: Cases, case: Case) -> list[Case]:
    """Return the cases of the items of an array of this case: of all of them, wherever they stand."""
    source = cases.source
    heads, rests = zip(*(_items(cases, node) for node in case), strict=True)
    longest = max(map(len, heads))
    most = min((source.keywords(node).get("maxItems", longest + 1) for node in case), default=0)
    found: list[Case] = []
    for index in range(min(longest + 1, int(most))):
        parts = [head[index] if index < len(head) else rest for head, rest in zip(heads, rests, strict=True)]
        found += cases.together(parts, source.pointer(case[0]))
    return found


def _of(cases: Cases, node: Node, name: str) -> Iterator[Node]:
    """Yield what a node says of the member `name`."""
    keywords = cases.source.keywords(node)
    if name in keywords.get("properties", ()):
        yield cases.source.below(node, "properties", name)
    elif "additionalProperties" in keywords and not keywords.get("patternProperties"):
        yield cases.source.below(node, "additionalProperties")


def _extra(cases: Cases, node: Node, case: Case) -> list[Case]:
    keywords = cases.source.keywords(node)
    rest = "additionalProperties"
    if rest not in keywords and "unevaluatedProperties" in keywords and not cases.opens(case):
        rest = "unevaluatedProperties"
    patterns = keywords.get("patternProperties", ())
    allowed = [cases.source.below(node, "patternProperties", pattern) for pattern in patterns]
    allowed += [cases.source.below(node, rest)] if rest in keywords else []
    found = [each for below in allowed for each in cases.of(below)]
    return found if rest in keywords else found + ANYTHING


def _items(cases: Cases, node: Node) -> tuple[list[list[Case]], list[Case]]:
    """Return the cases of a node's first items, one by one, and those of the rest."""
    source, keywords = cases.source, cases.source.keywords(node)
    head = "prefixItems" if "prefixItems" in keywords else "items"
    rest = "additionalItems" if head == "items" else "items"
    first = keywords.get(head, True)
    if not isinstance(first, list):
        return [], cases.of(source.below(node, head)) if head in keywords else ANYTHING
    others = cases.of(source.below(node, rest)) if rest in keywords else ANYTHING
    return [cases.of(source.below(node, head, index)) for index in range(len(first))], others
