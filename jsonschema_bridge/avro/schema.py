"""An Avro schema's text and its references, parsed to what encoders and readers are built from."""

from dataclasses import dataclass
from typing import Any

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType

from jsonschema_bridge.avro.logical import logical_attributes
from jsonschema_bridge.errors import JsonUnreadable, SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.references import Resolve, check_length
from jsonschema_bridge.registry.model import Schema, SchemaReference

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
DEFAULT = "shim-default"
"""Where a field's default stands in the parsed schema: fastavro shall neither judge nor apply it."""

_NAMED = frozenset({"record", "error", "enum", "fixed"})
_COMPLEX = _NAMED | {"array", "map"}
_SIZES = 2**31
_KEYS = {"enum": ("symbols",), "fixed": ("size",), "array": ("items",), "map": ("values",)}


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A parsed schema: `root` with full names everywhere, `named` every named type by its full name.

    `others` are the schemas that it refers to, in the order in which they were parsed. Nothing of it is changed.
    """

    root: Any
    named: dict[str, Any]
    others: tuple[Any, ...]


def parse(schema: Schema, resolve: Resolve) -> AvroSchema:
    """Parse `schema` and what it refers to. Raises SchemaInvalid, and what `resolve` raises."""
    named: dict[str, Any] = {}
    others: list[Any] = []
    _parse_references(schema, resolve, named, others, set())
    return AvroSchema(_parse(schema, named), named, tuple(others))


def _parse_references(
    schema: Schema, resolve: Resolve, named: dict[str, Any], others: list[Any], seen: set[SchemaReference]
) -> None:
    for reference in schema.references:
        where = SchemaReference("", reference.subject, reference.version)  # one schema, by whatever name
        if where in seen:
            continue
        seen.add(where)
        found = resolve(reference)
        if found.kind != "AVRO":
            raise SchemaInvalid(f"the reference {reference.name!r} is not an Avro schema")
        _parse_references(found, resolve, named, others, seen)
        others.append(_parse(found, named))


def _parse(schema: Schema, named: dict[str, Any]) -> Any:
    known = set(named)
    try:
        document = _bare(_read(schema.text))
        parsed = parse_schema(document, named)
    except UnknownType as error:
        raise SchemaInvalid(f"the type {error.name!r} is not known") from error
    except SchemaParseException as error:
        raise SchemaInvalid(str(error)) from error
    except KeyError as error:
        raise SchemaInvalid(f"a type or field has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise SchemaInvalid(f"not an Avro schema: {error}") from error
    except RecursionError as error:
        raise SchemaInvalid("the schema is nested too deeply") from error
    for name in _defined(parsed):
        if name in known:
            raise SchemaInvalid(f"redefined named type: {name}")
        known.add(name)
    return parsed


def _read(text: str) -> object:
    check_length(text)
    try:
        return read_json(text.encode())
    except (JsonUnreadable, UnicodeError) as error:
        raise SchemaInvalid(f"the schema is not JSON: {error}") from error


def _bare(schema: Any) -> Any:
    """Leave what decides about values; logical types and defaults are judged elsewhere."""
    if isinstance(schema, list):
        return [_bare(branch) for branch in schema]
    if not isinstance(schema, dict):
        if not isinstance(schema, str):
            raise SchemaInvalid("a schema is a name, an object or a list of branches")
        return schema
    kind = schema["type"]
    if isinstance(kind, str) and kind not in PRIMITIVES | _COMPLEX:
        return kind  # {"type": "Name"} is the type of that name
    bare = {"type": kind} | logical_attributes(schema)
    if kind in _NAMED:
        bare |= {"name": schema["name"]} | {key: schema[key] for key in ("namespace",) if key in schema}
    for key in _KEYS.get(kind, ()):
        bare[key] = schema[key] if kind in _NAMED else _bare(schema[key])
    if kind in ("record", "error"):
        bare["fields"] = [_bare_field(field) for field in schema["fields"]]
        if len({field["name"] for field in bare["fields"]}) < len(bare["fields"]):
            raise SchemaInvalid(f"two fields of {schema['name']!r} have one name")
    if kind == "fixed" and (not isinstance(schema["size"], int) or not 0 <= schema["size"] < _SIZES):
        raise SchemaInvalid(f"the size of {schema['name']!r} is not a number of bytes")
    return bare


def _bare_field(field: Any) -> Any:
    bare = {"name": field["name"], "type": _bare(field["type"]), "aliases": list(field.get("aliases", ()))}
    return bare | ({DEFAULT: field["default"]} if "default" in field else {})


def _defined(schema: Any) -> list[str]:
    """Collect the full names that a parsed schema defines."""
    if isinstance(schema, list):
        return [name for branch in schema for name in _defined(branch)]
    if not isinstance(schema, dict):
        return []
    below = [field["type"] for field in schema.get("fields", ())]
    below += [schema[key] for key in ("items", "values") if key in schema]
    return [*([schema["name"]] if "name" in schema else []), *_defined(below)]
