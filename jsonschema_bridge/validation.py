"""JSON Schemas compiled once, and what they say of a value."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

import jsonschema
import jsonschema_rs
from jsonschema.validators import validator_for

from jsonschema_bridge import drafts
from jsonschema_bridge.errors import JsonUnreadable, SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.violation import Violation, bounded, pointer

Resolve = Callable[[SchemaReference], Schema]
"""Gives the schema that a reference names; the registry's, and nothing else's."""

_BASE = "json-schema:///"


def references_of(registry: Registry) -> Resolve:
    """Return how references are resolved: each is a version of a subject of `registry`."""
    return lambda reference: registry.registered(reference.subject, reference.version).schema


class JsonSchemaValidator:
    """A compiled JSON Schema. Safe to share between threads.

    `is_valid` is the hot path: native code only. `violations` is asked once a value failed, and may take its time.
    """

    def __init__(self, fast: Any, explaining: Any) -> None:
        self._explaining = explaining
        self.is_valid: Callable[[object], bool] = fast.is_valid

    def violations(self, value: object) -> Iterator[Violation]:
        """Yield every reason why `value` does not conform; nothing when it does."""
        for error in self._explaining.iter_errors(value):
            yield _violation(error)


def compile_json_schema(schema: Schema, resolve: Resolve) -> JsonSchemaValidator:
    """Compile `schema` with Confluent 7.9's verdicts; its references come from `resolve`, never from a network.

    Raises SchemaInvalid, which names the place where it can, and what `resolve` raises.
    """
    document = read_schema(schema.text)
    known = _referenced(schema, document, resolve)
    by_text = drafts.reads_integers_by_text(document)
    explaining_keywords = {"type": _IntegerByText} if by_text else {}
    return JsonSchemaValidator(
        _compile(document, known, integers=True, keywords={}),
        _compile(document, known, integers=False, keywords=explaining_keywords),
    )


def check_json_schema(schema: Schema, resolve: Resolve) -> None:
    """Check a schema that somebody is about to bind: against its draft's meta-schema, and that it compiles.

    Raises SchemaInvalid with the reason and the pointer into the schema.
    """
    document = drafts.normal(read_schema(schema.text))
    try:
        validator_for(document, default=jsonschema.Draft7Validator).check_schema(document)  # type: ignore[arg-type]
    except jsonschema.SchemaError as error:
        raise SchemaInvalid(error.message, pointer(list(error.absolute_path))) from error
    compile_json_schema(schema, resolve)


def read_schema(text: str) -> object:
    """Parse a schema's text: an object or a boolean. Raises SchemaInvalid."""
    try:
        document = read_json(text.encode())
    except (JsonUnreadable, UnicodeError) as error:
        raise SchemaInvalid(f"the schema is not JSON: {error}") from error
    if not isinstance(document, dict | bool):
        raise SchemaInvalid("a JSON Schema is an object or a boolean")
    return document


def _compile(
    document: object, known: Mapping[str, object], *, integers: bool, keywords: dict[str, Any]
) -> drafts.Draft:
    def retrieve(uri: str) -> Any:
        if uri == drafts.INTEGER_URI:
            return drafts.INTEGER_SCHEMA
        if uri in known:
            return _ready(known[uri], integers=integers)
        raise LookupError(f"{uri} is not among the schema's references")

    try:
        return drafts.validator_class(document)(  # type: ignore[return-value]
            _ready(document, integers=integers),
            validate_formats=True,
            retriever=retrieve,
            keywords=keywords or None,
            mask="the value",
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaInvalid(error.message, pointer(list(error.instance_path))) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise SchemaInvalid(str(error)) from error


def _ready(document: object, *, integers: bool) -> Any:
    return drafts.normal(drafts.as_confluent_reads(document, integers=integers))


def _referenced(schema: Schema, document: object, resolve: Resolve) -> dict[str, object]:
    """Collect every schema that is referred to, directly or not, by the URI under which `$ref` finds it."""
    known: dict[str, object] = {}
    waiting = [(_base_uri(document), reference) for reference in schema.references]
    seen: set[SchemaReference] = set()
    while waiting:
        base, reference = waiting.pop()
        uri = urljoin(base, reference.name) if base != _BASE else _BASE + reference.name.lstrip("/")
        found = resolve(reference)
        referenced = read_schema(found.text)
        for name in {uri, reference.name}:
            if known.setdefault(name, referenced) != referenced:
                raise SchemaInvalid(f"two references have the name {reference.name!r} and differ")
        if reference not in seen:
            seen.add(reference)
            inner = _base_uri(referenced, uri)
            waiting.extend((inner, below) for below in found.references)
    return known


def _base_uri(document: object, default: str = _BASE) -> str:
    if isinstance(document, dict):
        declared = document.get("$id", document.get("id"))
        if isinstance(declared, str):
            return urljoin(default, declared)
    return default


class _IntegerByText:
    """The keyword `type` as drafts 4 to 7 are read by Confluent: 1.0 is no integer. Only for explanations."""

    _CLASSES: Mapping[str, tuple[type, ...]] = {
        "string": (str,),
        "object": (dict,),
        "array": (list,),
        "boolean": (bool,),
        "null": (type(None),),
    }

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:
        del parent_schema, schema_path
        self._types: list[str] = [value] if isinstance(value, str) else list(value)

    def validate(self, instance: object) -> None:
        if not any(self._is(name, instance) for name in self._types):
            raise ValueError(" or ".join(self._types))

    def _is(self, name: str, instance: object) -> bool:
        if name in self._CLASSES:
            return isinstance(instance, self._CLASSES[name])
        if isinstance(instance, bool) or not isinstance(instance, int | float):
            return False
        return name == "number" or isinstance(instance, int)


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    keyword = str(error.schema_path[-1]) if error.schema_path else "false"
    actual = error.instance
    expected, message = _expected(error, keyword)
    return Violation(
        pointer=pointer(list(error.instance_path)),
        keyword=keyword,
        schema_pointer=pointer(list(error.schema_path)),
        expected=bounded(expected),
        actual=bounded(actual),
        message=message,
    )


def _expected(error: jsonschema_rs.ValidationError, keyword: str) -> tuple[object, str]:
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.Custom(keyword=_, message=types):
            return types, f"the value is not of type {types}"
        case jsonschema_rs.ValidationErrorKind.Type(types=types):
            names = " or ".join(types)
            return names, f"the value is not of type {names}"
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            return name, f"the required property {name!r} is missing"
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names):
            return "no other properties", f"unexpected properties: {', '.join(map(repr, names[:10]))}"
        case jsonschema_rs.ValidationErrorKind.UnevaluatedProperties(unexpected=names):
            return "no other properties", f"unexpected properties: {', '.join(map(repr, names[:10]))}"
    details = error.kind.as_dict()
    wanted = next((value for name, value in details.items() if name not in ("context", "error")), None)
    return wanted if wanted is not None else keyword, error.message
