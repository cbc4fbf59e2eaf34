"""Which schema judges a request, and how it turns records into payloads."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from confluent_shim.errors import SchemaForeign, SchemaUnparsable, SinkUnavailable
from confluent_shim.records import Claimed
from jsonschema_bridge import (
    AvroCodec,
    JsonSchemaValidator,
    RegisteredSchema,
    Registry,
    Schema,
    SchemaInvalid,
    SchemaNotInSubject,
    SchemaRefused,
    Violation,
    avro_identity,
    check_json_schema,
    compile_avro,
    compile_json_schema,
    frame_prefix,
    read_schema,
    references_of,
)
from jsonschema_bridge.registry import SchemaKind
from topic_map import Binding, pinned_version

KIND_OF_ENCODING: Mapping[str, SchemaKind] = {"json-schema": "JSON", "json": "JSON", "avro": "AVRO"}
"""What kind of schema a binding's encoding needs."""

_MAX_COMPILED = 10_000


class Reading(NamedTuple):
    """How records that come in one embedded format are judged by one schema.

    `payload` takes a value's bytes and the same value parsed; it returns the bytes to land, without frame, or None
    when the value does not conform. `violations` then says why.
    """

    payload: Callable[[msgspec.Raw, object], bytes | None]
    violations: Callable[[object], Iterable[Violation]]


class InForce(NamedTuple):
    """The schema that judges a request: a version of the binding's subject, compiled.

    `prefix` stands before every payload: the frame with the schema's id, or nothing where values are not framed.
    `readings` has the embedded formats that the schema takes.
    """

    version: int
    schema_id: int
    prefix: bytes
    readings: Mapping[str, Reading]


class Schemas:
    """Finds the schema that is in force for a binding; each schema id is compiled once."""

    def __init__(self, registries: Mapping[str, Registry]) -> None:
        self._registries = registries
        self._compiled: dict[tuple[str, int], Mapping[str, Reading]] = {}

    def in_force(self, binding: Binding, claimed: Claimed) -> InForce:
        """Return the version that `binding` takes and the request names; without a name it is the current one.

        Raises SchemaForeign, SchemaUnparsable, SchemaInvalid, SinkUnavailable for a cluster that is not configured,
        and the registry's errors.
        """
        registry = self._registries.get(binding.cluster)
        if registry is None:
            raise SinkUnavailable(
                f"topic {binding.topic} is bound on cluster {binding.cluster}, which the settings no longer name; "
                f"nothing of this request was sent"
            )
        taken = versions_taken(binding, registry.versions(binding.subject))
        if not taken:
            raise SchemaForeign(
                f"Subject {binding.subject} has no version that the binding of {binding.topic} takes "
                f"(versions = {binding.versions})."
            )
        if claimed:
            found = _claimed_version(registry, binding, taken, claimed)
        else:
            found = registry.registered(binding.subject, taken[-1])
        prefix = b"" if binding.encoding == "json" else frame_prefix(found.schema_id)
        return InForce(found.version, found.schema_id, prefix, self._readings(binding, registry, found))

    def _readings(self, binding: Binding, registry: Registry, found: RegisteredSchema) -> Mapping[str, Reading]:
        known = (binding.cluster, found.schema_id)
        readings = self._compiled.get(known)
        if readings is None:
            if found.schema.kind != KIND_OF_ENCODING[binding.encoding]:
                # An Avro schema's text may well be a JSON Schema too, of another meaning.
                raise SchemaInvalid(
                    f"version {found.version} of subject {found.subject!r} is {found.schema.kind}, and the encoding "
                    f"{binding.encoding!r} of topic {binding.topic!r} needs {KIND_OF_ENCODING[binding.encoding]}"
                )
            readings = compiled(found.schema, registry)
            self._compiled[known] = readings
            if len(self._compiled) > _MAX_COMPILED:
                self._compiled.pop(next(iter(self._compiled)), None)  # the oldest
        return readings


def compiled(schema: Schema, registry: Registry) -> Mapping[str, Reading]:
    """Compile `schema` and return its readings by embedded format. Raises SchemaInvalid and the registry's errors."""
    if schema.kind == "AVRO":
        return _avro_readings(compile_avro(schema, references_of(registry)))
    return json_readings(compile_json_schema(schema, references_of(registry)))


def check_schema(schema: Schema, registry: Registry) -> None:
    """Check a schema that is about to be bound. Raises SchemaInvalid with the reason, and the registry's errors."""
    if schema.kind == "AVRO":
        compile_avro(schema, references_of(registry))
    else:
        check_json_schema(schema, references_of(registry))


def json_readings(validator: JsonSchemaValidator) -> Mapping[str, Reading]:
    """Return the readings of a JSON Schema: what conforms lands as it came."""
    is_valid = validator.is_valid

    def payload(raw: msgspec.Raw, value: object) -> bytes | None:
        return bytes(raw) if is_valid(value) else None

    reading = Reading(payload, validator.violations)
    return {"json": reading, "jsonschema": reading}


def _avro_readings(codec: AvroCodec) -> Mapping[str, Reading]:
    return {"avro": _avro_reading(codec.encode_json), "json": _avro_reading(codec.encode_plain)}


def _avro_reading(encode: Callable[[object], bytes | list[Violation]]) -> Reading:
    def payload(_: msgspec.Raw, value: object) -> bytes | None:
        encoded = encode(value)
        return encoded if isinstance(encoded, bytes) else None

    def violations(value: object) -> Iterable[Violation]:
        found = encode(value)
        return () if isinstance(found, bytes) else found

    return Reading(payload, violations)


def versions_taken(binding: Binding, versions: Sequence[int]) -> Sequence[int]:
    """Return the versions of its subject that `binding` takes, ascending; the last one is the current one.

    A pure function of the binding and the subject's version list, so that every process comes to the same answer.
    Under `latest` the walk begins at the version that was current when the topic was bound; with `compatibility`
    `registry` each later version is adopted, because the registry has compared it when it was registered.
    """
    if binding.versions == "any":
        return versions
    pinned = pinned_version(binding)
    if pinned is not None:
        return [version for version in versions if version == pinned]
    return [version for version in versions if version >= (binding.bound_version or 1)][-1:]


def _claimed_version(registry: Registry, binding: Binding, taken: Sequence[int], claimed: Claimed) -> RegisteredSchema:
    """Find the version that the request names by id or by text among those the binding takes."""
    candidates = [registry.registered(binding.subject, version) for version in reversed(taken)]
    if claimed.schema is not None:
        candidates = _of_text(registry, binding, candidates, claimed.schema)
    if claimed.schema_id is not None:
        candidates = [found for found in candidates if found.schema_id == claimed.schema_id]
    if not candidates:
        named = "value_schema" if claimed.schema is not None else f"value_schema_id {claimed.schema_id}"
        current = registry.registered(binding.subject, taken[-1])
        raise SchemaForeign(
            f"{named} is not what topic {binding.topic} takes: versions {binding.versions} of subject "
            f"{binding.subject}, now version {current.version} with id {current.schema_id}. Leave it out to use that."
        )
    return candidates[0]


def _of_text(
    registry: Registry, binding: Binding, candidates: list[RegisteredSchema], text: str
) -> list[RegisteredSchema]:
    schema = Schema(text, KIND_OF_ENCODING[binding.encoding])
    try:
        wanted = _identity(schema, registry)
    except SchemaInvalid as error:
        raise SchemaUnparsable(text, schema.kind) from error
    equal = [found for found in candidates if _identity(found.schema, registry) == wanted]
    if equal:
        return equal
    try:
        # The registry may see two texts as one schema where they differ for us, such as other names of references.
        looked_up = registry.lookup(binding.subject, schema)
    except (SchemaNotInSubject, SchemaRefused):
        return []
    return [found for found in candidates if found.schema_id == looked_up.schema_id]


def _identity(schema: Schema, registry: Registry) -> str:
    """Return a text that two equal schemas share: member order aside, 1, 1.0 and true apart, Avro's names resolved."""
    if schema.kind == "AVRO":
        return avro_identity(schema, references_of(registry))
    return json.dumps(read_schema(schema.text), sort_keys=True)
