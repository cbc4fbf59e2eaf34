"""What a request says of the schema of its keys or values: which version of the subject that is."""

import json
from collections.abc import Mapping, Sequence

from confluent_shim.adoption import kind_that_judges, subject_of
from confluent_shim.errors import NAME_CHARACTERS, SchemaForeign, SchemaUnknown, SchemaUnparsable
from confluent_shim.records import Claimed, Part
from jsonschema_bridge import (
    JsonUnreadable,
    RegisteredSchema,
    Registry,
    Schema,
    SchemaInvalid,
    SchemaNotInSubject,
    SchemaRefused,
    avro_identity,
    read_json,
    read_schema,
    references_of,
)
from topic_map import Binding

BY_RECORD = ("RECORD_NAME", "TOPIC_RECORD_NAME")
"""The strategies that name a subject after what it describes."""


def check_claim(binding: Binding, part: Part, versions: Sequence[int], claimed: Claimed) -> None:
    """Check what the request says of the subject and its `versions`. Raises SchemaForeign, SchemaUnknown."""
    subject = subject_of(binding, part)
    named = f"{binding.topic}-{part}" if claimed.strategy == "TOPIC_NAME" else claimed.subject
    subjects = (subject, binding.subject) if part == "value" else (subject,)
    if named is not None and named not in subjects:
        raise SchemaForeign(
            f"The {part}s of topic {binding.topic} have the subject {subject}, not {named[:NAME_CHARACTERS]}."
        )
    if isinstance(claimed.version, int) and claimed.version not in versions:
        raise SchemaUnknown(
            f"Schema does not exist for subject: {claimed.subject or subject}, version: {claimed.version}"
        )
    if claimed.strategy in BY_RECORD and claimed.schema is None and claimed.schema_id is None:
        raise SchemaUnknown(f"Cannot use schema_subject_strategy={claimed.strategy} without schema_id or schema.")


def claimed_version(
    registry: Registry,
    binding: Binding,
    part: Part,
    taken: Sequence[int],
    claimed: Claimed,
    wires: Mapping[int, RegisteredSchema] | None,
) -> RegisteredSchema:
    """Find the version that the request names among those the binding takes; what lands for it may be named instead."""
    every = [registry.registered(subject_of(binding, part), version) for version in reversed(taken)]
    candidates = every
    if claimed.schema is not None:
        kind = kind_that_judges(binding) if part == "value" else every[0].schema.kind
        candidates = _of_text(registry, every, Schema(claimed.schema, kind))
    if claimed.schema_id is not None:
        candidates = [
            found
            for found in candidates
            if claimed.schema_id in (found.schema_id, wires[found.version].schema_id if wires else None)
        ]
    if claimed.version is not None:
        subject = claimed.subject or every[0].subject
        version = registry.versions(subject)[-1] if claimed.version == "latest" else claimed.version
        by_wire = wires if subject != every[0].subject else None
        candidates = [
            found for found in candidates if (by_wire[found.version] if by_wire else found).version == version
        ]
    if claimed.strategy in BY_RECORD:
        prefix = f"{binding.topic}-" if claimed.strategy == "TOPIC_RECORD_NAME" else ""
        candidates = [found for found in candidates if found.subject == f"{prefix}{record_name(found.schema)}"]
    if not candidates:
        raise SchemaForeign(
            f"{_named(part, claimed)} is not what topic {binding.topic} takes: {_in_words(binding, part, every[0])}. "
            f"Leave it out to use that."
        )
    return candidates[0]


def _in_words(binding: Binding, part: Part, current: RegisteredSchema) -> str:
    versions = "any" if binding.versions == "any" else "latest" if part == "key" else binding.versions
    return (
        f"versions {versions} of subject {current.subject}, now version {current.version} with id {current.schema_id}"
    )


def _named(part: Part, claimed: Claimed) -> str:
    """Say what a request named that cannot be had; several names can only be had together."""
    names = []
    if claimed.schema is not None:
        names.append(f"{part}_schema")
    if claimed.schema_id is not None:
        names.append(f"{part}_schema_id {claimed.schema_id}")
    if claimed.version is not None:
        names.append(f"schema_version {claimed.version}")
    if claimed.strategy in BY_RECORD:
        names.append(f"subject_name_strategy {claimed.strategy}")
    return " with ".join(names)


def record_name(schema: Schema) -> str | None:
    """Return what Confluent takes for the name of a record: an Avro record's full name, a JSON Schema's title.

    None where there is none. Raises SchemaInvalid for a text that is no JSON.
    """
    try:
        document = read_json(schema.text.encode())
    except JsonUnreadable as error:
        raise SchemaInvalid(f"the schema is not JSON: {error}") from error
    if not isinstance(document, dict) or (schema.kind == "AVRO" and document.get("type") != "record"):
        return None
    name, namespace = document.get("name" if schema.kind == "AVRO" else "title"), document.get("namespace")
    if not isinstance(name, str):
        return None
    return name if schema.kind != "AVRO" or not namespace or "." in name else f"{namespace}.{name}"


def _of_text(registry: Registry, candidates: Sequence[RegisteredSchema], schema: Schema) -> list[RegisteredSchema]:
    """Return those of the candidates that are `schema`, whose text a client wrote."""
    try:
        wanted = identity(schema, registry)
    except SchemaInvalid as error:
        raise SchemaUnparsable(schema.text, schema.kind) from error
    same_kind = [found for found in candidates if found.schema.kind == schema.kind]
    equal = [found for found in same_kind if identity(found.schema, registry) == wanted]
    if equal:
        return equal
    try:
        # The registry may see two texts as one schema where they differ for us, such as other names of references.
        looked_up = registry.lookup(candidates[0].subject, schema)
    except (SchemaNotInSubject, SchemaRefused):
        return []
    return [found for found in same_kind if found.schema_id == looked_up.schema_id]


def identity(schema: Schema, registry: Registry) -> str:
    """Return a text that two equal schemas share: member order aside, 1, 1.0 and true apart, Avro's names resolved.

    Raises SchemaInvalid for a text that is no schema.
    """
    if schema.kind == "AVRO":
        return avro_identity(schema, references_of(registry))
    return json.dumps(read_schema(schema.text), sort_keys=True)
