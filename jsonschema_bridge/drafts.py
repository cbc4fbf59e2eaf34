"""Which draft a JSON Schema is written in, and what Confluent's validator makes of that draft.

Confluent validates drafts 4 to 7 with Everit, which refuses 1.0 where an integer is asked for and asserts a closed
set of formats. `rewrite` changes a schema so that a validator that follows the standard gives the same verdicts, or
those of another strictness. Sources: rest-proxy contract, section 4.3; recorded verdicts of a 7.9.9.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import uuid4

import jsonschema_rs
from referencing import Specification
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012

from jsonschema_bridge import alternatives
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.strictness import Strictness

BY_TEXT = f"urn:uuid:{uuid4()}"  # no schema can guess it, and so none can put its own $id in the way
BY_VALUE = f"urn:uuid:{uuid4()}"
INTEGERS: Mapping[str, Mapping[str, str]] = {
    BY_TEXT: {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"},
    BY_VALUE: {"$schema": "http://json-schema.org/draft-06/schema#", "type": "integer"},
}
"""In draft 4 an integer is a number without a fraction *in its text*: 1.0 is none. Other drafts ask for the value."""

Draft = type[
    jsonschema_rs.Draft4Validator
    | jsonschema_rs.Draft6Validator
    | jsonschema_rs.Draft7Validator
    | jsonschema_rs.Draft201909Validator
    | jsonschema_rs.Draft202012Validator
]

_DRAFTS: Mapping[str, Draft] = {
    "json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}
SPECIFICATIONS: Mapping[str, Specification[Any]] = {
    "json-schema.org/draft-04/schema": DRAFT4,
    "json-schema.org/draft-06/schema": DRAFT6,
    "json-schema.org/draft-07/schema": DRAFT7,
    "json-schema.org/draft/2019-09/schema": DRAFT201909,
    "json-schema.org/draft/2020-12/schema": DRAFT202012,
}
"""How references are found under each draft."""

REF_ALONE = (DRAFT4, DRAFT6, DRAFT7)
"""The drafts in which nothing beside a `$ref` counts."""

DRAFT_7 = "json-schema.org/draft-07/schema"
"""The draft of a schema that names none."""

_EVERIT = ("json-schema.org/draft-04/schema", "json-schema.org/draft-06/schema", DRAFT_7)
_ASSERTED = frozenset(
    [
        "date",
        "date-time",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
    ]
)
_ASSERTED_SINCE_2019 = frozenset({"duration", "idn-email", "idn-hostname", "iri", "iri-reference", "uuid"})
_ANNOTATIONS = frozenset(("contentEncoding", "contentMediaType"))
MAPS = frozenset(("properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"))
"""Keywords whose members are names of the schema's own, each with a schema."""

LISTS = frozenset(("allOf", "anyOf", "oneOf", "items", "prefixItems"))
"""Keywords that may have a list of schemas."""

SINGLE = frozenset(("not", "if", "then", "else", "contains", "propertyNames", "items", "additionalItems"))
SINGLE |= {"additionalProperties", "unevaluatedItems", "unevaluatedProperties"}
"""Keywords that may have one schema."""


def dialect(schema: object, default: str = DRAFT_7) -> str:
    """Name the draft of `schema`: its `$schema` without scheme and fragment; absent or unknown is `default`."""
    declared = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(declared, str):
        return default
    name = declared.removesuffix("#").removeprefix("https://").removeprefix("http://")
    return name if name in _DRAFTS else default


def validator_class(schema: object) -> Draft:
    """Return the validator that follows the draft of `schema`."""
    return _DRAFTS[dialect(schema)]


def reads_integers_by_text(schema: object) -> bool:
    """Tell whether Confluent refuses 1.0 as an integer under the draft of `schema`."""
    return dialect(schema) in _EVERIT


def formats(schema: object) -> frozenset[str]:
    """Return the formats that are checked under the draft of `schema`."""
    return _ASSERTED if reads_integers_by_text(schema) else _ASSERTED | _ASSERTED_SINCE_2019


def id_keyword(schema: object, default: str = DRAFT_7) -> str:
    """Name the keyword that gives `schema` its base URI: `id` in draft 4, `$id` since."""
    return "id" if dialect(schema, default) == _EVERIT[0] else "$id"


def normal(schema: object, default: str = DRAFT_7) -> object:
    """Return `schema` with its `$schema` in the one spelling that every validator knows.

    `default` is the draft of a schema that names none: for one that is referred to, the draft of the one that refers.
    """
    if not isinstance(schema, dict):
        return schema
    name = dialect(schema, default)
    scheme, fragment = ("http", "#") if name in _EVERIT else ("https", "")
    return {**schema, "$schema": f"{scheme}://{name}{fragment}"}


class Rewriting(NamedTuple):
    """What becomes of a schema before it is compiled.

    `integer`, where given, is one of INTEGERS, to which each `"type": "integer"` becomes a reference: that costs
    nothing at run time. `formats` are those that stay, None for all; `contents` tells whether `contentEncoding` and
    `contentMediaType` do. With `noted` the validator notes members that `additionalProperties: true` declares, as it
    does where that is a schema. `form` is that of branches, and then `uri` is where the schema stands.
    """

    integer: str | None
    formats: frozenset[str] | None
    contents: bool
    noted: bool = False
    form: alternatives.Form = ""
    uri: str = ""


def rewriting(schema: object, strictness: Strictness) -> Rewriting:
    """Return what must become of `schema`, and of what it refers to, to give the verdicts of `strictness`."""
    everit, floats = reads_integers_by_text(schema), strictness.whole_floats
    integer = BY_TEXT if floats == "refuse" or (everit and floats == "confluent") else None
    if floats == "accept" and dialect(schema) == _EVERIT[0]:
        integer = BY_VALUE
    formats = _ASSERTED if everit and strictness.formats == "confluent" else None
    return Rewriting(integer, formats, not everit, noted=strictness.unknown_fields == "refuse")


def rewrite(schema: object, how: Rewriting) -> object:
    """Return `schema` rewritten. Its verdicts are what they should be, its schema paths are not where integers changed.

    Raises SchemaInvalid for a `$ref` to what is data and not a schema: there an integer would be read otherwise.
    """
    if isinstance(schema, list):
        return [rewrite(item, how) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if isinstance(value, str) and (_goes(keyword, value, how)):
            continue
        if keyword == "const" or (keyword == "enum" and isinstance(value, list)):
            result[keyword] = value  # data, however much it looks like a schema
        elif keyword in MAPS and isinstance(value, dict):
            result[keyword] = {name: rewrite(item, how) for name, item in value.items()}
        elif value is True and how.noted and keyword in ("additionalProperties", "unevaluatedProperties"):
            result[keyword] = {}
        else:
            result[keyword] = rewrite(value, how)
    if how.integer is not None:
        _refuse_data(result.get("$ref"))
        _refer_to_integer(result, how.integer)
    alternatives.put(result, how.form, how.uri)
    return result


def _goes(keyword: str, value: str, how: Rewriting) -> bool:
    if keyword == "format":
        return how.formats is not None and value not in how.formats
    return keyword in _ANNOTATIONS and not how.contents


def _refuse_data(reference: object) -> None:
    if isinstance(reference, str):
        found = _INTO_DATA.search(unquote(reference.partition("#")[2]))
        if found and found[1] not in MAPS:
            raise SchemaInvalid(f"the $ref {reference[:200]!r} leads to a value of {found[2]}, which is no schema")


_INTO_DATA = re.compile(r"(?:^|/)([^/]*)/(enum(?=/\d+(?:/|$))|const(?=/|$))")
"""A pointer through `enum` or `const`, and what stands before: below `properties` and the like these are names."""


def _refer_to_integer(schema: dict[str, Any], integer: str) -> None:
    types = schema.get("type")
    if not isinstance(schema.get("allOf", []), list):
        return  # not a schema; the compiler says so
    reference = {"$ref": integer}
    if types == "integer":
        del schema["type"]
        schema["allOf"] = [*schema.get("allOf", []), reference]
    elif isinstance(types, list) and "integer" in types and "number" not in types:
        others = [name for name in types if name != "integer"]
        del schema["type"]
        either = {"anyOf": [reference, {"type": others}]} if others else reference
        schema["allOf"] = [*schema.get("allOf", []), either]
