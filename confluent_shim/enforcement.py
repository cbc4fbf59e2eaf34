"""The rule: what may enter a bound topic, and why something may not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from confluent_shim.errors import FormatRefused, KeyFormatRefused, KeySchemaMissing, TopicUnbound
from confluent_shim.records import AdmittedRecord, ProduceRequest
from confluent_shim.schemas import InForce, Reading, Schemas
from jsonschema_bridge import Violation, confluent_text
from topic_map import Binding, Table

TableNow = Callable[[], Table]
_KEY_IN_SCHEMA_FORMAT = ("jsonschema", "avro")
_MAX_EXPLAINED = 1_000  # violations; an explanation costs a hundred verdicts, and no request may stall a worker


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

    def __init__(self, table: TableNow, schemas: Schemas) -> None:
        self._table = table
        self._schemas = schemas

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
        _check_keys(binding, request)
        schema = self._schemas.in_force(binding, request.value_schema)
        reading = _reading(binding, schema, request)
        admitted: list[AdmittedRecord] = []
        rejected: dict[int, Sequence[Violation]] = {}
        room = _MAX_EXPLAINED
        payload_of, prefix, keyless = reading.payload, schema.prefix, binding.key != "required"
        null_is_a_value = binding.nulls == "validate"
        for index, (record, parsed) in enumerate(zip(request.records, request.parsed, strict=True)):
            value = parsed.get("value")
            key = parsed.get("key")
            lands = value is not None or null_is_a_value
            payload = payload_of(record.value, value) if lands else None
            conforms = not lands or payload is not None
            if payload is not None and key is None and keyless:
                # The usual record needs no more than this.
                admitted.append(AdmittedRecord(None, prefix + payload, record.partition))
                continue
            broken = _broken_rules(binding, key, value)
            if conforms and not broken:
                landing = None if payload is None else prefix + payload
                key_bytes = None if key is None else confluent_text(key)
                admitted.append(AdmittedRecord(key_bytes, landing, record.partition))
                continue
            why = chain(broken, () if conforms else _explained(reading, value))
            rejected[index] = list(islice(why, room)) if room else []
            room -= len(rejected[index])
        return Verdict(binding, schema, admitted, rejected, cut=not room)


def _reading(binding: Binding, schema: InForce, request: ProduceRequest) -> Reading:
    reading = schema.readings.get(request.embedded_format)
    if reading is None:
        taken = " and ".join(f"application/vnd.kafka.{name}.v2+json" for name in sorted(schema.readings))
        raise FormatRefused(
            f"Topic {binding.topic} is bound to subject {binding.subject} with the encoding {binding.encoding}: it "
            f"takes the content types {taken}, not the embedded format {request.embedded_format}."
        )
    return reading


def _check_keys(binding: Binding, request: ProduceRequest) -> None:
    if request.key_schema:
        raise KeyFormatRefused(
            f"Topic {binding.topic} has no key subject: its keys are plain JSON and take no key_schema and no "
            f"key_schema_id. Send keys as application/vnd.kafka.json.v2+json."
        )
    if request.embedded_format in _KEY_IN_SCHEMA_FORMAT and any(
        parsed.get("key") is not None for parsed in request.parsed
    ):
        raise KeySchemaMissing


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


def _explained(reading: Reading, value: object) -> Iterator[Violation]:
    """Yield why `value` is not valid; something in any case, because the verdict does not hang on its explanation."""
    unexplained = True
    for violation in reading.violations(value):
        unexplained = False
        yield violation
    if unexplained:
        yield _broken_rule("schema", "a value that conforms", None, "the value does not conform to its schema")


def _broken_rule(rule: str, expected: str, actual: object, message: str) -> Violation:
    """Describe what the binding itself forbids; `rule` is the binding's field, and no schema is behind it."""
    return Violation(pointer="", keyword=rule, schema_pointer="", expected=expected, actual=actual, message=message)
