"""JSON Schemas compiled once, and what they say of a value."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import jsonschema
import jsonschema_rs
from jsonschema.validators import validator_for

from jsonschema_bridge import drafts, patterns
from jsonschema_bridge.alternatives import PLAIN, Form, leads_into_branch
from jsonschema_bridge.cost import MOST_STEPS, Cost, cost_of
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.explaining import Explanations, IntegerByText, IntegerByValue
from jsonschema_bridge.references import BASE, Resolve, base_uri, read_schema, referenced
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.strictness import (
    CONFLUENT,
    Strictness,
    declares_all,
    has_only_exact_integers,
    large_integers,
    unknown_fields,
)
from jsonschema_bridge.violation import Violation, pointer, shortened

_PART = f"urn:uuid:{uuid4()}"
"""Where a reference to a part of a schema stands that we make."""

_UNKNOWN = re.compile(r"Resource '([^']*)' is not present")


_MOST_EXPLAINED = 100_000
"""Judgements of a value that is explained: each takes some 2 us then, for which all others wait, and 83 ns before."""

_UNEXPLAINED = Violation(
    keyword="schema",
    expected="what conforms",
    message="the value does not conform to its schema",
)


_TOO_COSTLY = Violation(
    keyword="cost",
    expected=f"a value that needs at most {MOST_STEPS} judgements",
    message="the value has too many parts, or too many levels, to be judged by this schema in bounded time",
)


class JsonSchemaValidator:
    """A compiled JSON Schema. Safe to share between threads.

    `is_valid` is the hot path: native code only. `violations` is asked once a value failed, and may take its time.
    """

    def __init__(self, fast: Any, explanations: Explanations, cost: Cost, strictness: Strictness = CONFLUENT) -> None:
        self._fast = fast
        self._cost = cost
        self._explanations = explanations
        self._exact = strictness.large_integers == "refuse"
        self._closed = strictness.unknown_fields == "refuse"
        looks_closer = self._exact or self._closed or not cost.is_free
        self.is_valid: Callable[[object], bool] = self._conforms if looks_closer else fast.is_valid

    def _conforms(self, value: object) -> bool:
        return (
            not self._cost.exceeds(value)
            and self._fast.is_valid(value)
            and (not self._exact or has_only_exact_integers(value))
            and (not self._closed or (not self._cost.forks(value) and declares_all(self._fast, value)))
        )

    def _takes_long_to_explain(self, value: object) -> bool:
        # What is judged once is explained as fast.
        return max(self._cost.judgements) > 1 and self._cost.exceeds(value, _MOST_EXPLAINED)

    def violations(self, value: object) -> Iterator[Violation]:
        """Yield every reason why `value` does not conform, or the first where it is large; nothing when it does."""
        if self._cost.exceeds(value):
            yield _TOO_COSTLY
            return
        valid = self._fast.is_valid(value)
        if valid and self._closed and self._cost.forks(value):
            yield _TOO_COSTLY
            return
        if not valid and (self._cost.forks_told(value) or self._takes_long_to_explain(value)):
            yield _UNEXPLAINED
            return
        try:
            yield from () if valid else self._explanations.of(value)
        except SchemaInvalid:  # a form with its branches elsewhere has references that lead nowhere
            yield _UNEXPLAINED
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
    patterns.check_contains([document, *known.values()])
    compilation = _Compilation(document, known, strictness)
    fast = compilation.fast()
    return JsonSchemaValidator(fast, Explanations(compilation.explaining), cost_of(document, known), strictness)


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
        # Whether a pattern is one is for the engine to say that matches it; Python's does not know \p{L}.
        checks = validator_for(document, default=jsonschema.Draft7Validator)  # type: ignore[arg-type]
        checks.check_schema(document, format_checker=None)  # type: ignore[call-arg,arg-type]
    except jsonschema.SchemaError as error:
        raise SchemaInvalid(shortened(error.message), pointer(list(error.absolute_path))) from error


class _Compilation:
    """One schema with what it refers to, and its compiled forms."""

    def __init__(self, document: object, known: Mapping[str, object], strictness: Strictness) -> None:
        self._document = document
        self._known = known
        self._all = {**known, BASE: document}
        self._formats = strictness.formats != "ignore"
        self._how = drafts.rewriting(document, strictness)
        self._default = drafts.dialect(document)
        self._patterns = patterns.options(self._all.values())

    def fast(self) -> drafts.Draft:
        """Return the form that gives verdicts. Raises SchemaInvalid."""
        resources = [(uri, self._ready(self._known[uri], self._how)) for uri in self._known]
        return self._compiled(self._ready(self._document, self._how), _registry(resources), {})

    def explaining(self) -> tuple[Any, Callable[[str], Any]]:
        """Return the form that gives errors, and what compiles a part of it by its URI. Raises SchemaInvalid.

        `anyOf` and `oneOf` fail in it without what is wrong in each branch. Integers are read in their own way, because
        the rewritten form has other schema paths.
        """
        types = {drafts.BY_TEXT: IntegerByText, drafts.BY_VALUE: IntegerByValue}
        keywords = {} if self._how.integer is None else {"type": types[self._how.integer]}
        plain = self._how._replace(integer=None)
        every = [(uri, each, base_uri(each, uri, self._default)) for uri, each in self._all.items()]
        resources = [
            (uri, self._ready(each, plain._replace(form=self._form(each), uri=base))) for uri, each, base in every
        ]
        if any(map(_leads_into_branch, self._all.values())):
            resources += [(base + PLAIN, _nameless(self._ready(each, plain))) for _, each, base in every]
        registry = _registry(resources)

        def part(location: str) -> drafts.Draft:
            return self._compiled({"$ref": location}, registry, keywords, _PART)

        return self._compiled({"$ref": BASE}, registry, keywords, _PART), part

    def _form(self, schema: object) -> Form:
        # What is referred to is read in its own draft where it names one, and up to draft 6 there is no `if`.
        return "not" if drafts.reads_integers_by_text(drafts.normal(schema, self._default)) else "if"

    def _ready(self, schema: object, how: drafts.Rewriting) -> Any:
        # The draft of the schema that refers decides who reads all of it.
        return drafts.normal(drafts.rewrite(schema, how), self._default)

    def _compiled(
        self, schema: Any, registry: jsonschema_rs.Registry, keywords: dict[str, Any], base: str = BASE
    ) -> drafts.Draft:
        try:
            return drafts.validator_class(self._document)(  # type: ignore[return-value]
                schema,
                validate_formats=self._formats,
                registry=registry,
                retriever=_refuse,
                base_uri=base,
                pattern_options=self._patterns,
                keywords=keywords or None,
                mask="the value",
            )
        except jsonschema_rs.ValidationError as error:
            raise SchemaInvalid(_reason(error.message), pointer(list(error.instance_path))) from error
        except (jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaInvalid(_reason(str(error))) from error


def _registry(resources: Sequence[tuple[str, Any]]) -> jsonschema_rs.Registry:
    try:
        return jsonschema_rs.Registry(
            [*((uri, dict(schema)) for uri, schema in drafts.INTEGERS.items()), *resources], retriever=_refuse
        )
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise SchemaInvalid(_reason(str(error))) from error


def _leads_into_branch(document: object) -> bool:
    if isinstance(document, dict):
        return leads_into_branch(document.get("$ref")) or any(map(_leads_into_branch, document.values()))
    return isinstance(document, list) and any(map(_leads_into_branch, document))


def _nameless(document: Any) -> Any:
    """Return a copy without the name that would put it in the place of the original."""
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if name not in ("id", "$id") or not isinstance(value, str)}


def _refuse(uri: str) -> Any:
    raise LookupError(f"{uri} is not among the schema's references")


def _reason(text: str) -> str:
    unknown = _UNKNOWN.search(text)
    return shortened(f"{unknown[1].removeprefix(BASE)} is not among the schema's references" if unknown else text)
