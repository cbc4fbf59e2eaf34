"""JSON Schemas compiled once, and what they say of a value."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

import jsonschema
import jsonschema_rs
from jsonschema.validators import validator_for

from jsonschema_bridge import drafts
from jsonschema_bridge.errors import JsonUnreadable, SchemaInvalid
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.strictness import (
    CONFLUENT,
    Strictness,
    declares_all,
    has_only_exact_integers,
    large_integers,
    unknown_fields,
)
from jsonschema_bridge.violation import Violation, bounded, pointer

Resolve = Callable[[SchemaReference], Schema]
"""Gives the schema that a reference names; the registry's, and nothing else's."""

BASE = "http://schema.invalid/"
"""Where a schema without an absolute `$id` stands; nothing is ever fetched from it."""

_REASON_LENGTH = 500
_UNKNOWN = re.compile(r"Resource '([^']*)' is not present")
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000)
"""A pattern that backtracks this often on a value has not matched it: no schema can stall a worker."""


def references_of(registry: Registry) -> Resolve:
    """Return how references are resolved: each is a version of a subject of `registry`."""
    return lambda reference: registry.registered(reference.subject, reference.version).schema


class JsonSchemaValidator:
    """A compiled JSON Schema. Safe to share between threads.

    `is_valid` is the hot path: native code only. `violations` is asked once a value failed, and may take its time.
    """

    def __init__(self, fast: Any, explaining: Any, strictness: Strictness = CONFLUENT) -> None:
        self._fast = fast
        self._explaining = explaining
        self._exact = strictness.large_integers == "refuse"
        self._closed = strictness.unknown_fields == "refuse"
        self.is_valid: Callable[[object], bool] = self._conforms if self._exact or self._closed else fast.is_valid

    def _conforms(self, value: object) -> bool:
        return (
            self._fast.is_valid(value)
            and (not self._exact or has_only_exact_integers(value))
            and (not self._closed or declares_all(self._fast, value))
        )

    def violations(self, value: object) -> Iterator[Violation]:
        """Yield every reason why `value` does not conform; nothing when it does."""
        valid = True
        for error in self._explaining.iter_errors(value):
            valid = False
            yield _violation(error, value)
        if self._exact:
            yield from large_integers(value)
        if self._closed and valid:
            yield from unknown_fields(self._fast, value)


def compile_json_schema(schema: Schema, resolve: Resolve, strictness: Strictness = CONFLUENT) -> JsonSchemaValidator:
    """Compile `schema` with the verdicts of `strictness`; its references come from `resolve`, never from a network.

    Raises SchemaInvalid, which names the place where it can, and what `resolve` raises.
    """
    document = read_schema(schema.text)
    known = referenced(schema, document, resolve)
    how, formats = drafts.rewriting(document, strictness), strictness.formats != "ignore"
    # The rewritten form has other schema paths, and so violations come from one that reads integers its own way.
    types = {drafts.BY_TEXT: _IntegerByText, drafts.BY_VALUE: _IntegerByValue}
    keywords = {} if how.integer is None else {"type": types[how.integer]}
    return JsonSchemaValidator(
        _compile(document, known, how, formats=formats, keywords={}),
        _compile(document, known, how._replace(integer=None), formats=formats, keywords=keywords),
        strictness,
    )


def check_json_schema(schema: Schema, resolve: Resolve, strictness: Strictness = CONFLUENT) -> None:
    """Check a schema that somebody is about to bind: against its draft's meta-schema, and that it compiles.

    Raises SchemaInvalid with the reason and the pointer into the schema.
    """
    check_document(read_schema(schema.text))
    compile_json_schema(schema, resolve, strictness)


def check_document(document: object, default: str = drafts.DRAFT_7) -> None:
    """Check a parsed schema against its draft's meta-schema; `default` is the draft of one that names none.

    Raises SchemaInvalid with the reason and the pointer into the schema.
    """
    document = drafts.normal(document, default)
    try:
        validator_for(document, default=jsonschema.Draft7Validator).check_schema(document)  # type: ignore[arg-type]
    except jsonschema.SchemaError as error:
        raise SchemaInvalid(_cut(error.message), pointer(list(error.absolute_path))) from error


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
    document: object,
    known: Mapping[str, object],
    how: drafts.Rewriting,
    *,
    formats: bool,
    keywords: dict[str, Any],
) -> drafts.Draft:
    default = drafts.dialect(document)

    def ready(schema: object) -> Any:
        # The draft of the schema that refers decides who reads all of it.
        return drafts.normal(drafts.rewrite(schema, how), default)

    resources = [*drafts.INTEGERS.items(), *((uri, ready(known[uri])) for uri in known)]
    try:
        return drafts.validator_class(document)(  # type: ignore[return-value]
            ready(document),
            validate_formats=formats,
            registry=jsonschema_rs.Registry(resources, retriever=_refuse),
            retriever=_refuse,
            base_uri=BASE,
            pattern_options=_PATTERNS,
            keywords=keywords or None,
            mask="the value",
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaInvalid(_reason(error.message), pointer(list(error.instance_path))) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise SchemaInvalid(_reason(str(error))) from error


def _refuse(uri: str) -> Any:
    raise LookupError(f"{uri} is not among the schema's references")


def _reason(text: str) -> str:
    unknown = _UNKNOWN.search(text)
    return _cut(f"{unknown[1].removeprefix(BASE)} is not among the schema's references" if unknown else text)


def _cut(text: str) -> str:
    return text if len(text) <= _REASON_LENGTH else text[:_REASON_LENGTH] + "…"


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


class _IntegerByText:
    """The keyword `type` where 1.0 is no integer. Only for explanations."""

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
        return name == "number" or self._is_integer(instance)

    def _is_integer(self, number: float) -> bool:
        return isinstance(number, int)


class _IntegerByValue(_IntegerByText):
    """The same where 1.0 is one."""

    def _is_integer(self, number: float) -> bool:
        return isinstance(number, int) or number.is_integer()


def _violation(error: jsonschema_rs.ValidationError, value: object) -> Violation:
    path, schema_path = list(error.instance_path), list(error.schema_path)
    keyword = _keyword(error, schema_path)
    expected, message = _expected(error, keyword)
    return Violation(
        pointer=pointer(path),
        keyword=keyword,
        schema_pointer=pointer(schema_path),
        expected=bounded(expected),
        actual=bounded(_at(value, path)),
        message=_cut(message),
    )


def _at(value: Any, path: list[str | int]) -> object:
    for token in path:
        value = value[token]
    return value


def _keyword(error: jsonschema_rs.ValidationError, schema_path: list[str | int]) -> str:
    last = schema_path[-1] if schema_path else ""
    if not isinstance(error.kind, jsonschema_rs.ValidationErrorKind.FalseSchema):
        return str(last)
    # The schema itself is `false`: the last token is a keyword only where it is not a name or an index.
    parent = schema_path[-2] if len(schema_path) > 1 else ""
    return last if last in _CLOSING and parent not in drafts.MAPS else "false"


_CLOSING = ("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems")
_NO_OTHER_PROPERTIES = "no other properties"
_NO_OTHER_ITEMS = "no other items"


def _expected(error: jsonschema_rs.ValidationError, keyword: str) -> tuple[object, str]:
    kinds = jsonschema_rs.ValidationErrorKind
    said: tuple[object, str]
    match error.kind:
        case kinds.Custom(keyword=_, message=types):
            said = types, f"the value is not of type {types}"
        case kinds.Type(types=types):
            names = " or ".join(types)
            said = names, f"the value is not of type {names}"
        case kinds.Required(property=name):
            said = name, f"the required property {name!r} is missing"
        case kinds.AdditionalProperties(unexpected=names) | kinds.UnevaluatedProperties(unexpected=names):
            said = _NO_OTHER_PROPERTIES, f"unexpected properties: {', '.join(map(repr, names[:10]))}"
        case kinds.AdditionalItems() | kinds.UnevaluatedItems():
            said = _NO_OTHER_ITEMS, "there are more items than the schema knows"
        case kinds.FalseSchema():
            said = (
                _NO_OTHER_PROPERTIES if keyword.endswith("Properties") else "nothing",
                "the schema allows no value here",
            )
        case kinds.PropertyNames():
            said = f"names that satisfy {keyword}", f"the name of a property does not satisfy {keyword}"
        case kinds.Contains():
            said = "an item that satisfies contains", "the value contains no item that it must contain"
        case kinds.BacktrackLimitExceeded():
            said = keyword, "the value was too much for the schema's pattern"
        case _:
            details = error.kind.as_dict()
            wanted = next((value for name, value in details.items() if name not in ("context", "error")), None)
            said = (wanted if wanted is not None else keyword, error.message)
    return said
