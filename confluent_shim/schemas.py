"""Which schema judges the keys or the values of a request: a version of a subject that the binding names."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from confluent_shim.derivations import Derivations
from confluent_shim.errors import FormatRefused, SchemaForeign, SchemaUnknown, SchemaUnparsable, SinkUnavailable
from confluent_shim.readings import Compiled, Reading, binary, compiled, derived, framed
from confluent_shim.records import Claimed, EmbeddedFormat, Part
from jsonschema_bridge import (
    JsonUnreadable,
    RegisteredSchema,
    Registry,
    Schema,
    SchemaInvalid,
    SchemaNotInSubject,
    SchemaRefused,
    Strictness,
    avro_identity,
    compile_json_schema,
    read_json,
    read_schema,
    references_of,
)
from jsonschema_bridge.registry import SchemaKind
from jsonschema_bridge.strictness import CONFLUENT
from topic_map import Binding, pinned_version

KIND_OF_ENCODING: Mapping[str, SchemaKind] = {"json-schema": "JSON", "json": "JSON", "avro": "AVRO"}
"""What kind of schema a binding's encoding needs."""

_MAX_COMPILED = 10_000
_NAME_CHARACTERS = 249
BY_RECORD = ("RECORD_NAME", "TOPIC_RECORD_NAME")
"""The strategies that name a subject after what it describes."""


class InForce(NamedTuple):
    """The schema that judges one part of a request, and how it reads the format in which that comes.

    `subject`, `version` and `schema_id` are those of what lands: of derived Avro where a JSON Schema judges.
    `carried_id` is the schema id in every frame that is made here: None where there is no frame, and in binary, where
    each record brings its own. `takes_null` tells whether null conforms to the schema.
    """

    subject: str
    version: int
    schema_id: int
    embedded_format: EmbeddedFormat
    carried_id: int | None
    takes_null: bool
    reading: Reading


class _Current(NamedTuple):
    """The schema that was in force for a binding when its subjects had these versions; a source subject has two."""

    binding: Binding
    versions: Sequence[int]
    wire_versions: Sequence[int] | None
    schema: InForce


class Schemas:
    """Finds the schema that is in force for a binding; for each use a schema id is compiled once."""

    def __init__(self, registries: Mapping[str, Registry], derivations: Derivations) -> None:
        self._registries = registries
        self._derivations = derivations
        self._derived: dict[tuple[str, int, int, Strictness], Compiled] = {}
        self._compiled: dict[tuple[str, int, SchemaKind, Part, bool, Strictness], Compiled] = {}
        self._current: dict[tuple[str, Part, EmbeddedFormat | None], _Current] = {}

    def registry(self, binding: Binding) -> Registry:
        """Return the registry of a binding's cluster. Raises SinkUnavailable when that is not configured."""
        registry = self._registries.get(binding.cluster)
        if registry is None:
            raise SinkUnavailable(
                f"topic {binding.topic} is bound on cluster {binding.cluster}, which the settings no longer name; "
                f"nothing of this request was sent"
            )
        return registry

    def in_force(
        self, binding: Binding, part: Part, embedded_format: EmbeddedFormat | None, claimed: Claimed
    ) -> InForce:
        """Return the version that `binding` takes and the request names; without a name it is the current one.

        Where no embedded format is named it is the schema's own. Raises SchemaForeign, SchemaUnknown, SchemaUnparsable,
        SchemaInvalid, FormatRefused, SinkUnavailable for a cluster that is not configured, and the registry's errors.
        """
        registry = self.registry(binding)
        subject = subject_of(binding, part)
        versions = registry.versions(subject)
        wire_versions = registry.versions(binding.subject) if _is_derived(binding, part) else None
        current = self._current.get((binding.topic, part, embedded_format))
        same = current is not None and current.binding is binding and current.versions is versions
        if current is not None and same and current.wire_versions is wire_versions and not claimed:
            return current.schema  # what most requests ask for, and nothing has changed since it was asked last
        schema = self._found(registry, binding, part, embedded_format, claimed, versions)
        if not claimed:
            if len(self._current) >= _MAX_COMPILED:
                self._current.clear()
            self._current[binding.topic, part, embedded_format] = _Current(binding, versions, wire_versions, schema)
        return schema

    def _found(
        self,
        registry: Registry,
        binding: Binding,
        part: Part,
        embedded_format: EmbeddedFormat | None,
        claimed: Claimed,
        versions: Sequence[int],
    ) -> InForce:
        subject = subject_of(binding, part)
        wires = self._derivations.wires(registry, binding, versions) if _is_derived(binding, part) else None
        taken = versions_taken(binding, versions if wires is None else tuple(wires), part)
        if not taken:
            raise SchemaForeign(
                f"Subject {subject} has no version that the binding of {binding.topic} takes "
                f"(versions = {binding.versions}{'' if wires is None else ', derived Avro registered'})."
            )
        if claimed:
            numbered = versions if claimed.subject in (None, subject) else registry.versions(binding.subject)
            try:
                _check_claim(binding, part, numbered, claimed)
                found = _claimed_version(registry, binding, part, taken, claimed, wires)
            except (SchemaForeign, SchemaUnparsable):
                # That a format is not taken says more than that its schema is none of these.
                self._found(registry, binding, part, embedded_format, Claimed(), versions)
                raise
        else:
            found = registry.registered(subject, taken[-1])
        lands = found if wires is None else wires[found.version]
        schema = self._of(registry, binding, part, found, lands)
        if embedded_format == "binary":
            named = [found] if claimed else [registry.registered(subject, version) for version in taken]
            landing = named if wires is None else [wires[each.version] for each in named]
            in_binary = self._binary(registry, binding, part, dict(zip(landing, named, strict=True)))
            return InForce(lands.subject, lands.version, lands.schema_id, "binary", None, schema.takes_null, in_binary)
        form = embedded_format or schema.own_format
        reading = schema.readings.get(form)
        if reading is None:
            raise _format_refused(binding, part, schema, form)
        return InForce(
            lands.subject, lands.version, lands.schema_id, form, schema.carried_id, schema.takes_null, reading
        )

    def _of(
        self, registry: Registry, binding: Binding, part: Part, found: RegisteredSchema, lands: RegisteredSchema
    ) -> Compiled:
        use = binding.encoding if part == "value" else "key"
        if not _suits(found, binding, part):
            # An Avro schema's text may well be a JSON Schema too, of another meaning.
            raise SchemaInvalid(
                f"version {found.version} of subject {found.subject!r} is {found.schema.kind}, which does not suit "
                f"the {part}s of topic {binding.topic!r} (encoding = {use})"
            )
        strictness = strictness_of(binding)
        if not _is_derived(binding, part):
            return self.compiled(registry, binding.cluster, found, part, strictness, framed=_framed(binding, part))
        known = (binding.cluster, found.schema_id, lands.schema_id, strictness)
        schema = self._derived.get(known)
        if schema is None:
            form = self._derivations.of(registry, binding, found).form
            validator = compile_json_schema(found.schema, references_of(registry), strictness)
            schema = _keep(self._derived, known, derived(validator, form, lands.schema_id))
        return schema

    def compiled(
        self,
        registry: Registry,
        cluster: str,
        found: RegisteredSchema,
        part: Part,
        strictness: Strictness = CONFLUENT,
        *,
        framed: bool = True,
    ) -> Compiled:
        """Return what a registered schema means for keys or values, with or without a frame.

        Raises SchemaInvalid, and the registry's errors.
        """
        # Some registries give one id to the same text as JSON Schema and as Avro.
        known = (cluster, found.schema_id, found.schema.kind, part, framed, strictness)
        schema = self._compiled.get(known)
        if schema is None:
            made = compiled(found.schema, registry, part, found.schema_id if framed else None, strictness)
            schema = _keep(self._compiled, known, made)
        return schema

    def _binary(
        self, registry: Registry, binding: Binding, part: Part, judges: Mapping[RegisteredSchema, RegisteredSchema]
    ) -> Reading:
        """Return how bytes are read: by what `judges` the schema that their frame names.

        Bytes without a frame are judged by the last of them.
        """
        null = part == "value" and binding.nulls == "validate"
        *_, last = judges
        if not _framed(binding, part):
            schema = self._of(registry, binding, part, judges[last], last)
            return binary(lambda sent: (schema, sent), null=null)
        by_id = {each.schema_id: each for each in judges if _suits(judges[each], binding, part)}

        def schema_of(schema_id: int) -> Compiled | None:
            named = by_id.get(schema_id)
            return None if named is None else self._of(registry, binding, part, judges[named], named)

        taken = f"one of the {len(judges)} versions of subject {last.subject}"
        if len(judges) == 1:
            taken = f"version {last.version} of subject {last.subject}, which has id {last.schema_id}"
        return binary(framed(schema_of, taken), null=null)


K = TypeVar("K")


def _keep(kept: dict[K, Compiled], key: K, schema: Compiled) -> Compiled:
    kept[key] = schema
    if len(kept) > _MAX_COMPILED:
        kept.pop(next(iter(kept)), None)  # the oldest
    return schema


def strictness_of(binding: Binding) -> Strictness:
    """Return how strictly the JSON Schemas of a binding are read."""
    return Strictness(binding.unknown_fields, binding.whole_floats, binding.large_integers, binding.formats)


def subject_of(binding: Binding, part: Part) -> str:
    """Return the subject that judges the values, or the keys, of a topic."""
    return (binding.key_subject if part == "key" else binding.source_subject) or binding.subject


def kind_that_judges(binding: Binding) -> SchemaKind:
    """Return what kind of schema judges the values of a topic."""
    return "JSON" if binding.source_subject else KIND_OF_ENCODING[binding.encoding]


def versions_taken(binding: Binding, versions: Sequence[int], part: Part = "value") -> Sequence[int]:
    """Return the versions of its subject that `binding` takes, ascending; the last one is the current one.

    A pure function of the binding and the subject's version list, so that every process comes to the same answer.
    Under `latest` the walk begins at the version that was current when the topic was bound; with `compatibility`
    `registry` each later version is adopted, because the registry has compared it when it was registered.
    For keys `pinned N` is as `latest`: it counts the versions of the other subject.
    """
    if binding.versions == "any":
        return versions
    if part == "key":
        return versions[-1:]
    pinned = pinned_version(binding)
    if pinned is not None:
        return [version for version in versions if version == pinned]
    return [version for version in versions if version >= (binding.bound_version or 1)][-1:]


def _is_derived(binding: Binding, part: Part) -> bool:
    return part == "value" and binding.source_subject is not None


def _framed(binding: Binding, part: Part) -> bool:
    return part == "key" or binding.encoding != "json"


def _suits(found: RegisteredSchema, binding: Binding, part: Part) -> bool:
    if part == "key":
        return found.schema.kind in ("JSON", "AVRO")
    return found.schema.kind == kind_that_judges(binding)


def _format_refused(binding: Binding, part: Part, schema: Compiled, embedded_format: str) -> FormatRefused:
    *names, last = sorted({*schema.readings, "binary"} - {"string"})  # a string is JSON of one type
    return FormatRefused(
        f"The {part}s of topic {binding.topic} are bound to subject {subject_of(binding, part)}, which takes them in "
        f"the embedded formats {', '.join(names)} and {last}, not in {embedded_format}."
    )


def _in_words(binding: Binding, part: Part, current: RegisteredSchema) -> str:
    versions = "any" if binding.versions == "any" else "latest" if part == "key" else binding.versions
    return (
        f"versions {versions} of subject {current.subject}, now version {current.version} with id {current.schema_id}"
    )


def _check_claim(binding: Binding, part: Part, versions: Sequence[int], claimed: Claimed) -> None:
    """Check what the request says of the subject and its `versions`. Raises SchemaForeign, SchemaUnknown."""
    subject = subject_of(binding, part)
    named = f"{binding.topic}-{part}" if claimed.strategy == "TOPIC_NAME" else claimed.subject
    subjects = (subject, binding.subject) if part == "value" else (subject,)
    if named is not None and named not in subjects:
        raise SchemaForeign(
            f"The {part}s of topic {binding.topic} have the subject {subject}, not {named[:_NAME_CHARACTERS]}."
        )
    if isinstance(claimed.version, int) and claimed.version not in versions:
        raise SchemaUnknown(
            f"Schema does not exist for subject: {claimed.subject or subject}, version: {claimed.version}"
        )
    if claimed.strategy in BY_RECORD and claimed.schema is None and claimed.schema_id is None:
        raise SchemaUnknown(f"Cannot use schema_subject_strategy={claimed.strategy} without schema_id or schema.")


def _claimed_version(
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
