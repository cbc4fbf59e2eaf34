"""Everything that can go wrong in this package, as one closed tree.

BridgeError
├── JsonUnreadable                bytes that have no reading, or more than one, as JSON
├── AvroUndecodable               bytes that are not exactly one value of an Avro schema
├── NotFramed                     bytes that do not begin with magic byte and schema id
├── SchemaInvalid                 a schema that cannot be compiled
├── SchemaNotDerivable            a JSON Schema that has no Avro form
└── RegistryError                 a schema registry was asked and the answer is not what was hoped for
    ├── SubjectNotFound           the registry holds no such subject
    ├── VersionNotFound           the subject holds no such version
    ├── SchemaNotFound            the registry holds no schema with this id
    ├── SchemaNotInSubject        the subject holds no version with this schema
    ├── SchemaIncompatible        a new version breaks the subject's compatibility rule
    ├── SchemaRefused             the registry does not accept the schema, or not now
    ├── RegistryUnauthorized      the credentials are missing, wrong or not sufficient
    └── RegistryUnavailable       no usable answer within the time allowed

Only leaves are raised. The numbers in the class docstrings are Confluent Schema Registry's error codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """The root of this package's errors; never raised itself."""


class RegistryError(BridgeError):
    """A registry's answer, or its silence; never raised itself. `registry` is the one that was asked."""

    def __init__(self, message: str, registry: str) -> None:
        super().__init__(f"registry {registry or 'of unknown address'}: {message}")
        self.registry = registry


class SubjectNotFound(RegistryError):
    """The registry holds no such subject, or every version of it is deleted (40401, 40404)."""

    def __init__(self, subject: str, *, registry: str = "") -> None:
        super().__init__(f"there is no subject {subject!r}", registry)
        self.subject = subject


class VersionNotFound(RegistryError):
    """The subject exists and holds no such version, or it is deleted (40402, 40406, 42202)."""

    def __init__(self, subject: str, version: int, *, registry: str = "") -> None:
        super().__init__(f"subject {subject!r} has no version {version}", registry)
        self.subject = subject
        self.version = version


class SchemaNotFound(RegistryError):
    """No schema has this id (40403)."""

    def __init__(self, schema_id: int, *, registry: str = "") -> None:
        super().__init__(f"there is no schema with id {schema_id}", registry)
        self.schema_id = schema_id


class SchemaNotInSubject(RegistryError):
    """The subject exists and none of its versions is the schema that was looked up (40403)."""

    def __init__(self, subject: str, *, registry: str = "") -> None:
        super().__init__(f"no version of subject {subject!r} is this schema", registry)
        self.subject = subject


class SchemaIncompatible(RegistryError):
    """The subject's compatibility rule forbids the schema as its next version (409, 40901)."""

    def __init__(self, subject: str, message: str, *, registry: str = "") -> None:
        super().__init__(f"the schema is incompatible with subject {subject!r}: {message}", registry)
        self.subject = subject
        self.message = message


class SchemaRefused(RegistryError):
    """The schema is not valid, refers to what is not there, or the subject is read-only (400, 422xx)."""

    def __init__(self, subject: str, message: str, *, registry: str = "") -> None:
        super().__init__(f"the schema is refused for subject {subject!r}: {message}", registry)
        self.subject = subject
        self.message = message


class RegistryUnauthorized(RegistryError):
    """The registry does not know who asks, or does not let them (401, 403, 40301)."""

    def __init__(self, reason: str, *, registry: str = "") -> None:
        super().__init__(f"access is denied: {reason}", registry)
        self.reason = reason


class RegistryUnavailable(RegistryError):
    """Connection refused, no answer in time, 5xx, or an answer that no registry gives.

    `answered` is true when something did answer this one request (a 5xx, a page of HTML): then the
    request may be to blame. It is false when nothing came back.
    """

    def __init__(self, reason: str, *, registry: str = "", answered: bool = False) -> None:
        super().__init__(f"no usable answer: {reason}", registry)
        self.reason = reason
        self.answered = answered


class JsonUnreadable(BridgeError):
    """Bytes are not JSON with exactly one reading.

    `kind` is one of syntax, encoding, duplicate-key, number-range and depth; `pointer` is the JSON Pointer of the
    place where it is known, else empty.
    """

    def __init__(self, kind: str, reason: str, pointer: str = "") -> None:
        super().__init__(reason if not pointer else f"{pointer}: {reason}")
        self.kind = kind
        self.reason = reason
        self.pointer = pointer


class AvroUndecodable(BridgeError):
    """Bytes are not exactly one value of the Avro schema. `reason` says why, `position` where, counted from 0."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"byte {position}: {reason}")
        self.reason = reason
        self.position = position


class NotFramed(BridgeError):
    """Bytes do not begin with Confluent's magic byte and schema id."""


class SchemaInvalid(BridgeError):
    """A schema is not valid under its draft, is no JSON, or refers to what it does not declare."""

    def __init__(self, reason: str, pointer: str = "") -> None:
        super().__init__(f"{pointer}: {reason}" if pointer else reason)
        self.reason = reason
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Refusal:
    """A place in a JSON Schema that has no Avro form, and why.

    `pointer` leads into the JSON Schema; for a schema that is referred to, its name and `#` stand before.
    """

    pointer: str
    reason: str


class SchemaNotDerivable(BridgeError):
    """A JSON Schema has no Avro form. `refusals` has every reason, each with the place in the JSON Schema."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first, more = refusals[0], len(refusals) - 1
        rest = f" (and {more} more)" if more else ""
        super().__init__(f"no Avro schema can be derived: {first.pointer or 'the root'}: {first.reason}{rest}")
        self.refusals = tuple(refusals)
