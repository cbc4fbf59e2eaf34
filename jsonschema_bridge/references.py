"""What a JSON Schema refers to: other versions of subjects, by the URIs under which a `$ref` finds them."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

from referencing import Registry as Documents

from jsonschema_bridge import drafts
from jsonschema_bridge.errors import JsonUnreadable, SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.model import Schema, SchemaReference

Resolve = Callable[[SchemaReference], Schema]
"""Gives the schema that a reference names; the registry's, and nothing else's."""

BASE = "http://schema.invalid/"
"""Where a schema without an absolute `$id` stands; nothing is ever fetched from it."""


MOST_LEVELS = 100
"""A JSON Schema with more levels of arrays and objects is refused: its draft's meta-schema is asked level by level."""

MOST_CHARACTERS = 1_000_000
"""A schema with more is refused, in whatever language it is written."""


def check_length(text: str) -> None:
    """Raise SchemaInvalid for the text of a schema that is too long."""
    if len(text) > MOST_CHARACTERS:
        raise SchemaInvalid(f"the schema has {len(text)} characters, more than {MOST_CHARACTERS}")


def references_of(registry: Registry) -> Resolve:
    """Return how references are resolved: each is a version of a subject of `registry`."""
    return lambda reference: registry.registered(reference.subject, reference.version).schema


def read_schema(text: str) -> object:
    """Parse a schema's text: an object or a boolean, up to MOST_CHARACTERS and MOST_LEVELS. Raises SchemaInvalid."""
    check_length(text)
    try:
        document = read_json(text.encode(), MOST_LEVELS)
    except (JsonUnreadable, UnicodeError) as error:
        raise SchemaInvalid(f"the schema is not JSON: {error}") from error
    if not isinstance(document, dict | bool):
        raise SchemaInvalid("a JSON Schema is an object or a boolean")
    return document


def referenced(schema: Schema, document: object, resolve: Resolve) -> dict[str, object]:
    """Collect every schema that is referred to, directly or not, by the URIs under which `$ref` may find it.

    A name is relative to the schema that declares the reference: to its `$id`, else to the name that it has itself;
    and, as Confluent takes names, to nothing at all.
    """
    default = drafts.dialect(document)
    known: dict[str, object] = {}
    waiting = [({BASE, base_uri(document, BASE, default)}, reference) for reference in schema.references]
    seen: set[SchemaReference] = set()
    read: dict[tuple[str, int], object] = {}
    while waiting:
        bases, reference = waiting.pop()
        found = resolve(reference)
        other = read.setdefault((reference.subject, reference.version), read_schema(found.text))
        uris = {_join(base, reference.name) for base in bases}
        for uri in sorted(uris):
            if _differ(known.setdefault(uri, other), other):
                raise SchemaInvalid(f"two references have the name {reference.name!r} and differ")
        if reference not in seen:
            seen.add(reference)
            inner = {BASE, *uris, *(base_uri(other, uri, default) for uri in uris)}
            waiting.extend((inner, below) for below in found.references)
    return known


def _differ(one: object, other: object) -> bool:
    # Texts, because to Python 1, 1.0 and True are the same.
    return one is not other and json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


def base_uri(document: object, outer: str, default: str) -> str:
    """Return the URI to which references in a document are relative, where `outer` is its own."""
    declared = document.get(drafts.id_keyword(document, default)) if isinstance(document, dict) else None
    return _join(outer, declared) if isinstance(declared, str) else outer


def _join(base: str, name: str) -> str:
    try:
        return quote(urldefrag(urljoin(base, name)).url, safe=":/?[]@!$&'()*+,;=%~")
    except ValueError as error:
        raise SchemaInvalid(f"{name!r} is not a URI: {error}") from error


def documents(document: object, known: Mapping[str, object], others: "Documents[Any]") -> "Documents[Any]":
    """Return what finds where a `$ref` leads: into `document`, by its own base URI, into `known`, or into `others`."""
    specification = drafts.SPECIFICATIONS[drafts.dialect(document)]
    found = {base_uri(document, BASE, drafts.dialect(document)): document} | dict(known)
    found |= {unquote(uri): other for uri, other in known.items()}
    return others.with_resources((uri, specification.create_resource(other)) for uri, other in found.items())
