"""What changed from one version of an Avro schema to the next, and whether that only adds to it.

Types are compared with their names resolved. Documentation may change, and so may an enum's default and the order of
fields and symbols.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema_bridge.avro.schema import DEFAULT, parse
from jsonschema_bridge.evolution.change import Changes, Place, SchemaChange, beyond, named, short, text_of
from jsonschema_bridge.references import Resolve
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.violation import pointer

_INSIDE = ("items", "values")
_COMPARED = frozenset({"type", "name", "fields", "symbols", *_INSIDE})
"""What is compared by itself; all else that a type says has to stay."""


def avro_changes(old: Schema, new: Schema, resolve: Resolve) -> list[SchemaChange]:
    """Return what changed, in the order of the new schema. Raises SchemaInvalid, and what `resolve` raises."""
    before, after = parse(old, resolve), parse(new, resolve)
    comparison = _Comparison(before.named, after.named)
    comparison.types(before.root, after.root, ("", ""))
    return comparison.changes.found


class _Comparison:
    """Goes through two types side by side and notes what differs; `old` and `new` have those that have names."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old = old
        self._new = new
        self._seen: set[str] = set()
        self.changes = Changes()

    def types(self, old: Any, new: Any, at: Place) -> None:
        """Compare two types."""
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if isinstance(old, list) and isinstance(new, list):
            self._unions(old, new, at)
        elif _title(old) != _title(new):
            words = f"type changed from {short(_title(old))} to {short(_title(new))}"
            self.changes.note(at, f"{named(at)}: {words}", additive=False)
        elif new.get("name") not in self._seen:
            self._seen |= {new["name"]} if "name" in new else set()
            self._bodies(old, new, at)

    def _unions(self, old: list[Any], new: list[Any], at: Place) -> None:
        before = _title([_resolved(each, self._old) for each in old])
        after = _title([_resolved(each, self._new) for each in new])
        if before != after:
            self.changes.note(at, f"{named(at)}: union changed from {short(before)} to {short(after)}", additive=False)
            return
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            self.types(one, other, (at[0] + pointer([index]), at[1]))

    def _bodies(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Place) -> None:
        """Compare what two types say that have the same title."""
        if "fields" in new:
            self._records(old, new, at)
        if "symbols" in new:
            for symbol in beyond(new["symbols"], old["symbols"]):
                self.changes.note(_below(at, "symbols"), f"{named(at)} may be {short(symbol)} too", additive=True)
            for symbol in beyond(old["symbols"], new["symbols"]):
                words = f"{named(at)} may no longer be {short(symbol)}"
                self.changes.note(_below(at, "symbols"), words, additive=False)
        for keyword in _INSIDE:
            if keyword in new:
                self.types(old[keyword], new[keyword], (_below(at, keyword)[0], f"{at[1]}/*"))
        before, after = (
            {key: kind[key] for key in kind if key not in _COMPARED and not key.startswith("__")} for kind in (old, new)
        )
        if text_of(before) != text_of(after):
            words = f"{short(_title(old))} changed from {_attributes(before)} to {_attributes(after)}"
            self.changes.note(at, f"{named(at)}: {words}", additive=False)

    def _records(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Place) -> None:
        before = {field["name"]: (index, field) for index, field in enumerate(old["fields"])}
        for index, field in enumerate(new["fields"]):
            here = (at[0] + pointer(["fields", index]), at[1] + pointer([field["name"]]))
            if field["name"] not in before:
                default = DEFAULT in field
                words = f"{named(here)} was added{'' if default else ' without a default'}"
                self.changes.note(here, words, additive=default)
                continue
            _, earlier = before.pop(field["name"])
            self.types(earlier["type"], field["type"], _below(here, "type"))
            self._fields(earlier, field, here)
        for name, (index, _) in before.items():
            gone = (at[0] + pointer(["fields", index]), at[1] + pointer([name]))
            self.changes.note(gone, f"{named(gone)} disappeared", additive=False)

    def _fields(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Place) -> None:
        """Compare what two fields of one name say beside their types."""
        here = _below(at, "default")
        if DEFAULT not in old and DEFAULT in new:
            self.changes.note(here, f"{named(at)} got a default", additive=True)
        elif DEFAULT in old and DEFAULT not in new:
            self.changes.note(here, f"{named(at)} has no default any more", additive=False)
        elif text_of(old.get(DEFAULT)) != text_of(new.get(DEFAULT)):
            words = f"default changed from {short(old[DEFAULT])} to {short(new[DEFAULT])}"
            self.changes.note(here, f"{named(at)}: {words}", additive=False)
        for alias in beyond(old["aliases"], new["aliases"]):
            self.changes.note(_below(at, "aliases"), f"{named(at)}: alias {short(alias)} disappeared", additive=False)


def _resolved(kind: Any, known: Mapping[str, Any]) -> Any:
    """Return a type as an object, or a union as a list, whether it is named or written out."""
    while isinstance(kind, dict) and not isinstance(kind["type"], str):
        kind = kind["type"]
    return known.get(kind, {"type": kind}) if isinstance(kind, str) else kind


def _title(kind: Any) -> Any:
    """Return what a type is called: its kind, with its name where it has one; of a union those of its branches."""
    if isinstance(kind, list):
        return [_title(branch) for branch in kind]
    if isinstance(kind, dict):
        return f"{kind['type']} {kind['name']}" if "name" in kind else kind["type"]
    return kind


def _below(at: Place, step: str) -> Place:
    return at[0] + pointer([step]), at[1]


def _attributes(kind: Mapping[str, Any]) -> str:
    return short({key.removeprefix("shim-"): value for key, value in kind.items()})
