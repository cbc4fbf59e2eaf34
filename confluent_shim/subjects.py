"""Which version of a subject a request names, found as Confluent's REST Proxy finds it.

Source: rest-proxy contract, sections 1.5, 1.7 and 2.2. What is refused is refused in Confluent's words: the step that
failed, and below it the registry's reason with its code.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_shim.claims import BY_RECORD, identity, record_name
from confluent_shim.errors import SchemaForbidden, SchemaForeign, SchemaUnknown, SchemaUnparsable
from confluent_shim.readings import check_schema
from confluent_shim.records import Claimed, Part
from jsonschema_bridge import (
    RegisteredSchema,
    Registry,
    RegistryError,
    RegistryUnauthorized,
    RegistryUnavailable,
    Schema,
    SchemaIncompatible,
    SchemaInvalid,
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
    read_json,
)
from jsonschema_bridge.registry import SchemaKind

_FORMS: Mapping[SchemaKind, str] = {"AVRO": "AVRO", "JSON": "JSONSCHEMA"}
_AVRO_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_TEXT_CHARACTERS = 1000


class Subjects(NamedTuple):
    """The subjects of one registry, as producers see them that need no binding.

    `conflict` is the registry's code for a version that is incompatible, as Confluent's version has it.
    """

    registry: Registry
    may_register: bool
    conflict: int = 409

    def named(self, topic: str, part: Part, claimed: Claimed, kind: SchemaKind | None) -> RegisteredSchema:
        """Return the version that is meant by a text, an id or a number; by nothing of these the latest one is.

        `kind` is the kind of schema that the request asks for, None for any. A text that the subject does not hold is
        registered where producers may. Raises SchemaUnparsable, SchemaUnknown, SchemaForeign for what is none of the
        subject's, SchemaForbidden, and RegistryUnavailable.
        """
        if claimed.schema is not None:
            if kind is None:
                raise SchemaUnknown("'schema' needs a 'type' that says what kind of schema it is.")
            return self._of_text(topic, part, claimed, Schema(claimed.schema, kind))
        if claimed.schema_id is not None:
            return self._of_id(topic, part, claimed, claimed.schema_id, kind)
        if claimed.strategy in BY_RECORD:
            raise SchemaUnknown(f"Cannot use schema_subject_strategy={claimed.strategy} without schema_id or schema.")
        return self._of_number(_subject(topic, part, claimed), claimed.version)

    def _of_text(self, topic: str, part: Part, claimed: Claimed, schema: Schema) -> RegisteredSchema:
        try:
            subject = _subject(topic, part, claimed, schema)
            found = self._version_of(subject, schema)
        except SchemaInvalid as error:
            raise SchemaUnparsable(schema.text, schema.kind) from error
        return found or self._registered(subject, schema)

    def _registered(self, subject: str, schema: Schema) -> RegisteredSchema:
        step = (
            f"Error when registering schema. format = {_FORMS[schema.kind]}, subject = {subject}, "
            f"schema = {_canonical(schema)}"
        )
        if not self.may_register:
            why = "Producers register no schemas here (producers_may_register = false)"
            raise SchemaForeign(f"{step}\n{why}; error code: 42205")
        try:
            check_schema(schema, self.registry)
            return self.registry.register(subject, schema)
        except SchemaInvalid as error:
            raise SchemaForeign(f"{step}\nInvalid schema: {error}; error code: 42201") from error
        except SchemaIncompatible as error:
            raise SchemaForeign(f"{step}\n{error.message}; error code: {self.conflict}") from error
        except RegistryError as error:
            raise _refusal(step, error) from error

    def _of_id(
        self, topic: str, part: Part, claimed: Claimed, schema_id: int, kind: SchemaKind | None
    ) -> RegisteredSchema:
        try:
            schema = self.registry.schema(schema_id)
        except RegistryError as error:
            raise _refusal(f"Error when fetching schema by id. schemaId = {schema_id}", error) from error
        if kind is None and schema.kind not in _FORMS:
            return RegisteredSchema(f"{topic}-{part}", 0, schema_id, schema)  # which nobody here can take further
        of_kind = kind is None or schema.kind == kind
        # Some registries give one id to the same text as JSON Schema and as Avro.
        meant = schema if of_kind else Schema(schema.text, kind or schema.kind, schema.references)
        try:
            subject = _subject(topic, part, claimed, meant)
            found = self._version_of(subject, meant)
        except SchemaInvalid as error:
            raise SchemaForeign(f"Schema {schema_id} cannot judge a record: {error}") from error
        if not of_kind and (found is None or found.schema_id != schema_id):
            raise SchemaForeign(f"Schema {schema_id} is of type {schema.kind}, and what was sent needs one of {kind}.")
        if found is None:
            step = f"Error when fetching schema version. subject = {subject}, schema = {_canonical(schema)}"
            raise _refusal(step, SchemaNotInSubject(subject))
        return RegisteredSchema(subject, found.version, schema_id, meant)

    def _of_number(self, subject: str, version: int | str | None) -> RegisteredSchema:
        try:
            if isinstance(version, int):
                return self.registry.registered(subject, version)
            return self.registry.registered(subject, self.registry.versions(subject)[-1])
        except (SubjectNotFound, VersionNotFound) as error:
            if isinstance(version, int):
                raise SchemaUnknown(f"Schema does not exist for subject: {subject}, version: {version}") from error
            raise _refusal(f"Error when fetching latest schema version. subject = {subject}", error) from error
        except RegistryError as error:
            step = f"Error when fetching schema by version. subject = {subject}, version = {version}"
            raise _refusal(step, error) from error

    def _version_of(self, subject: str, schema: Schema) -> RegisteredSchema | None:
        """Find the version of a subject that is `schema`. Raises SchemaInvalid for a text that is none."""
        every: list[RegisteredSchema] = []
        try:
            try:
                return self.registry.lookup(subject, schema)
            except (SchemaNotInSubject, SchemaRefused):
                # Some registries know a schema by its very text only.
                every = [self.registry.registered(subject, number) for number in self.registry.versions(subject)]
        except SubjectNotFound:
            pass
        except RegistryError as error:
            raise _refusal(f"Error when fetching schema version. subject = {subject}", error) from error
        wanted = identity(schema, self.registry)
        same_kind = [found for found in every if found.schema.kind == schema.kind]
        return next((found for found in same_kind if identity(found.schema, self.registry) == wanted), None)


def _subject(topic: str, part: Part, claimed: Claimed, schema: Schema | None = None) -> str:
    """Return the subject that a request means; `schema` is needed where a strategy names it after the record."""
    if claimed.subject is not None:
        return claimed.subject
    if schema is None or claimed.strategy not in BY_RECORD:
        return f"{topic}-{part}"
    name = record_name(schema)
    if name is None:
        raise SchemaForeign(f"{claimed.strategy} names a subject after its record, and this schema has no record.")
    return f"{topic}-{name}" if claimed.strategy == "TOPIC_RECORD_NAME" else name


def _refusal(step: str, error: RegistryError) -> Exception:
    """Say at which step the registry refused, and why.

    A registry that does not answer is another matter: then nothing is wrong with the request.
    """
    match error:
        case RegistryUnavailable():
            return error
        case RegistryUnauthorized():
            return SchemaForbidden(step)
        case SchemaNotFound():
            cause = f"Schema {error.schema_id} not found; error code: 40403"
        case SchemaNotInSubject():
            cause = "Schema not found; error code: 40403"
        case SubjectNotFound():
            cause = f"Subject '{error.subject}' not found.; error code: 40401"
        case SchemaRefused():
            cause = f"{error.message}; error code: 42201"
        case _:
            cause = str(error)
    return SchemaForeign(f"{step}\n{cause}")


def _canonical(schema: Schema) -> str:
    """Write a schema the way Confluent repeats it: compact, and a primitive type of Avro by its name alone."""
    document = read_json(schema.text.encode())
    if schema.kind == "AVRO":
        document = _by_name(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))[:_TEXT_CHARACTERS]


def _by_name(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_by_name(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _AVRO_PRIMITIVES and "logicalType" not in schema:
        return schema["type"]
    parts = {key: _by_name(schema[key]) for key in ("items", "values") if key in schema}
    if "fields" in schema:
        parts["fields"] = [{**field, "type": _by_name(field["type"])} for field in schema["fields"]]
    return {**schema, **parts}
