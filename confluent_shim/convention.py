"""What a topic goes by for which no binding is enforced: the naming convention that Confluent's REST Proxy keeps.

Source: rest-proxy contract, sections 1.4, 1.5 and 2.2.
"""

from collections.abc import Mapping
from typing import NamedTuple

from confluent_shim.errors import EnvelopeRefused, FormatRefused, KeySchemaMissing, SchemaForeign, ValueSchemaMissing
from confluent_shim.readings import PLAIN_KEYS, PLAIN_VALUES, Reading
from confluent_shim.records import Claimed, EmbeddedFormat, Part, ProduceRequest
from confluent_shim.schemas import InForce, Schemas
from confluent_shim.settings import Contract
from confluent_shim.subjects import Subjects
from jsonschema_bridge import SchemaInvalid
from jsonschema_bridge.registry import SchemaKind
from topic_map import Binding

_KINDS: Mapping[EmbeddedFormat, SchemaKind] = {"avro": "AVRO", "jsonschema": "JSON"}


class Implicit(Binding, frozen=True, kw_only=True):
    """The binding that a topic has by its name alone; it is never in the table.

    `observed` is the topic's own binding where that watches and does not enforce.
    """

    observed: Binding | None = None


class Rules(NamedTuple):
    """What judges the records of one request, and whether a record must have a key, and a null value be judged."""

    keys: Reading
    key_needed: bool
    key_schema: InForce | None
    schema: InForce
    null_is_a_value: bool


def _plain(readings: Mapping[EmbeddedFormat, Reading]) -> Mapping[EmbeddedFormat, InForce]:
    return {name: InForce("", 0, 0, name, None, takes_null=True, reading=reading) for name, reading in readings.items()}


_PLAIN: Mapping[Part, Mapping[EmbeddedFormat, InForce]] = {"key": _plain(PLAIN_KEYS), "value": _plain(PLAIN_VALUES)}


class Convention:
    """Tells what judges records by the names of their topics and what a request says of its schemas."""

    def __init__(
        self, schemas: Schemas, cluster: str, *, may_register: bool = False, contract: Contract = "7.9"
    ) -> None:
        self._schemas = schemas
        self._cluster = cluster
        self._may_register = may_register
        # From 8 on a schema judges nulls too; before, a null is Kafka's null whatever the schema says.
        self._judges_nulls = contract == "8"

    def binding(self, topic: str, observed: Binding | None = None) -> Implicit:
        """Return what stands in for the binding of `topic`: nothing is asked of its records but by their schemas."""
        return Implicit(
            topic=topic,
            subject=f"{topic}-value",
            key_subject=f"{topic}-key",
            cluster=self._cluster if observed is None else observed.cluster,
            nulls="validate",
            observed=observed,
        )

    def rules(self, binding: Implicit, request: ProduceRequest) -> Rules:
        """Return what judges `request`: the schemas that it names, where its embedded formats need any.

        Registers a schema that its subject does not have yet, where producers may. Raises FormatRefused,
        EnvelopeRefused, KeySchemaMissing, ValueSchemaMissing, SinkUnavailable for a cluster that is not configured, and
        what Subjects.named raises.
        """
        key_schema = self._in_force(binding, "key", request.key_format, request.key_schema, request)
        schema = self._in_force(binding, "value", request.value_format, request.value_schema, request)
        for parsed in request.parsed if key_schema is None or schema is None else ():
            if key_schema is None and parsed.get("key") is not None:
                raise KeySchemaMissing
            if schema is None and parsed.get("value") is not None:
                raise ValueSchemaMissing
        return Rules(
            keys=(key_schema or _PLAIN["key"]["json"]).reading,
            key_needed=self._judges_nulls and key_schema is not None and not key_schema.takes_null,
            key_schema=key_schema,
            schema=schema or _PLAIN["value"]["json"],
            null_is_a_value=self._judges_nulls and schema is not None and schema.carried_id is not None,
        )

    def _in_force(
        self,
        binding: Implicit,
        part: Part,
        embedded_format: EmbeddedFormat | None,
        claimed: Claimed,
        request: ProduceRequest,
    ) -> InForce | None:
        """Return what judges keys or values; None where a schema would be needed and none is named."""
        if embedded_format is None:
            if not claimed and not any(part in parsed for parsed in request.parsed):
                return None
            kind = None
        elif embedded_format in _PLAIN[part]:
            return _PLAIN[part][embedded_format]
        elif embedded_format not in _KINDS:
            raise _upstream_only(binding, embedded_format)
        elif not claimed:
            return None
        else:
            kind = _KINDS[embedded_format]
        if claimed.schema is not None and claimed.schema_id is not None:
            raise EnvelopeRefused(f"{part}_schema and {part}_schema_id are both given: name the schema once")
        registry = self._schemas.registry(binding)
        subjects = Subjects(registry, self._may_register, conflict=40901 if self._judges_nulls else 409)
        found = subjects.named(binding.topic, part, claimed, kind)
        if found.schema.kind not in _KINDS.values():
            raise _upstream_only(binding, found.schema.kind.lower())
        try:
            schema = self._schemas.compiled(registry, binding.cluster, found, part)
        except SchemaInvalid as error:
            raise SchemaForeign(f"Schema {found.schema_id} cannot judge a record: {error}") from error
        form = embedded_format or schema.own_format
        return InForce(
            found.subject,
            found.version,
            found.schema_id,
            form,
            schema.carried_id,
            schema.takes_null,
            schema.readings[form],
        )


def _upstream_only(binding: Binding, embedded_format: str) -> FormatRefused:
    return FormatRefused(
        f"Topic {binding.topic} is not bound, and {embedded_format} needs a REST Proxy behind the shim. "
        f"Send json, jsonschema, avro or binary."
    )
