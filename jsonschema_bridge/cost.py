"""What it may cost to judge a value by a JSON Schema, known before it is judged.

A native validation cannot be interrupted, so what could take too long is not begun. A schema is told by how often it
can have one part of a value judged, at each level of the value. A value is told by how many parts it has at each.
"""

import marshal
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from jsonschema_bridge import drafts, patterns
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.references import BASE, base_uri, documents

MOST_JUDGEMENTS = 10_000
"""A schema that can have one part of a value judged more often is refused."""

MOST_STEPS = 1_000_000
"""So many judgements a value may need: a tenth of a second, for which all others wait."""

_MOST_TOLD = 10_000  # errors, at some ten microseconds each
_MOST_WAYS = 500_000
_CHARACTERS_OF_A_STEP = 128
_PAIRS_OF_A_STEP = 8_192  # characters of a text, where a pattern may look from each one at all others
_LONG_BITS = 63  # the validator has one hash for all longer integers, and compares each with each
_WRITTEN_OUT = 10**9
_MOST_WORK = 1_000_000  # steps of this module itself: a second or two
_FRACTION = 20  # steps
_LOOK_UP = 30  # steps
_MOST_IN_A_ROW = 200  # schemas that judge the same part because another does, and that another

_BESIDE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependencies", "dependentSchemas")
_TOLD = ("allOf", "then", "else", "dependencies", "dependentSchemas")
"""Those whose errors are errors of the whole."""

_NAMED = ("dependencies", "dependentSchemas", "patternProperties")
_ITEMS = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")
_OTHERS = ("additionalProperties", "unevaluatedProperties")
_DOWN = ("patternProperties", "propertyNames", *_OTHERS, *_ITEMS)
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_AGAIN = ("unevaluatedItems", "unevaluatedProperties")
"""To know what is left over, the validator asks again what stands beside."""


class Cost:
    """How often a schema can have one part of a value judged, at each level; the last figure is for all below too.

    `pairs` tells whether the schema may look at all of a text from each place in it, or from one long integer at all
    others. `forks` tells in how many ways it leads from a part back to itself for one part below, `forks_told` in how
    many of which errors are told: where nothing remembers what was said of a part, they multiply at each level.
    """

    def __init__(self, judgements: Sequence[int], *, pairs: bool = False, forks: int = 1, forks_told: int = 1) -> None:
        self.judgements = judgements
        self._forks = forks
        self._forks_told = forks_told
        self._pairs = pairs
        self.is_free = judgements[-1] == 1 and not pairs
        """Whether no part is judged twice: a megabyte of JSON has MOST_STEPS parts at most, and needs no look."""

    def exceeds(self, value: Any, steps: int = MOST_STEPS) -> bool:
        """Tell whether judging `value` may need more than so many judgements."""
        if self.is_free:
            return False
        # In a dump, which is made in C, a part takes a byte at least, and a long integer ten.
        size = len(marshal.dumps(value))
        if size * self.judgements[-1] + (size * size // 32 if self._pairs else 0) <= steps:
            return False
        parts: list[Any] = [value]
        long_integers = 0
        for often in chain(self.judgements, repeat(self.judgements[-1])):
            steps -= often * len(parts)
            if steps < 0 or not parts:
                return steps < 0
            below: list[Any] = []
            texts: list[str] = []
            for part in parts:
                if isinstance(part, dict):
                    below += part.values()
                    texts += part
                elif isinstance(part, list):
                    below += part
                elif isinstance(part, str):
                    texts.append(part)
                elif self._pairs and isinstance(part, int) and part.bit_length() >= _LONG_BITS:
                    steps -= 4 * long_integers
                    long_integers += 1
            steps -= often * sum(map(self._steps_of, map(len, texts)))
            parts = below
        return False

    def forks(self, value: Any, steps: int = _MOST_WAYS) -> bool:
        """Tell whether noting what looks at each part of `value` may take more than so many steps."""
        return self._forks > 1 and self._forks ** _levels(value) > steps

    def forks_told(self, value: Any, steps: int = _MOST_TOLD) -> bool:
        """Tell whether that holds for telling what is wrong with each part."""
        return self._forks_told > 1 and self._forks_told ** _levels(value) > steps

    def _steps_of(self, length: int) -> int:
        """Return how many steps a text takes that is judged once."""
        steps = length // _CHARACTERS_OF_A_STEP
        return steps + length * length // _PAIRS_OF_A_STEP if self._pairs else steps


def _levels(value: Any) -> int:
    levels, parts = 0, [value]
    while parts := [each for part in parts for each in _parts_of(part)]:
        levels += 1
    return levels


def _parts_of(part: Any) -> Iterable[Any]:
    return part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


_TOO_ENTANGLED = "the schema is too entangled to tell what judging by it may cost"


class _Here(NamedTuple):
    """What one part of a value comes to where a schema judges it.

    `steps` are for the part itself. The parts below it are judged so many times by each of the schemas that are told
    apart by their numbers: items by `items`, members by their name (None: any other) by `names`, after `tests` of it.
    """

    steps: int
    tests: int
    names: Mapping[str | None, Counter[int]]
    items: Counter[int]


class _Graph:
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
        for below in chain(_below(schema, _DOWN), _members(schema.get("properties")).values()):
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

    def most_judged(self, here: _Here, most: Mapping[int, int]) -> int:
        """Return how often a part is judged at most, here or below, where `most` says it for what is below."""
        found = here.steps
        for tests, targets in chain(((here.tests, each) for each in here.names.values()), ((0, here.items),)):
            self.spend(1 + len(targets))
            direct = tests + sum(times * self.entries[each].steps for each, times in targets.items())
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
        steps = tests = 0
        others, items = Counter[int](), Counter[int]()
        named: dict[str, Counter[int]] = defaultdict(Counter)
        for each, times in self._judging(number).items():
            schema, resolver = self._schemas[each]
            steps += times * _own_steps(schema)
            matched = [*_below(schema, ("patternProperties",))]
            tests += times * len(matched)
            rest = {self._inner(below, resolver): times for below in _below(schema, _OTHERS)}
            for below in chain(matched, _below(schema, ("propertyNames",))):
                others[self._inner(below, resolver)] += times
            others.update(rest)
            for below in _below(schema, _ITEMS):
                items[self._inner(below, resolver)] += times
            for name, below in _members(schema.get("properties")).items():
                named[name][self._inner(below, resolver)] += times
                named[name].subtract(rest)
            self.spend(1 + len(matched) + len(named))
        names: dict[str | None, Counter[int]] = {None: others}
        for name, differing in named.items():
            names[name] = Counter(others)
            names[name].update(differing)
            self.spend(len(others))
        return _Here(steps, tests, names, items)

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
                waiting.extend((each, self._within(each, resolver)) for each in _parts_of(item))
        return self._dynamic


def cost_of(document: object, known: Mapping[str, object]) -> Cost:
    """Return what judging by `document` costs; `known` are the schemas that it refers to, by their URIs.

    Raises SchemaInvalid when a part of a value may be judged more than MOST_JUDGEMENTS times, and for a schema that is
    too entangled to tell.
    """
    graph = _Graph(document, known)
    most = {number: here.steps for number, here in graph.entries.items()}
    judgements: list[int] = []
    while True:
        often = most[graph.root] + sum(most[number] for number in graph.repeated)
        if often > MOST_JUDGEMENTS:
            about = str(often) if often < _WRITTEN_OUT else f"10^{len(str(often)) - 1}"
            raise SchemaInvalid(f"a part of a value may be judged {about} times, more than {MOST_JUDGEMENTS}")
        judgements.append(often)
        deeper = {number: graph.most_judged(here, most) for number, here in graph.entries.items()}
        if deeper == most:
            forks = graph.forks() if graph.repeated else 1
            told = _Graph(document, known, _TOLD).forks() if forks > 1 else 1
            return Cost(judgements, pairs=_compares_pairs([document, *known.values()]), forks=forks, forks_told=told)
        most = deeper


def _compares_pairs(schemas: Sequence[object]) -> bool:
    """Tell whether there may be more to do for one part of a value than to look at it once."""
    return patterns.any_backtracks(schemas) or any("uniqueItems" in node for node, _ in patterns.nodes(schemas))


def _own_steps(schema: Mapping[str, Any]) -> int:
    """Return what a schema costs by itself.

    An `enum` of texts finds a value at once, any other looks at one option after the other; so it is with the names for
    which something is required. Multiples of a fraction are counted exactly, however large the number is.
    """
    options = schema.get("enum")
    if not isinstance(options, list) or all(isinstance(each, str | bool | None) for each in options):
        options = []
    names = sum(len(_members(schema.get(keyword))) for keyword in ("dependentRequired", "dependencies"))
    fraction = _FRACTION if isinstance(schema.get("multipleOf"), float) else 0
    return 1 + len(options) + names + fraction


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


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
