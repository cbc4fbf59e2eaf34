"""Avro names: legal, and made of nothing but a schema's own place and the title of its document."""

import re
from collections.abc import Hashable, Mapping
from typing import Any

from jsonschema_bridge.derivation.cases import Case, Cases, places
from jsonschema_bridge.derivation.model import Options, Report
from jsonschema_bridge.derivation.source import Node, Place

UNTITLED = "Value"
"""How the root is called that has no title."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")
_TAKEN = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_TAKEN |= {"record", "error", "enum", "array", "map", "union", "fixed"}
_HOLDS_NAMES = frozenset({"properties", "patternProperties", "definitions", "$defs", "dependentSchemas"})
_SILENT = frozenset({"properties", "definitions", "$defs"})


def is_legal(name: str) -> bool:
    """Tell whether Avro takes `name` for a field or a symbol."""
    return bool(_NAME.fullmatch(name))


def legal(text: str) -> str:
    """Return `text` as an Avro name: other characters are `_`, and so is what stands before a digit."""
    name = _ILLEGAL.sub("_", text)
    return name if is_legal(name) else f"_{name}"


class Names:
    """Names the types of one derivation, and refuses a name that two of them would have."""

    def __init__(self, cases: Cases, options: Options, report: Report) -> None:
        self._cases = cases
        self._options = options
        self._report = report
        self._claims: dict[str, tuple[Hashable, str]] = {}

    def claim(self, cases: list[Case], at: str) -> str:
        """Return the full name of the type that is made of `cases` at the pointer `at`."""
        name = "_or_".join(dict.fromkeys(self._of(case) for case in cases))
        name = f"{name}_" if name in _TAKEN else name
        name = f"{self._options.namespace}.{name}" if self._options.namespace else name
        key = tuple(map(places, cases))
        owner, other = self._claims.setdefault(name, (key, at))
        if owner != key:
            self._report.refuse(at, f"the Avro name would be {name!r}, which is the name of {other or 'the root'}")
        return name

    def doc(self, case: Case) -> str:
        """Return what is said of a record: of a document's root its title, if that had to change, and description."""
        node = self._cases.telling(case)[0]
        if node.place.path:
            return ""  # its field has the description
        title = self._title(node.place.document)
        return " ".join(filter(None, ["" if is_legal(title) else f"JSON Schema {title!r}.", described(node)]))

    def _title(self, number: int) -> str:
        """Return what the names of types in a document begin with, before it is made legal."""
        name, document = self._cases.source.document(number)
        title = document.get("title") if isinstance(document, dict) else None
        own = self._options.name if number == 0 else None
        return own or (title if isinstance(title, str) and title else name or UNTITLED)

    def _of(self, case: Case) -> str:
        return "_and_".join(self._of_place(node.place) for node in self._cases.telling(case))

    def _of_place(self, place: Place) -> str:
        return "_".join([legal(self._title(place.document)), *map(_part, _names(place.path))])


def _part(token: str) -> str:
    return _ILLEGAL.sub("_", token)


def _names(path: tuple[str, ...]) -> list[str]:
    """Return the parts of a path that go into a name: `properties` and the like are passed over, not what they hold."""
    names: list[str] = []
    tokens = iter(path)
    for token in tokens:
        if token not in _SILENT:
            names.append(token)
        if token in _HOLDS_NAMES:
            names += [name for name in [next(tokens, None)] if name is not None]
    return names


def described(node: Node) -> str:
    """Return the description of a node."""
    schema: Mapping[str, Any] = node.schema if isinstance(node.schema, dict) else {}
    text = schema.get("description")
    return text.strip() if isinstance(text, str) else ""
