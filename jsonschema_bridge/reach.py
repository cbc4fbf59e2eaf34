"""How often each schema of a document can judge one part of a value, and what is judged below that part.

A schema asks about a part of a value itself, and through its branches, conditions and references; it leads to the parts
below by `items`, `properties` and their like.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from jsonschema_bridge import drafts, weights
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.pattern_weights import PatternWeights
from jsonschema_bridge.references import BASE, base_uri, documents
from jsonschema_bridge.weights import Weight, members

_MOST_WORK = 1_000_000  # steps of this module itself: a second or two
_LOOK_UP = 30  # steps
_MOST_IN_A_ROW = 200  # schemas that judge the same part because another does, and that another

_BESIDE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependencies", "dependentSchemas")
TOLD = ("allOf", "then", "else", "dependencies", "dependentSchemas")
"""Those whose errors are errors of the whole."""

_NAMED = ("dependencies", "dependentSchemas", "patternProperties")
_ITEMS = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")
_OTHERS = ("additionalProperties", "unevaluatedProperties")
_DOWN = ("patternProperties", "propertyNames", *_OTHERS, *_ITEMS)
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_AGAIN = ("unevaluatedItems", "unevaluatedProperties")
"""To know what is left over, the validator asks again what stands beside."""

_TOO_ENTANGLED = "the schema is too entangled to tell what judging by it may cost"


class _Here(NamedTuple):
    """What one part of a value comes to where a schema judges it.

    `weight` is that of the part itself. The parts below it are judged so many times by each of the schemas that are
    told apart by their numbers: items by `items`, members by their name (None: any other) by `names`, after `tests` of
    it.
    """

    weight: Weight
    tests: Weight
    names: Mapping[str | None, Counter[int]]
    items: Counter[int]


class Graph:
    """The schemas that are reached from `root`, each with its number, and what each comes to."""

    def __init__(self, document: object, known: Mapping[str, object], keywords: Sequence[str] = _BESIDE) -> None:
        self._keywords = keywords
        self._specification = drafts.SPECIFICATIONS[drafts.dialect(document)]
        self._id = drafts.id_keyword(document)
        registry = documents(document, known, REGISTRY)
        base = base_uri(document, BASE, drafts.DRAFT_7)
        self._roots = [(other, registry.resolver(uri)) for uri, other in ((base, document), *known.items())]
        self._dynamic: list[tuple[Any, int]] | None = None
        self._schemas: dict[int, tuple[dict[str, Any], Any]] = {}
        self._asked_beside: dict[int, Sequence[tuple[int, int]]] = {}
        self._reached: dict[int, Counter[int]] = {}
        self._work = 0
        self._patterns = PatternWeights()
        self.entries: dict[int, _Here] = {}
        self.root = self._number(document, registry.resolver(base))
        self._coming_back = frozenset(self._found_coming_back())
        self.repeated = {target for _, target in self._coming_back}
        waiting = [self.root, *self.repeated]
        while waiting:
            number = waiting.pop()
            if number not in self.entries:
                here = self.entries[number] = self._here(number)
                waiting += chain(here.items, *here.names.values())

    def spend(self, steps: int) -> None:
        """Count steps of this analysis. Raises SchemaInvalid when they are too many."""
        self._work += steps
        if self._work > _MOST_WORK:
            raise SchemaInvalid(_TOO_ENTANGLED)

    def _found_coming_back(self) -> Iterator[tuple[int, int]]:
        """Yield (schema, schema that it refers to) where that is being judged already; without these all ways end.

        The validator remembers what a schema to which something comes back said of a part of a value.
        """
        done: set[int] = set()
        open_ways = {self.root: self._ways(self.root)}
        while open_ways:
            number, ways = next(reversed(open_ways.items()))
            for below in ways:
                if below in open_ways:
                    yield number, below
                elif below not in done:
                    open_ways[below] = self._ways(below)
                    break
            else:
                del open_ways[number]
                done.add(number)

    def _ways(self, number: int) -> Iterator[int]:
        """Yield what judges the same part for schema `number`, or a part directly below."""
        self.spend(1)
        schema, resolver = self._schemas[number]
        yield from (below for below, _ in self._beside(number))
        for below in chain(_below(schema, _DOWN), members(schema.get("properties")).values()):
            yield self._inner(below, resolver)

    def forks(self) -> int:
        """Return in how many ways at most judging a part leads to a schema once more for one part below."""
        every = (below for here in self.entries.values() for below in (here.items, *here.names.values()))
        return max((sum(times * self._ways_back(each) for each, times in below.items()) for below in every), default=0)

    def _ways_back(self, number: int) -> int:
        self.spend(1)
        return sum(
            count * times
            for each, count in self._judging(number).items()
            for below, times in self._beside(each)
            if (each, below) in self._coming_back
        )

    def most(self, kind: int) -> Iterator[int]:
        """Yield how much of a kind of weight a part comes to at most, at each level or above; the last for all below.

        It does not end where that has no bound.
        """
        most = {number: here.weight[kind] for number, here in self.entries.items()}
        if not any(here.weight[kind] or here.tests[kind] for here in self.entries.values()):
            yield 0
            return
        while True:
            yield most[self.root] + sum(most[number] for number in self.repeated)
            deeper = {number: self._most(kind, here, most) for number, here in self.entries.items()}
            if deeper == most:
                return
            most = deeper

    def _most(self, kind: int, here: _Here, most: Mapping[int, int]) -> int:
        """Return the most for a part, here or below, where `most` says it for what is below."""
        found = here.weight[kind]
        for tests, targets in chain(((here.tests[kind], each) for each in here.names.values()), ((0, here.items),)):
            self.spend(1 + len(targets))
            direct = tests + sum(times * self.entries[each].weight[kind] for each, times in targets.items())
            found = max(found, direct, sum(times * most[each] for each, times in targets.items()))
        return found

    def _number(self, schema: Any, resolver: Any) -> int:
        """Return the number of a schema in which `resolver` resolves references."""
        number = id(schema)  # it lives as long as its document
        if number not in self._schemas:
            if not isinstance(schema, dict):
                schema = {}
            elif "$ref" in schema and self._specification in drafts.REF_ALONE:
                schema = {"$ref": schema["$ref"]}
            self._schemas[number] = schema, resolver
        return number

    def _inner(self, schema: Any, resolver: Any) -> int:
        """Return the number of a schema that stands in one in which `resolver` resolves references."""
        return self._number(schema, self._within(schema, resolver))

    def _within(self, schema: Any, resolver: Any) -> Any:
        if not isinstance(schema, dict) or not isinstance(schema.get(self._id), str):
            return resolver
        return resolver.in_subresource(self._specification.create_resource(schema))

    def _here(self, number: int) -> _Here:
        weight = tests = weights.NOTHING
        others, items = Counter[int](), Counter[int]()
        named: dict[str, Counter[int]] = defaultdict(Counter)
        for each, times in self._judging(number).items():
            schema, resolver = self._schemas[each]
            weight = weight.plus(times, weights.of(schema, self._patterns))
            tests = tests.plus(times, weights.of_tests(schema, self._patterns))
            matched = [*_below(schema, ("patternProperties",))]
            rest = {self._inner(below, resolver): times for below in _below(schema, _OTHERS)}
            for below in chain(matched, _below(schema, ("propertyNames",))):
                others[self._inner(below, resolver)] += times
            others.update(rest)
            for below in _below(schema, _ITEMS):
                items[self._inner(below, resolver)] += times
            for name, below in members(schema.get("properties")).items():
                named[name][self._inner(below, resolver)] += times
                named[name].subtract(rest)
            self.spend(1 + len(matched) + len(named))
        names: dict[str | None, Counter[int]] = {None: others}
        for name, differing in named.items():
            names[name] = Counter(others)
            names[name].update(differing)
            self.spend(len(others))
        return _Here(weight, tests, names, items)

    def _judging(self, number: int, in_a_row: int = 0) -> Counter[int]:
        """Return how often each schema judges a part of a value that schema `number` judges."""
        if in_a_row > _MOST_IN_A_ROW:
            raise SchemaInvalid(_TOO_ENTANGLED)
        if number not in self._reached:
            found = Counter({number: 1})
            for below, times in self._beside(number):
                if (number, below) in self._coming_back:
                    continue
                inner = self._judging(below, in_a_row + 1)
                self.spend(len(inner))
                for each, count in inner.items():
                    found[each] += times * count
            self._reached[number] = found
        return self._reached[number]

    def _beside(self, number: int) -> Sequence[tuple[int, int]]:
        """Return (schema, times) of what judges the same part of a value for schema `number`."""
        if number not in self._asked_beside:
            self._asked_beside[number] = [*self._found_beside(number)]
        return self._asked_beside[number]

    def _found_beside(self, number: int) -> Iterator[tuple[int, int]]:
        schema, resolver = self._schemas[number]
        for keyword in _REFERENCES:
            if isinstance(schema.get(keyword), str):
                yield from ((target, 1) for target in self._targets(keyword, schema[keyword], resolver))
        times = 2 if any(keyword in schema for keyword in _AGAIN) else 1
        for below in _below(schema, self._keywords):
            yield self._inner(below, resolver), times

    def _targets(self, keyword: str, reference: str, resolver: Any) -> set[int]:
        """Return where a reference may lead; a dynamic one wherever its anchor stands."""
        self.spend(_LOOK_UP)
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError) as error:
            raise SchemaInvalid(f"the {keyword} {reference[:200]!r} leads to nothing") from error
        targets = {self._number(found.contents, found.resolver)}
        if keyword != "$ref":
            anchor = reference.partition("#")[2] or True
            targets |= {number for said, number in self._anchors() if said == anchor}
        return targets

    def _anchors(self) -> list[tuple[Any, int]]:
        """Return (anchor, schema) of all to which dynamic references may lead."""
        if self._dynamic is None:
            self._dynamic = []
            waiting: list[tuple[Any, Any]] = list(self._roots)
            while waiting:
                item, resolver = waiting.pop()
                self.spend(1)
                said = item.get("$dynamicAnchor", item.get("$recursiveAnchor")) if isinstance(item, dict) else None
                if said:
                    self._dynamic.append((said, self._number(item, resolver)))
                waiting.extend((each, self._within(each, resolver)) for each in weights.parts_of(item))
        return self._dynamic


def _below(schema: Mapping[str, Any], keywords: Sequence[str]) -> Iterator[Any]:
    """Yield the schemas at some keywords of a schema."""
    for keyword in keywords:
        value = schema.get(keyword)
        if isinstance(value, dict):
            yield from filter(_is_schema, value.values()) if keyword in _NAMED else (value,)
        elif isinstance(value, list):
            yield from filter(_is_schema, value)
        elif isinstance(value, bool):
            yield value


def _is_schema(schema: object) -> bool:
    return isinstance(schema, dict | bool)
