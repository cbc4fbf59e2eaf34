"""The JSON Schema that is translated, and what it refers to: documents, places in them, and where a `$ref` leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from referencing import Registry, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4, DRAFT201909, DRAFT202012

from jsonschema_bridge import drafts
from jsonschema_bridge.derivation.model import Report
from jsonschema_bridge.references import BASE, Resolve, base_uri, documents, read_schema, referenced
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.validation import check_document
from jsonschema_bridge.violation import pointer

_WITHOUT: Mapping[str, tuple[Specification[Any], ...]] = {
    "const": (DRAFT4,),
    "prefixItems": (*drafts.REF_ALONE, DRAFT201909),
    "additionalItems": (DRAFT202012,),
    "unevaluatedProperties": drafts.REF_ALONE,
}
"""Keywords that decide about the Avro form, and the drafts to which they mean nothing."""


class Place(NamedTuple):
    """Where a schema stands: the number of its document (0 is the one that is translated) and the path in there."""

    document: int
    path: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A schema or subschema, told apart by its place."""

    schema: Any
    place: Place
    resolver: Any


class Source:
    """The documents of one derivation: `root` is translated, `found` has those that are referred to, by their URIs.

    References that lead nowhere are refused in `report`.
    """

    def __init__(self, root: object, found: Mapping[str, object], report: Report) -> None:
        self._report = report
        self._id = drafts.id_keyword(root)
        self._specification = drafts.SPECIFICATIONS[drafts.dialect(root)]
        self._documents: list[tuple[str, Any]] = [("", root)]
        uris = [base_uri(root, BASE, drafts.dialect(root))]
        self._index: dict[int, Place] = {}
        for uri in sorted(found, key=lambda uri: (not uri.startswith(BASE), uri)):
            document = found[uri]
            if not any(document is other for _, other in self._documents):  # else it has several names
                self._documents.append((unquote(uri.removeprefix(BASE)), document))
                uris.append(uri)
        for number, (_, document) in enumerate(self._documents):
            self._index |= {id(each): Place(number, path) for path, each in _walk(document, ())}
        registry = documents(root, found, Registry())
        self._roots = [
            Node(document, Place(number, ()), registry.resolver(uri))
            for number, ((_, document), uri) in enumerate(zip(self._documents, uris, strict=True))
        ]

    @property
    def root(self) -> Node:
        """The schema that is translated."""
        return self._roots[0]

    def at(self, place: Place) -> Node:
        """Return what stands at a place, be it a schema or what holds some."""
        node = self._roots[place.document]
        for token in place.path:
            node = self.below(node, int(token) if isinstance(node.schema, list) else token)
        return node

    def keywords(self, node: Node) -> Mapping[str, Any]:
        """Return what counts of a node that is an object: up to draft 7 nothing beside a `$ref` does."""
        schema: dict[str, Any] = node.schema
        if "$ref" in schema and self._specification in drafts.REF_ALONE:
            return {"$ref": schema["$ref"]}
        foreign = [name for name in _WITHOUT if name in schema and self._specification in _WITHOUT[name]]
        return {name: schema[name] for name in schema if name not in foreign} if foreign else schema

    def below(self, node: Node, *path: str | int) -> Node:
        """Return the subschema at `path` below a node."""
        schema = node.schema
        for token in path:
            schema = schema[token]
        return self._node(schema, Place(node.place.document, (*node.place.path, *map(str, path))), node.resolver)

    def target(self, node: Node) -> Node:
        """Return where the `$ref` of a node leads; where it leads nowhere, a schema that admits nothing."""
        reference = node.schema["$ref"]
        place = Place(node.place.document, (*node.place.path, "$ref"))
        try:
            found = node.resolver.lookup(reference)
        except (Unresolvable, ValueError):
            self._report.refuse(self.pointer(node), f"$ref {reference[:200]!r} leads to nothing that can be translated")
            return Node(False, place, node.resolver)
        return self._node(found.contents, self._index.get(id(found.contents), place), found.resolver)

    def _node(self, schema: Any, place: Place, resolver: Any) -> Node:
        # What holds members may have one that is called `$id`.
        if isinstance(schema, dict) and isinstance(schema.get(self._id), str):
            resolver = resolver.in_subresource(self._specification.create_resource(schema))
        return Node(schema, place, resolver)

    def pointer(self, node: Node) -> str:
        """Return the JSON Pointer of a node, after the name of its document where that is not the translated one."""
        name, _ = self._documents[node.place.document]
        return (f"{name}#" if name else "") + pointer(list(node.place.path))

    def document(self, number: int) -> tuple[str, Any]:
        """Return a document's name, empty for the one that is translated, and itself."""
        return self._documents[number]


def read_source(schema: Schema, resolve: Resolve, report: Report) -> Source:
    """Read a JSON Schema and what it refers to. Raises SchemaInvalid, and what `resolve` raises."""
    root = read_schema(schema.text)
    found = referenced(schema, root, resolve)
    for document in found.values():
        check_document(document, drafts.dialect(root))
    return Source(root, found, report)


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for name, item in value.items():
            yield from _walk(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, str(index)))
