"""The rule: what may enter a bound topic, and why something may not."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from confluent_shim.errors import (
    FormatRefused,
    KeyFormatRefused,
    KeySchemaMissing,
    SchemaForeign,
    SchemaUnparsable,
    SinkUnavailable,
    TopicUnbound,
)
from confluent_shim.records import AdmittedRecord, Claimed, ProduceRequest
from jsonschema_bridge import (
    JsonSchemaValidator,
    RegisteredSchema,
    Registry,
    Schema,
    SchemaInvalid,
    SchemaNotInSubject,
    SchemaRefused,
    Violation,
    compile_json_schema,
    confluent_text,
    frame_prefix,
    read_schema,
    references_of,
)
from topic_map import Binding, Table, pinned_version

TableNow = Callable[[], Table]
_ADMITTED_FORMATS = ("json", "jsonschema")
_MAX_COMPILED = 10_000
_MAX_EXPLAINED = 1_000  # violations; an explanation costs a hundred verdicts, and no request may stall a worker


class InForce(NamedTuple):
    """The schema that judges a request: a version of the binding's subject, compiled.

    `prefix` stands before every value: the frame with the schema's id, or nothing where values are not framed.
    """

    version: int
    schema_id: int
    prefix: bytes
    validator: JsonSchemaValidator


class Verdict(NamedTuple):
    """What the rule says of a request: record by record either bytes to send or violations.

    `cut` says that there may be more violations than are listed: _MAX_EXPLAINED of them were found, and records that
    are rejected after that stand in `rejected` with none.
    """

    binding: Binding
    schema: InForce
    admitted: Sequence[AdmittedRecord]
    rejected: Mapping[int, Sequence[Violation]]
    cut: bool


class Enforcer:
    """Judges produce requests by the topic map and the registries of the clusters."""

    def __init__(self, table: TableNow, registries: Mapping[str, Registry]) -> None:
        self._table = table
        self._registries = registries
        self._validators: dict[tuple[str, int], JsonSchemaValidator] = {}

    def binding(self, topic: str) -> Binding:
        """Return the binding of `topic`. Raises TopicUnbound."""
        binding = self._table().get(topic)
        if binding is None:
            raise TopicUnbound(topic)
        return binding

    def judge(self, binding: Binding, request: ProduceRequest) -> Verdict:
        """Judge every record of `request`; nothing is sent.

        Raises FormatRefused, KeyFormatRefused, KeySchemaMissing, SchemaForeign or SchemaUnparsable when the request
        as a whole cannot be judged, SinkUnavailable for a cluster that is not configured, and the registry's errors.
        """
        self._check_format(binding, request)
        schema = self._schema_in_force(binding, request.value_schema)
        if binding.encoding == "json":
            schema = schema._replace(prefix=b"")
        admitted: list[AdmittedRecord] = []
        rejected: dict[int, Sequence[Violation]] = {}
        room = _MAX_EXPLAINED
        is_valid, prefix, keyless = schema.validator.is_valid, schema.prefix, binding.key != "required"
        null_is_a_value = binding.nulls == "validate"
        for index, (record, parsed) in enumerate(zip(request.records, request.parsed, strict=True)):
            value = parsed.get("value")
            key = parsed.get("key")
            lands = value is not None or null_is_a_value
            conforms = not lands or is_valid(value)
            if conforms and key is None and keyless and lands:
                # The usual record needs no more than this.
                admitted.append(AdmittedRecord(None, prefix + bytes(record.value), record.partition))
                continue
            broken = _broken_rules(binding, key, value)
            if conforms and not broken:
                landing = prefix + bytes(record.value) if lands else None
                admitted.append(AdmittedRecord(None if key is None else confluent_text(key), landing, record.partition))
                continue
            why = chain(broken, () if conforms else _explained(schema.validator, value))
            rejected[index] = list(islice(why, room)) if room else []
            room -= len(rejected[index])
        return Verdict(binding, schema, admitted, rejected, cut=not room)

    def _check_format(self, binding: Binding, request: ProduceRequest) -> None:
        if request.embedded_format not in _ADMITTED_FORMATS:
            raise FormatRefused(
                f"Topic {binding.topic} is bound to the JSON Schema subject {binding.subject}: it takes the content "
                f"types application/vnd.kafka.jsonschema.v2+json and application/vnd.kafka.json.v2+json, "
                f"not the embedded format {request.embedded_format}."
            )
        if request.key_schema:
            raise KeyFormatRefused(
                f"Topic {binding.topic} has no key subject: its keys are plain JSON and take no key_schema and no "
                f"key_schema_id. Send keys as application/vnd.kafka.json.v2+json."
            )
        if request.embedded_format == "jsonschema" and any(parsed.get("key") is not None for parsed in request.parsed):
            raise KeySchemaMissing

    def _schema_in_force(self, binding: Binding, claimed: Claimed) -> InForce:
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
            return self.compiled(binding.cluster, _claimed_version(registry, binding, taken, claimed))
        return self.compiled(binding.cluster, registry.registered(binding.subject, taken[-1]))

    def compiled(self, cluster: str, registered: RegisteredSchema) -> InForce:
        """Return `registered` ready to judge by; each schema id is compiled once. Raises SchemaInvalid."""
        known = (cluster, registered.schema_id)
        validator = self._validators.get(known)
        if validator is None:
            if registered.schema.kind != "JSON":
                # An Avro schema's text may well be a JSON Schema too, of another meaning.
                raise SchemaInvalid(
                    f"version {registered.version} of subject {registered.subject!r} is no JSON Schema but "
                    f"{registered.schema.kind}"
                )
            validator = compile_json_schema(registered.schema, references_of(self._registries[cluster]))
            self._validators[known] = validator
            if len(self._validators) > _MAX_COMPILED:
                self._validators.pop(next(iter(self._validators)), None)  # the oldest
        schema_id = registered.schema_id
        return InForce(registered.version, schema_id, frame_prefix(schema_id), validator)


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
    try:
        document = read_schema(text)
    except SchemaInvalid as error:
        raise SchemaUnparsable(text) from error
    equal = [found for found in candidates if json_equal(read_schema(found.schema.text), document)]
    if equal:
        return equal
    try:
        # The registry may see two texts as one schema where they differ for us, such as other names of references.
        looked_up = registry.lookup(binding.subject, Schema(text, "JSON"))
    except (SchemaNotInSubject, SchemaRefused):
        return []
    return [found for found in candidates if found.schema_id == looked_up.schema_id]


def json_equal(one: object, other: object) -> bool:
    """Tell whether two JSON documents are the same: member order aside, and 1, 1.0 and true apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _broken_rules(binding: Binding, key: object, value: object) -> list[Violation]:
    """Return what the binding itself has against a record; its schema is another matter."""
    found = []
    if key is None and binding.key == "required":
        found.append(_broken_rule("key", "a key", key, "records of this topic need a key"))
    if key is not None and binding.key == "none":
        found.append(_broken_rule("key", "no key", "a key", "records of this topic have no key"))
    if value is None and binding.nulls == "refuse":
        found.append(_broken_rule("nulls", "a value", None, "records of this topic need a value"))
    elif value is None and key is None and binding.nulls == "tombstone":
        found.append(_broken_rule("nulls", "a value", None, "a null value deletes a key, and this record has none"))
    return found


def _explained(validator: JsonSchemaValidator, value: object) -> Iterator[Violation]:
    """Yield why `value` is not valid; something in any case, because the verdict does not hang on its explanation."""
    unexplained = True
    for violation in validator.violations(value):
        unexplained = False
        yield violation
    if unexplained:
        yield _broken_rule("schema", "a value that conforms", None, "the value does not conform to its schema")


def _broken_rule(rule: str, expected: str, actual: object, message: str) -> Violation:
    """Describe what the binding itself forbids; `rule` is the binding's field, and no schema is behind it."""
    return Violation(pointer="", keyword=rule, schema_pointer="", expected=expected, actual=actual, message=message)
