"""What is valid in a JSON Schema and still most likely a mistake."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jsonschema
from jsonschema.validators import validator_for

from jsonschema_bridge import drafts
from jsonschema_bridge.derivation.admitted import IMPLIED, in_words, kind_of, types
from jsonschema_bridge.references import Resolve, read_schema
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.validation import compile_json_schema
from jsonschema_bridge.violation import pointer

_NOTES = frozenset({"$schema", "$comment", "title", "description", "default", "examples", "definitions", "format"})
_NOTES |= {"then", "else", "contentEncoding", "contentMediaType", "readOnly", "writeOnly"}
_NOTES_SINCE_2019 = frozenset({"$anchor", "$defs", "$vocabulary", "$recursiveAnchor", "$dynamicAnchor", "deprecated"})
_NOTES_SINCE_2019 |= {"contentSchema", "minContains", "maxContains"}
"""Keywords that a validator does not look up by their names, or not at all."""
_SIMILAR = 0.85


class Lint(NamedTuple):
    """A place in a schema, the name of what is likely wrong there, and what that is."""

    pointer: str
    lint: str
    message: str


def lint_json_schema(schema: Schema, resolve: Resolve) -> list[Lint]:
    """Look for likely mistakes in a schema that `check_json_schema` takes.

    draft: no `$schema`, or one that is not known. keyword: one of another draft, or nearly one of this. beside-ref:
    what does not count beside a `$ref`. no-effect: a keyword for values of another type. enum: a value that the type
    excludes. required: a member that is required and not declared. format: one that is not checked. example: one of
    the root's that does not conform. Raises SchemaInvalid, and what `resolve` raises.
    """
    document = read_schema(schema.text)
    if not isinstance(document, dict):
        return []
    known = _known(document)
    found = [] if _names_a_draft(document) else [Lint("", "draft", "no known $schema; the schema is read as draft 7")]
    for path, node in _nodes(document, ()):
        checks = (_keywords(node, known), _beside_ref(node, document), _no_effect(node), _enum(node), _required(node))
        for lint, message in [each for check in (*checks, _format(node, document)) for each in check]:
            found.append(Lint(pointer(list(path)), lint, message))
    is_valid = compile_json_schema(schema, resolve).is_valid
    examples = document.get("examples")
    for index, example in enumerate(examples if isinstance(examples, list) else ()):
        if not is_valid(example):
            found.append(Lint(f"/examples/{index}", "example", "the example does not conform to the schema"))
    return found


_Found = Iterator[tuple[str, str]]


def _names_a_draft(document: Mapping[str, Any]) -> bool:
    return "$schema" in document and drafts.dialect(document, "") != ""


def _known(document: dict[str, Any]) -> frozenset[str]:
    """Return the keywords of the document's draft."""
    validator: Any = validator_for(drafts.normal(document), default=jsonschema.Draft7Validator)  # type: ignore[arg-type]
    since_2019 = _NOTES_SINCE_2019 if not drafts.reads_integers_by_text(document) else frozenset()
    return frozenset(validator.VALIDATORS) | _NOTES | since_2019 | {drafts.id_keyword(document)}


def _nodes(schema: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Yield each subschema that is an object, with its path."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        below: list[tuple[str | int, Any]] = []
        if keyword in drafts.MAPS and isinstance(value, dict):
            below = list(value.items())
        elif keyword in drafts.LISTS and isinstance(value, list):
            below = list(enumerate(value))
        elif keyword in drafts.SINGLE:
            yield from _nodes(value, (*path, keyword))
        for name, item in below:
            yield from _nodes(item, (*path, keyword, name))


def _keywords(node: Mapping[str, Any], known: frozenset[str]) -> _Found:
    for keyword in sorted(node.keys() - known):
        near = difflib.get_close_matches(keyword, known, n=1, cutoff=_SIMILAR)
        if keyword in IMPLIED or keyword in _NOTES_SINCE_2019 or keyword in ("const", "if", "id", "$id"):
            yield "keyword", f"{keyword!r} means nothing in this draft"
        elif near:
            yield "keyword", f"{keyword!r} means nothing; did you mean {near[0]!r}?"


def _beside_ref(node: Mapping[str, Any], document: object) -> _Found:
    ignored = sorted(node.keys() & (IMPLIED.keys() | {"type", "enum", "const", "allOf", "anyOf", "oneOf", "not"}))
    if "$ref" in node and ignored and drafts.reads_integers_by_text(document):
        yield "beside-ref", f"beside a $ref these do not count up to draft 7: {', '.join(ignored)}"


def _no_effect(node: Mapping[str, Any]) -> _Found:
    if "type" not in node:
        return
    kinds = types(node["type"])
    for keyword in sorted(node.keys() & IMPLIED.keys()):
        if not IMPLIED[keyword] & kinds:
            yield "no-effect", f"{keyword!r} is for values of type {in_words(IMPLIED[keyword])}, not {in_words(kinds)}"


def _enum(node: Mapping[str, Any]) -> _Found:
    if "type" in node:
        excluded = [value for value in node.get("enum", ()) if kind_of(value) not in types(node["type"])]
        if excluded:
            yield "enum", f"the type excludes {len(excluded)} of the listed values"


def _required(node: Mapping[str, Any]) -> _Found:
    if "properties" in node and not node.get("patternProperties"):
        for name in [name for name in node.get("required", ()) if name not in node["properties"]]:
            yield "required", f"the member {name[:100]!r} is required and not declared"


def _format(node: Mapping[str, Any], document: object) -> _Found:
    name = node.get("format")
    if isinstance(name, str) and name not in drafts.formats(document):
        yield "format", f"the format {name[:100]!r} is not checked"
