"""What may be asked of Confluent-compatible registries and what their answers mean, as pure functions.

The numbers are those of Confluent Schema Registry's API reference. The departures covered here were seen with
AxonOps 0.2.1 (`null` for an empty list, 42202 for a version that is not there, `schemaType` always shown) and
Apicurio 2.6.13 (errors as plain text, error code 0, types of its own, an id beyond 32 bits as an unknown path).
"""

from dataclasses import dataclass
from typing import Literal, get_args

from confluent_kafka.schema_registry import Schema as ClientSchema
from confluent_kafka.schema_registry import SchemaReference as ClientReference
from confluent_kafka.schema_registry import SchemaRegistryError

from jsonschema_bridge.errors import (
    RegistryError,
    RegistryUnauthorized,
    RegistryUnavailable,
    SchemaIncompatible,
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry.model import Schema, SchemaKind, SchemaReference

LONGEST_MESSAGE = 300
"""Characters of a registry's own words that an error repeats."""

_KINDS: dict[str, SchemaKind] = {kind: kind for kind in get_args(SchemaKind)}
_DENIED = {401, 403}
_CONFLICT = 409
_INVALID = {400, 413, 422}
_SUBJECT_ABSENT = {40401, 40404, 42208}
_LARGEST_NUMBER = 2**31 - 1
_NO_NAMES = {"", ".", ".."}
"""Subjects that would change the path of a request instead of standing in it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request as far as its errors depend on it; subject, version, id and kind where it names one."""

    registry: str
    operation: Literal["schema", "versions", "registered", "lookup", "register", "subjects", "ping"]
    subject: str = ""
    version: int = 0
    schema_id: int = 0
    kind: SchemaKind = "JSON"


class UnreadableAnswerError(ValueError):
    """An answer of success whose body is not what the route answers; it does not leave this package."""


_ABOUT_NO_SUBJECT = ("subjects", "ping")


def hopeless(question: Question) -> RegistryError | None:
    """Return the error for a question that no registry can answer as it is meant, None for all others.

    Asked all the same, it would be another question (version -1 is the latest one), or a registry would fail over
    it, which looks as if it were down.
    """
    operation, registry, subject = question.operation, question.registry, question.subject
    if operation == "schema":
        if not 0 <= question.schema_id <= _LARGEST_NUMBER:
            return SchemaNotFound(question.schema_id, registry=registry)
    elif operation not in _ABOUT_NO_SUBJECT and subject in _NO_NAMES:
        if operation != "register":
            return SubjectNotFound(subject, registry=registry)
        return SchemaRefused(subject, "this name cannot be sent", registry=registry)
    elif operation == "registered" and not 1 <= question.version <= _LARGEST_NUMBER:
        return VersionNotFound(subject, question.version, registry=registry)
    elif question.kind == "OTHER":
        return SchemaRefused(subject, "its type is none of Confluent's", registry=registry)
    return None


def error_of(refusal: SchemaRegistryError, question: Question) -> RegistryError:
    """Return the error that a registry's refusal of this question stands for."""
    status, code = refusal.http_status_code, refusal.error_code
    # Annotated as always present by the client, but absent from the bodies of some proxies and registries.
    class_of_code = code // 100 if isinstance(code, int) else -1
    message = str(refusal.error_message)[:LONGEST_MESSAGE]
    if status in _DENIED or class_of_code in _DENIED:
        return RegistryUnauthorized(f"HTTP {status}, {message}", registry=question.registry)
    if question.operation in {"lookup", "register"}:
        if status == _CONFLICT:
            return SchemaIncompatible(question.subject, message, registry=question.registry)
        if status in _INVALID and code not in _SUBJECT_ABSENT:
            return SchemaRefused(question.subject, message, registry=question.registry)
    if class_of_code in {404, 422} and question.operation not in _ABOUT_NO_SUBJECT:
        return _absence(question, message, subject_absent=code in _SUBJECT_ABSENT)
    return RegistryUnavailable(f"HTTP {status}, {message}", registry=question.registry, answered=True)


def _absence(question: Question, message: str, *, subject_absent: bool) -> RegistryError:
    registry, subject = question.registry, question.subject
    if question.operation == "schema":
        return SchemaNotFound(question.schema_id, registry=registry)
    if question.operation == "register":
        return SchemaRefused(subject, message, registry=registry)
    if question.operation == "versions" or subject_absent:
        return SubjectNotFound(subject, registry=registry)
    if question.operation == "registered":
        return VersionNotFound(subject, question.version, registry=registry)
    return SchemaNotInSubject(subject, registry=registry)


def to_client(schema: Schema) -> ClientSchema:
    """Return the client's form of a schema."""
    references = [ClientReference(each.name, each.subject, each.version) for each in schema.references]
    return ClientSchema(schema.text, schema.kind, references)


def from_client(answer: ClientSchema) -> Schema:
    """Return the schema of an answer. Raises UnreadableAnswerError when it has no text or no type."""
    if not isinstance(answer.schema_str, str) or not isinstance(answer.schema_type, str):
        raise UnreadableAnswerError("the answer has no text or no type of a schema")
    kind = _KINDS.get(answer.schema_type, "OTHER")
    return Schema(answer.schema_str, kind, tuple(_reference(each) for each in answer.references or ()))


def number_in(answer: object) -> int:
    """Return a version or id of an answer. Raises UnreadableAnswerError when it is no whole number."""
    if isinstance(answer, bool) or not isinstance(answer, int):
        raise UnreadableAnswerError("the answer has no number where a version or an id belongs")
    return answer


def versions_in(answer: object) -> tuple[int, ...]:
    """Return a list of versions, ascending; `null` is the empty list. Raises UnreadableAnswerError."""
    if answer is None:
        return ()
    if not isinstance(answer, list):
        raise UnreadableAnswerError("the answer is no list of versions")
    return tuple(sorted(number_in(version) for version in answer))


def names_in(answer: object) -> list[str]:
    """Return a list of subjects; `null` is the empty list. Raises UnreadableAnswerError."""
    if answer is None:
        return []
    if not isinstance(answer, list) or not all(isinstance(name, str) for name in answer):
        raise UnreadableAnswerError("the answer is no list of subjects")
    return answer


def _reference(answer: ClientReference) -> SchemaReference:
    if not isinstance(answer.name, str) or not isinstance(answer.subject, str):
        raise UnreadableAnswerError("the answer has a reference without name or subject")
    return SchemaReference(answer.name, answer.subject, number_in(answer.version))
