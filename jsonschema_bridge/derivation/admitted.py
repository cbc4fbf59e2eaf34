"""Which kinds of JSON values satisfy several schemas at once, as far as types and listed values tell."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from jsonschema_bridge.derivation.source import Node

KINDS = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
"""The kinds of JSON values; an integer is a number without fraction, however it is written."""

NUMBERS = frozenset({"integer", "fraction"})

_TYPES: Mapping[str, frozenset[str]] = {kind: frozenset({kind}) for kind in KINDS} | {"number": NUMBERS}
IMPLIED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("properties", "patternProperties", "additionalProperties", "required"), _TYPES["object"]),
    **dict.fromkeys(("minProperties", "maxProperties", "propertyNames"), _TYPES["object"]),
    **dict.fromkeys(("dependencies", "dependentRequired", "dependentSchemas"), _TYPES["object"]),
    **dict.fromkeys(("items", "prefixItems", "additionalItems", "contains"), _TYPES["array"]),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "minContains", "maxContains"), _TYPES["array"]),
    **dict.fromkeys(("pattern", "minLength", "maxLength", "format"), _TYPES["string"]),
    **dict.fromkeys(("contentEncoding", "contentMediaType"), _TYPES["string"]),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _TYPES["number"]),
}
"""Keywords that say something of one kind of values only: without a `type` beside them, that kind is meant."""

Keywords = Callable[[Node], Mapping[str, Any]]


class Admitted(NamedTuple):
    """What is admitted. `kinds` may be empty: then no value satisfies all of the schemas.

    `said` tells that the schemas give types or values; else `kinds` is what their keywords imply, and all kinds where
    they imply nothing. `choices`, where not None, are the only values.
    """

    kinds: frozenset[str]
    said: bool
    choices: tuple[Any, ...] | None

    @property
    def untyped(self) -> bool:
        """Tell whether nothing limits the kind of a value."""
        return not self.said and self.kinds == KINDS


def admitted(nodes: Iterable[Node], keywords: Keywords) -> Admitted:
    """Return what satisfies all of the `nodes`."""
    kinds, said, implied = KINDS, False, frozenset[str]()
    choices: tuple[Any, ...] | None = None
    for node in nodes:
        found = keywords(node)
        if "type" in found:
            kinds, said = kinds & types(found["type"]), True
        for values in _listed(found):
            choices = tuple(values if choices is None else _common(choices, values))
        implied = implied.union(*(IMPLIED[name] for name in found if name in IMPLIED))
    if choices is not None:
        choices = tuple(value for value in choices if kind_of(value) in kinds)
        return Admitted(kinds & {kind_of(value) for value in choices}, said=True, choices=choices)
    return Admitted(kinds if said else implied or KINDS, said, None)


def types(value: str | list[str]) -> frozenset[str]:
    """Return the kinds that a `type` names."""
    return _TYPES[value] if isinstance(value, str) else frozenset[str]().union(*(_TYPES[name] for name in value))


def kind_of(value: object) -> str:
    """Return the kind of a JSON value."""
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    return _CLASSES[type(value)]


_CLASSES = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object", type(None): "null"}


def in_words(kinds: frozenset[str]) -> str:
    """Name kinds as JSON Schema names types."""
    return " or ".join(sorted(kinds - NUMBERS | ({"number"} if kinds & NUMBERS else set())))


def _listed(found: Mapping[str, Any]) -> Iterable[list[Any]]:
    if "enum" in found:
        yield found["enum"]
    if "const" in found:
        yield [found["const"]]


def _common(values: Iterable[Any], others: Iterable[Any]) -> Iterable[Any]:
    pool = [(kind_of(value), value) for value in others]
    return (value for value in values if (kind_of(value), value) in pool)
