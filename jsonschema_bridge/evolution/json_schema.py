"""What changed from one version of a JSON Schema to the next, and whether that only adds to it.

What counts is what a schema declares; members that it does not declare are no part of it. So it may declare more of
them, or take no others any more, and that still is an addition.
"""

from typing import Any

from jsonschema_bridge import drafts
from jsonschema_bridge.evolution.change import Changes, Place, SchemaChange, beyond, named, short, text_of
from jsonschema_bridge.references import Resolve, read_schema
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.violation import pointer

_FREE = frozenset({"description", "examples", "title"})
"""What may change and come and go; so may what gives a schema its URI."""
_DEFINITIONS = frozenset({"definitions", "$defs"})
_TUPLES = frozenset({"items", "prefixItems"})
_ABOUT_ITSELF = frozenset({"if", "then", "else", "not", "propertyNames", "contentSchema"})
"""Keywords with a schema for the value itself."""
_CLOSING = frozenset({"additionalProperties", "unevaluatedProperties"})
_OTHERS = frozenset({"items", "additionalItems", "unevaluatedItems"}) | _CLOSING
"""Keywords with a schema for what is in the value and nothing else judges."""
_SINGLE = drafts.SINGLE | {"contentSchema"}
_REVERSED = frozenset({"if", "not"})
"""Where what is added takes something away."""
_UNORDERED = frozenset({"enum", "required", "type"})
_REFUSING = (drafts.MAPS - _DEFINITIONS) | drafts.LISTS | _SINGLE | _UNORDERED
_REFUSING |= {
    "$schema",
    "$ref",
    "$recursiveRef",
    "$dynamicRef",
    "$recursiveAnchor",
    "$dynamicAnchor",
    "const",
    "format",
    "multipleOf",
    "pattern",
}
_REFUSING |= {"maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minLength", "maxItems"}
_REFUSING |= {"minItems", "uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties"}
_REFUSING |= {"dependentRequired", "contentEncoding", "contentMediaType"}
"""Keywords that refuse values, or may make others do so: where there was none, one more is no mere addition."""


def json_schema_changes(old: Schema, new: Schema, resolve: Resolve) -> list[SchemaChange]:
    """Return what changed, in the order of the new schema. Raises SchemaInvalid, and what `resolve` raises."""
    comparison = _Comparison(resolve)
    comparison.documents(old, new, ("", ""))
    return comparison.changes.found


class _Comparison:
    """Goes through two schemas side by side and notes what differs."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._seen: set[tuple[Schema, Schema]] = set()
        self._free = _FREE
        self.changes = Changes()

    def documents(self, old: Schema, new: Schema, at: Place) -> None:
        """Compare two documents, and those that both refer to by the same name."""
        if (old, new) in self._seen:
            return
        self._seen.add((old, new))
        before, after = read_schema(old.text), read_schema(new.text)
        self._free = _FREE | {drafts.id_keyword(before)}
        self._schemas(before, after, at, reverse=False)
        referred = {each.name: each for each in old.references}
        for reference in new.references:
            earlier = referred.get(reference.name, reference)
            if earlier != reference:
                root = f"{reference.name}#"
                self.documents(self._resolve(earlier), self._resolve(reference), (root, root))

    def _schemas(self, old: Any, new: Any, at: Place, *, reverse: bool) -> None:
        before, after = ({} if each is True else each for each in (old, new))
        if not (isinstance(before, dict) and isinstance(after, dict)):
            if not _same(before, after):
                self.changes.note(
                    at, f"{named(at)}: the schema changed from {short(old)} to {short(new)}", additive=False
                )
            return
        for keyword in [*after, *(keyword for keyword in before if keyword not in after)]:
            if keyword not in self._free:
                self._keyword(keyword, before, after, at, reverse=reverse)

    def _keyword(self, keyword: str, old: dict[str, Any], new: dict[str, Any], at: Place, *, reverse: bool) -> None:
        before, after = old.get(keyword), new.get(keyword)
        here = _below(at, keyword)
        if keyword in drafts.MAPS and _are(dict, before, after):
            self._members(keyword, old, new, at, reverse=reverse)
        elif keyword == "required" and _are(list, before, after):
            self._required(before or [], after or [], at)
        elif keyword == "enum" and isinstance(before, list) and isinstance(after, list):
            self._enum(before, after, here, reverse=reverse)
        elif keyword not in old:
            self._added(keyword, after, at, reverse=reverse)
        elif keyword not in new:
            if not _takes_all(keyword, before):
                self.changes.note(here, f"{named(at)}: {keyword} disappeared", additive=False)
        else:
            self._kept(keyword, before, after, at, reverse=reverse)

    def _kept(self, keyword: str, before: Any, after: Any, at: Place, *, reverse: bool) -> None:
        """Compare the values of a keyword that both have: go into schemas, take all else as it is."""
        here = _below(at, keyword)
        if (
            keyword in drafts.LISTS
            and isinstance(before, list)
            and isinstance(after, list)
            and len(before) == len(after)
        ):
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                below = _below(here, str(index), inside=str(index) if keyword in _TUPLES else "")
                self._schemas(one, other, below, reverse=reverse)
        elif keyword in _SINGLE and _is_schema(before) and _is_schema(after):
            below = _below(at, keyword, inside="" if keyword in _ABOUT_ITSELF else "*")
            self._schemas(before, after, below, reverse=reverse or keyword in _REVERSED)
        elif not _same(before, after, unordered=keyword in _UNORDERED):
            words = f"{keyword} changed from {short(before)} to {short(after)}"
            self.changes.note(here, f"{named(at)}: {words}", additive=False)

    def _members(self, keyword: str, old: dict[str, Any], new: dict[str, Any], at: Place, *, reverse: bool) -> None:
        """Compare schemas that have names, each member's or each definition's."""
        before, after = old.get(keyword) or {}, new.get(keyword) or {}
        so_far = self._judged_so_far(old) if keyword == "properties" else None
        for name in [*after, *(name for name in before if name not in after)]:
            below = _member(keyword, name, at)
            known = keyword == "properties" or keyword in _DEFINITIONS
            words = named(below) if known else f"{named(at)}: {keyword} {name}"
            if name not in after:
                self.changes.note(below, f"{words} disappeared", additive=False)
            elif name in before and _is_schema(before[name]) and _is_schema(after[name]):
                self._schemas(before[name], after[name], below, reverse=reverse)
            elif name in before:
                if not _same(before[name], after[name], unordered=True):
                    self.changes.note(below, f"{words} changed", additive=False)
            else:
                other = so_far is not None and so_far != self._bare(after[name])
                self.changes.note(
                    below,
                    f"{words} was added" + (", which additionalProperties took otherwise" if other else ""),
                    additive=known and not other and not (reverse and keyword == "properties"),
                )

    def _judged_so_far(self, old: dict[str, Any]) -> str | None:
        """Return the schema that judged the members which were not declared, None where nothing did."""
        others = old.get("additionalProperties")
        return self._bare(others) if isinstance(others, dict) and _REFUSING & others.keys() else None

    def _bare(self, schema: Any) -> str:
        """Write a schema without what may change freely in it."""
        if not isinstance(schema, dict):
            return text_of(schema)
        return text_of({keyword: value for keyword, value in schema.items() if keyword not in self._free})

    def _required(self, before: list[Any], after: list[Any], at: Place) -> None:
        here = _below(at, "required")
        for name in beyond(after, before):
            self.changes.note(here, f"{at[1]}{pointer([str(name)])} became required", additive=False)
        for name in beyond(before, after):
            self.changes.note(here, f"{at[1]}{pointer([str(name)])} is no longer required", additive=False)

    def _enum(self, before: list[Any], after: list[Any], at: Place, *, reverse: bool) -> None:
        for value in beyond(after, before):
            self.changes.note(at, f"{named(at)} may be {short(value)} too", additive=not reverse)
        for value in beyond(before, after):
            self.changes.note(at, f"{named(at)} may no longer be {short(value)}", additive=False)

    def _added(self, keyword: str, value: Any, at: Place, *, reverse: bool) -> None:
        here = _below(at, keyword)
        if keyword in _CLOSING and value is False:
            self.changes.note(here, f"{named(at)} takes no undeclared members any more", additive=not reverse)
        elif keyword not in _REFUSING:
            self.changes.note(here, f"{named(at)}: {keyword} was added", additive=True)
        elif not _takes_all(keyword, value):
            self.changes.note(here, f"{named(at)}: {keyword} was added ({short(value)})", additive=False)


def _below(at: Place, step: str, inside: str = "") -> Place:
    """Step down in the schema, and into what is in the values."""
    return at[0] + pointer([step]), at[1] + (f"/{inside}" if inside else "")


def _takes_all(keyword: str, value: Any) -> bool:
    """Tell whether a keyword says no more than if it were not there."""
    return (keyword in _OTHERS and (value is True or value == {})) or (keyword == "required" and value == [])


def _member(keyword: str, name: str, at: Place) -> Place:
    below = at[0] + pointer([keyword, name])
    if keyword == "properties":
        return below, at[1] + pointer([name])
    if keyword == "patternProperties":
        return below, f"{at[1]}/*"
    if keyword in _DEFINITIONS:
        return below, below if "#" in below else f"#{below}"
    return below, at[1]


def _are(kind: type, *values: Any) -> bool:
    return all(value is None or isinstance(value, kind) for value in values)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _same(one: Any, other: Any, *, unordered: bool = False) -> bool:
    if unordered:
        one, other = (each if isinstance(each, list) else [each] for each in (one, other))
        return not beyond(one, other) and not beyond(other, one)
    return text_of(one) == text_of(other)
