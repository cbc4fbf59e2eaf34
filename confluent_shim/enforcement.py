"""The rule: what may enter a bound topic, and why something may not."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from msgspec.structs import replace

from confluent_shim.convention import Convention, Implicit
from confluent_shim.errors import KeyFormatRefused, KeySchemaMissing, TopicUnbound
from confluent_shim.readings import PLAIN_KEYS, Reading
from confluent_shim.records import AdmittedRecord, IncomingRecord, Part, ProduceRequest
from confluent_shim.schemas import InForce, Schemas
from jsonschema_bridge import Violation
from jsonschema_bridge.waiting import may_wait
from topic_map import Binding, Table
from topic_map.binding import Mode

TableNow = Callable[[], Table]
RECORD_BYTES = "record_bytes"
"""The keyword of a violation of the limit on a record's size."""
_MAX_EXPLAINED = 1_000  # violations; an explanation costs a hundred verdicts, and no request may stall a worker
_EXPLAINING_SECONDS = 0.5  # of work, for the same reason; each violation is bounded by itself
_AT_ONCE_SECONDS = 0.05  # of judging where nobody may wait; one record is bounded by itself, and many may be sent


class Verdict(NamedTuple):
    """What the rule says of a request: record by record either bytes to send or violations.

    `cut` says that there may be more violations than are listed: _MAX_EXPLAINED of them were found, or finding them
    took _EXPLAINING_SECONDS; records that are rejected after that stand in `rejected` with none. `key_schema` is None
    where no schema judges keys.
    """

    binding: Binding
    schema: InForce
    key_schema: InForce | None
    admitted: Sequence[AdmittedRecord]
    rejected: Mapping[int, Sequence[Violation]]
    cut: bool


class Clocks(NamedTuple):
    """The seconds that this thread has worked, and those that went by, which are asked for in a tenth of the time."""

    work: Callable[[], float] = time.thread_time
    now: Callable[[], float] = time.monotonic


class Enforcer:
    """Judges produce requests by the topic map and the registries of the clusters."""

    def __init__(
        self,
        table: TableNow,
        schemas: Schemas,
        record_bytes: int,
        convention: Convention,
        *,
        pass_unbound: bool = False,
        mode: Mode = "enforce",
        clocks: Clocks | None = None,
    ) -> None:
        self._table = table
        self._schemas = schemas
        self._record_bytes = record_bytes
        self._convention = convention
        self._pass_unbound = pass_unbound
        self._mode = mode
        self._clocks = clocks or Clocks()

    def binding(self, topic: str) -> Binding:
        """Return what judges records for `topic`: its binding, or an Implicit one where that is not enforced.

        Raises TopicUnbound for a topic without a binding, unless such topics pass.
        """
        binding = self._table().get(topic)
        if binding is not None:
            observes = (binding.mode or self._mode) == "observe"
            return self._convention.binding(topic, binding) if observes else binding
        if not self._pass_unbound:
            raise TopicUnbound(topic)
        return self._convention.binding(topic)

    def bound(self, topic: str) -> Binding:
        """Return the binding of `topic`. Raises TopicUnbound."""
        binding = self._table().get(topic)
        if binding is None:
            raise TopicUnbound(topic)
        return binding

    def judge(self, binding: Binding, request: ProduceRequest) -> Verdict:
        """Judge every record of `request`; nothing is sent.

        Raises FormatRefused, KeyFormatRefused, KeySchemaMissing, SchemaForeign, SchemaUnknown or SchemaUnparsable when
        the request as a whole cannot be judged, SinkUnavailable for a cluster that is not configured, and the
        registry's errors; what Convention.rules raises where no binding is enforced.
        """
        if isinstance(binding, Implicit):
            keys, key_needed, key_schema, schema, null_is_a_value = self._convention.rules(binding, request)
        else:
            keys, key_needed, key_schema = self._keys(binding, request)
            schema = self._schemas.in_force(binding, "value", request.value_format, request.value_schema)
            null_is_a_value = binding.nulls == "validate"
        admitted: list[AdmittedRecord] = []
        rejected: dict[int, Sequence[Violation]] = {}
        room, left = _MAX_EXPLAINED, _EXPLAINING_SECONDS
        landing_of = schema.reading.landing
        small = request.size <= self._record_bytes  # and so is every record in it
        now = self._clocks.now
        until = now() + _AT_ONCE_SECONDS
        for index, (record, parsed) in enumerate(zip(request.records, request.parsed, strict=True)):
            if index and now() > until:
                may_wait()
            value = parsed.get("value")
            key = parsed.get("key")
            if not small and (too_large := _broken_limit(record, self._record_bytes)):
                # It is not judged: only for records within the limit is it known that this does not take long.
                rejected[index] = too_large[:room]
                room -= len(rejected[index])
                continue
            lands = value is not None or null_is_a_value
            landing = landing_of(record.value, value) if lands else None
            if landing is not None and key is None and not key_needed:
                # The usual record needs no more than this.
                admitted.append(AdmittedRecord(None, landing, record.partition))
                continue
            key_landing = None if key is None else keys.landing(record.key, key)
            conforms, key_conforms = landing is not None or not lands, key_landing is not None or key is None
            broken = _broken_rules(binding, key, value, key_needed=key_needed)
            if conforms and key_conforms and not broken:
                admitted.append(AdmittedRecord(key_landing, landing, record.partition))
                continue
            may_wait()
            why = chain(
                broken,
                () if key_conforms else _explained(keys, "key", key),
                () if conforms else _explained(schema.reading, "value", value),
            )
            rejected[index] = []
            if room:
                rejected[index], took = self._found(islice(why, room), left)
                left -= took
                room = room - len(rejected[index]) if left > 0 else 0
        return Verdict(binding, schema, key_schema, admitted, rejected, cut=not room)

    def _found(self, why: Iterator[Violation], most: float) -> tuple[list[Violation], float]:
        """Return why a record does not conform, as far as `most` seconds of work tell, and how many it took."""
        found, started, took = list[Violation](), self._clocks.work(), 0.0
        for violation in why:
            found.append(violation)
            took = self._clocks.work() - started
            if took >= most:
                break
        return found, took

    def _keys(self, binding: Binding, request: ProduceRequest) -> tuple[Reading, bool, InForce | None]:
        """Return how keys are read, whether every record needs one, and the schema that judges them."""
        if binding.key == "subject":
            schema = self._schemas.in_force(binding, "key", request.key_format, request.key_schema)
            # To a consumer a record without key has the key null, which may conform too.
            return schema.reading, not schema.takes_null, schema
        if request.key_schema:
            raise KeyFormatRefused(
                f"Topic {binding.topic} has no key subject: no schema judges its keys, and a request names none. "
                f"Send keys in the embedded format json."
            )
        reading = PLAIN_KEYS.get(request.key_format) if request.key_format else None
        if reading is None:
            if any(parsed.get("key") is not None for parsed in request.parsed):
                raise KeySchemaMissing
            reading = PLAIN_KEYS["json"]
        return reading, binding.key == "required", None


def _broken_rules(binding: Binding, key: object, value: object, *, key_needed: bool) -> list[Violation]:
    """Return what the binding itself has against a record; its schema is another matter."""
    found = []
    if key is None and key_needed:
        found.append(_broken_rule("key", "key", "a key", key, "records of this topic need a key"))
    if key is not None and binding.key == "none":
        found.append(_broken_rule("key", "key", "no key", "a key", "records of this topic have no key"))
    if value is None and binding.nulls == "refuse":
        found.append(_broken_rule("nulls", "value", "a value", None, "records of this topic need a value"))
    elif value is None and key is None and binding.nulls == "tombstone":
        message = "a null value deletes a key, and this record has none"
        found.append(_broken_rule("nulls", "value", "a value", None, message))
    return found


def _broken_limit(record: IncomingRecord, most: int) -> list[Violation]:
    size = len(memoryview(record.key)) + len(memoryview(record.value))
    if size <= most:
        return []
    message = f"key and value have {size} bytes, more than the limit of {most}"
    return [_broken_rule(RECORD_BYTES, "value", f"at most {most} bytes", size, message)]


def _explained(reading: Reading, part: Part, parsed: object) -> Iterator[Violation]:
    """Yield why a key or value is not valid; something in any case, as the verdict does not hang on its explanation."""
    unexplained = True
    for violation in reading.violations(parsed):
        unexplained = False
        yield violation if part == "value" else replace(violation, part=part)
    if unexplained:
        yield _broken_rule("schema", part, "what conforms", None, f"the {part} does not conform to its schema")


def _broken_rule(rule: str, part: Part, expected: str, actual: object, message: str) -> Violation:
    """Describe what the binding itself forbids; `rule` is the binding's field, and no schema is behind it."""
    return Violation(part=part, keyword=rule, expected=expected, actual=actual, message=message)
