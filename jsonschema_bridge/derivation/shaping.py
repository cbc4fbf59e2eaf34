"""From the cases of a schema to its shape: kinds made to branches, equal kinds merged, objects made to records."""

from collections import deque
from collections.abc import Callable, Iterable

from jsonschema_bridge.derivation import scalars
from jsonschema_bridge.derivation.admitted import KINDS, NUMBERS, in_words
from jsonschema_bridge.derivation.cases import Case, Cases, distinct, places
from jsonschema_bridge.derivation.fields import make_fields
from jsonschema_bridge.derivation.members import Members, items, members
from jsonschema_bridge.derivation.model import Options, Report
from jsonschema_bridge.derivation.names import Names
from jsonschema_bridge.derivation.scalars import Judged
from jsonschema_bridge.derivation.shapes import EXTRA, Array, Branch, Enum, Map, Record, Scalar, Shape
from jsonschema_bridge.derivation.source import Place

MAX_SHAPES = 20_000
"""A schema that would need more shapes, each counted wherever it stands, has no Avro form."""

Key = frozenset[tuple[Place, ...]]


class TooLarge(Exception):
    """The Avro schema would be larger than is sensible."""


class Shaper:
    """Makes the shapes of one derivation. Records are made once, and filled one after the other."""

    def __init__(self, cases: Cases, names: Names, options: Options, report: Report) -> None:
        self._cases = cases
        self._names = names
        self._options = options
        self._report = report
        self._records: dict[tuple[Place, ...], Record] = {}
        self._empty: deque[Callable[[], None]] = deque()
        self._made = 0

    def root(self) -> Shape:
        """Return the shape of the whole, complete; empty when no value satisfies the schema. Raises TooLarge."""
        shape = self.shape(self._cases.of(self._cases.source.root), "")
        while self._empty:
            self._empty.popleft()()
        return shape

    def shape(self, cases: list[Case], at: str, around: frozenset[Key] = frozenset()) -> Shape:
        """Return the shape of values of these cases, empty when there is none. `at` is where an untyped one is told.

        `around` are the shapes around it up to the next record: one that is among them never ends.
        """
        self._made += 1
        if self._made > MAX_SHAPES:
            raise TooLarge
        key = frozenset(map(places, cases))
        judged = [(case, self._cases.admitted(case)) for case in cases]
        if any(found.untyped for _, found in judged):
            return self._untyped(at, "it gives no type")
        if key in around:
            return self._untyped(at, "it leads back to itself with no object with properties in between")
        return self._branches([each for each in judged if each[1].kinds], around | {key})

    def _branches(self, judged: list[Judged], around: frozenset[Key]) -> Shape:
        for case, found in judged:
            if not found.said:
                self._report.carry(self._at(case), "type", f"without a type, {in_words(found.kinds)} is meant")
        of = {kind: [each for each in judged if kind in each[1].kinds] for kind in KINDS}
        branches: list[Branch] = [scalars.null(self._first(of["null"]))] if of["null"] else []
        branches += [scalars.boolean(of["boolean"], self._first(of["boolean"]))] if of["boolean"] else []
        branches += self._number([each for each in judged if NUMBERS & each[1].kinds])
        branches += self._string(of["string"], named=not of["object"])
        branches += self._array(of["array"], around)
        return tuple(branches + self._objects(of["object"], around))

    def _is_untyped(self, cases: Iterable[Case]) -> bool:
        """Tell whether one of the cases lets anything through."""
        return any(self._cases.admitted(case).untyped for case in cases)

    def _untyped(self, at: str, why: str) -> Shape:
        if self._options.untyped == "refuse":
            self._report.refuse(at, f'{why}; untyped = "json" would carry it as JSON text')
        return (Scalar("json", at),)

    def _number(self, judged: list[Judged]) -> list[Branch]:
        if not judged:
            return []
        kind = scalars.number_kind(judged)
        unsafe = [each for each in judged if not scalars.is_safe(kind, *each, self._cases.source.keywords)]
        for case, _ in unsafe:
            self._report.carry(self._at(case), *scalars.LIMITS[kind])
        return [scalars.number(kind, judged, self._first(unsafe or judged))]

    def _string(self, judged: list[Judged], *, named: bool) -> list[Branch]:
        if not judged:
            return []
        at = self._first(judged)
        symbols = scalars.symbols(judged)
        if symbols is not None and named and scalars.are_legal(symbols):
            name = self._names.claim([case for case, _ in judged], at)
            return [Enum(name, symbols, at)]
        if symbols is None and all(scalars.is_base64(case, self._cases.source.keywords) for case, _ in judged):
            for case, _ in judged:
                self._report.carry(self._at(case), "base64", "the text is base64 with padding and nothing else")
            return [Scalar("bytes", at)]
        return [Scalar("string", at, None if symbols is None else frozenset(symbols))]

    def _array(self, judged: list[Judged], around: frozenset[Key]) -> list[Branch]:
        if not judged:
            return []
        at = self._first(judged)
        found = distinct(each for case, _ in judged for each in items(self._cases, case))
        return [Array(self.shape(found, at, around) or (scalars.null(at),), at)]

    def _objects(self, judged: list[Judged], around: frozenset[Key]) -> list[Branch]:
        records: list[Branch] = []
        values: list[Case] = []
        maps: list[Judged] = []
        for each in judged:
            found = members(self._cases, each[0])
            if found.declared or not found.extra:
                records.append(self._record(each[0], found))
            else:
                maps.append(each)
                values += found.extra
        if not maps:
            return list(dict.fromkeys(records))
        at = self._first(maps)
        shape = self.shape(distinct(values), at, around) or (scalars.null(at),)
        return [*dict.fromkeys(records), Map(shape, at)]

    def _record(self, case: Case, found: Members) -> Record:
        key = places(case)
        if key not in self._records:
            at = self._at(case)
            record = self._records[key] = Record(self._names.claim([case], at), at, self._names.doc(case))
            self._empty.append(lambda: self._fill(record, found))
        return self._records[key]

    def _fill(self, record: Record, found: Members) -> None:
        is_open = self._is_untyped(found.extra)
        if is_open and self._options.extra == "refuse":
            self._report.carry(record.at, "extra", "there are no members beside the declared ones")
            found = found.with_required()
        record.fields += make_fields(found, record.at, self._cases, self.shape, self._report)
        if is_open and self._options.extra == "map":
            record.extra = (Scalar("json", record.at),)
        elif found.extra and not is_open:
            record.extra = self.shape(found.extra, record.at) or None
        if record.extra is not None and any(field.name == EXTRA for field in record.fields):
            self._report.refuse(record.at, f"a member has the name {EXTRA!r}, which Avro needs for the others")

    def _first(self, judged: list[Judged]) -> str:
        """Return where something is said of cases that are merged: where it is only implied, if it is."""
        return self._at(next((case for case, found in judged if not found.said), judged[0][0]))

    def _at(self, case: Case) -> str:
        return self._cases.source.pointer(self._cases.telling(case)[0])
