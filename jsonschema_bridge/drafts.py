"""Which draft a JSON Schema is written in, and what Confluent's validator makes of that draft.

Confluent validates drafts 4 to 7 with Everit, which refuses 1.0 where an integer is asked for and asserts a closed
set of formats. `as_confluent_reads` rewrites a schema so that a validator that follows the standard gives the same
verdicts. Sources: rest-proxy contract, section 4.3; recorded verdicts of a 7.9.9.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jsonschema_rs

INTEGER_URI = f"urn:uuid:{uuid4()}"  # no schema can guess it, and so none can put its own $id in the way
INTEGER_SCHEMA = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}
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


def as_confluent_reads(schema: object, *, integers: bool) -> object:
    """Rewrite a schema that Everit reads, one of drafts 4 to 7 or referred to by one: what it does not assert goes.

    With `integers`, each `"type": "integer"` becomes a reference to INTEGER_SCHEMA, which costs nothing at run time;
    what remains has the same verdicts but not the same schema paths, so violations come from the form without.
    """
    return _rewrite(schema, integers)


def _rewrite(schema: object, integers: bool) -> object:
    if isinstance(schema, list):
        return [_rewrite(item, integers) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if isinstance(value, str) and (keyword in _ANNOTATIONS or (keyword == "format" and value not in _ASSERTED)):
            continue
        if keyword == "const" or (keyword == "enum" and isinstance(value, list)):
            result[keyword] = value  # data, however much it looks like a schema
        elif keyword in MAPS and isinstance(value, dict):
            result[keyword] = {name: _rewrite(item, integers) for name, item in value.items()}
        else:
            result[keyword] = _rewrite(value, integers)
    if integers:
        _refer_to_integer(result)
    return result


def _refer_to_integer(schema: dict[str, Any]) -> None:
    types = schema.get("type")
    if not isinstance(schema.get("allOf", []), list):
        return  # not a schema; the compiler says so
    by_text = {"$ref": INTEGER_URI}
    if types == "integer":
        del schema["type"]
        schema["allOf"] = [*schema.get("allOf", []), by_text]
    elif isinstance(types, list) and "integer" in types and "number" not in types:
        others = [name for name in types if name != "integer"]
        del schema["type"]
        either = {"anyOf": [by_text, {"type": others}]} if others else by_text
        schema["allOf"] = [*schema.get("allOf", []), either]
