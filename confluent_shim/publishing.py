"""From a produce request to its receipt: judge, send, count."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from msgspec.structs import replace

from confluent_shim.convention import Implicit
from confluent_shim.enforcement import RECORD_BYTES, Enforcer, Verdict
from confluent_shim.error_table import Code, answer_of
from confluent_shim.errors import (
    BodyUnreadable,
    RecordsRefused,
    RecordsRejected,
    RecordTooLarge,
    ShimError,
    TopicUnbound,
)
from confluent_shim.observing import Observation
from confluent_shim.records import Delivery, ProduceRequest, Receipt
from confluent_shim.sinks import Handover, Sink
from confluent_shim.sinks.settled import Settled
from confluent_shim.telemetry import Metrics
from jsonschema_bridge import Violation
from jsonschema_bridge.waiting import may_wait
from topic_map import Binding

log = logging.getLogger(__name__)

_UNBOUND = "(unbound)"
_UNEXPLAINED = "(unexplained)"
_LONGEST_POINTER = 1000


class Publisher:
    """The one engine behind every route that takes records."""

    def __init__(
        self,
        enforcer: Enforcer,
        sinks: Mapping[str, Sink],
        metrics: Metrics,
        max_violations: int,
        *,
        show_values: bool = True,
    ) -> None:
        self._enforcer = enforcer
        self._sinks = sinks
        self._metrics = metrics
        self._max_violations = max_violations
        self._show_values = show_values

    def binding(self, topic: str) -> Binding:
        """Return what will judge records for `topic`: its binding, or an Implicit one. Raises TopicUnbound."""
        try:
            return self._enforcer.binding(topic)
        except TopicUnbound:
            # The name is the client's own, and no label for a metric.
            self._metrics.rejected(_UNBOUND, TopicUnbound.__name__)
            raise

    def enforces(self, topic: str) -> bool:
        """Tell whether records for `topic` need a single reading: a binding judges them, or nothing lets them pass."""
        return self.passing(topic) is None

    def passing(self, topic: str) -> Implicit | None:
        """Return what stands in for the binding of `topic` where none is enforced; None where records do not pass.

        Nothing is counted: who is told None goes on to ask for the binding.
        """
        try:
            binding = self._enforcer.binding(topic)
        except TopicUnbound:
            return None
        return binding if isinstance(binding, Implicit) else None

    def check(self, binding: Binding, request: ProduceRequest) -> Verdict:
        """Judge `request` and send nothing. Raises RecordsRejected with every violation, or what `judge` raises."""
        verdict = self._enforcer.judge(binding, request)
        if verdict.rejected:
            raise self._rejection(verdict, len(request.records))
        return verdict

    def observe(
        self, observed: Binding, request: ProduceRequest, unreadable: RecordsRefused | BodyUnreadable | None = None
    ) -> Observation:
        """Say what `observed` would have said of `request` if it were enforced, and count it.

        `unreadable` is why the request has no single reading, if it has none.
        """
        return self._noted(observed, self._observation(observed, request, unreadable))

    def observe_unread(self, observed: Binding, error: Exception, first: int = 0) -> Observation:
        """Say the same of what could not be read as records, because of `error`; it counts as one."""
        return self._noted(observed, _stopped(observed, error, 1, first))

    def _noted(self, observed: Binding, observation: Observation) -> Observation:
        rejected = len(observation.rejected)
        verdict = "admit" if observation.unknown is None else "unknown"
        for name, count in (("reject", rejected), (verdict, observation.records - rejected)):
            if count:
                self._metrics.observed(observed.topic, name, count)
        return observation

    def _observation(
        self, observed: Binding, request: ProduceRequest, unreadable: RecordsRefused | BodyUnreadable | None
    ) -> Observation:
        records, first = len(request.records), request.first
        if isinstance(unreadable, RecordsRefused):
            reasons = {int(str(each["record"])): str(each["message"]) for each in reversed(unreadable.errors)}
            return Observation(records, dict(sorted(reasons.items())))
        if unreadable is not None:
            return Observation(records, dict.fromkeys(range(first, first + records), str(unreadable)))
        try:
            verdict = self._enforcer.judge(observed, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, enforcing would have answered with it
            return _stopped(observed, error, records, first)
        return Observation(records, {first + index: _reason(found) for index, found in verdict.rejected.items()})

    def begin(self, binding: Binding, request: ProduceRequest, *, lenient: bool = False) -> "Publication":
        """Judge `request`, hand over what is to be sent, and return without waiting for Kafka.

        It is sent when each of its records is admitted. With `lenient` the admitted records are sent although others
        are not; those have a delivery that says why. Raises what `check` raises (with `lenient`, RecordsRefused only
        when no record is admitted), and SinkUnavailable when nothing was handed over.
        """
        verdict = self._judged(binding, request)
        if verdict.rejected and not (lenient and verdict.admitted):
            raise self._rejection(verdict, len(request.records))
        return self._handed_over(verdict, request)

    def begin_each(self, binding: Binding, request: ProduceRequest) -> "Publication":
        """Judge `request` and hand over what is admitted, be it nothing; each record is answered by itself.

        Raises what `begin` raises where no single record is to blame.
        """
        return self._handed_over(self._judged(binding, request), request)

    def _judged(self, binding: Binding, request: ProduceRequest) -> Verdict:
        try:
            verdict = self._enforcer.judge(binding, request)
        except ShimError as refusal:
            self._metrics.rejected(_label(binding), type(refusal).__name__, len(request.records))
            raise
        if verdict.rejected:
            may_wait()  # what is rejected is counted, once, and the sink may have to wait for the others
            self._count_rejected(verdict)
        return verdict

    def _handed_over(self, verdict: Verdict, request: ProduceRequest) -> "Publication":
        binding, admitted = verdict.binding, verdict.admitted
        if not admitted:
            return Publication(self, verdict, request.first, Settled([]))
        if request.partition is not None:
            admitted = [
                replace(record, partition=request.partition) if record.partition is None else record
                for record in admitted
            ]
        if request.extras:
            kept = (extras for index, extras in enumerate(request.extras) if index not in verdict.rejected)
            admitted = [replace(record, extras=extras) for record, extras in zip(admitted, kept, strict=True)]
        handover = self._sinks[binding.cluster].hand_over(binding.topic, admitted, request.client)
        self._metrics.handed_over(binding.cluster, len(admitted))
        return Publication(self, verdict, request.first, handover)

    def settle(self, publication: "Publication", end: float) -> list[Delivery]:
        """Wait for the records that were handed over, and count what became of them."""
        verdict = publication.verdict
        try:
            deliveries = publication.handover.wait(end)
        finally:
            self._metrics.settled(verdict.binding.cluster, len(verdict.admitted))
        self._count(_label(verdict.binding), deliveries)
        return _beside_refusals(deliveries, publication, self._told) if verdict.rejected else deliveries

    def _count_rejected(self, verdict: Verdict) -> None:
        for violations in verdict.rejected.values():
            for keyword in {violation.keyword for violation in violations} or {_UNEXPLAINED}:
                self._metrics.rejected(_label(verdict.binding), keyword)

    def count_unreadable(self, binding: Binding, refusal: RecordsRefused) -> None:
        """Count the records that `refusal` lists, which have no single reading as JSON and so come to no verdict."""
        for error in refusal.errors:
            self._metrics.rejected(_label(binding), str(error["keyword"]))

    def _count(self, topic: str, deliveries: Sequence[Delivery]) -> None:
        written = len(deliveries)
        for delivery in deliveries:
            if delivery.error_code is not None:
                written -= 1
                self._metrics.delivered(topic, delivery.outcome, 1)
        if written:
            self._metrics.delivered(topic, "written", written)

    def _rejection(self, verdict: Verdict, records: int) -> RecordsRefused:
        found = [(index, violation) for index, violations in verdict.rejected.items() for violation in violations]
        index, first = found[0]
        count = f"{'at least ' if verdict.cut else ''}{len(found)} violations"
        more = f" ({count} in {len(verdict.rejected)} of {records} records)" if len(found) > 1 else ""
        only_size = all(violation.keyword == RECORD_BYTES for _, violation in found)
        refusal = RecordTooLarge if only_size else RecordsRejected
        return refusal(
            f"Bad Request: record {index}, {_place(first.part, first.pointer)}: {first.message}{more}",
            self._told(found),
            cut=verdict.cut or len(found) > self._max_violations,
        )

    def _told(self, found: Sequence[tuple[int, Violation]]) -> list[dict[str, object]]:
        """Return the `errors` of an answer: as many as may be listed, and with what stood in the record if that may."""
        errors = [described(index, violation) for index, violation in found[: self._max_violations]]
        if not self._show_values:
            for error in errors:
                del error["actual"]
        return errors


def _label(binding: Binding) -> str:
    """Return what stands for a topic in metrics: a name without binding is the client's own, and so any."""
    return _UNBOUND if isinstance(binding, Implicit) and binding.observed is None else binding.topic


def _stopped(observed: Binding, error: Exception, records: int, first: int) -> Observation:
    """Say of records what enforcing would have answered to all of them: `error`."""
    status, code, message = answer_of(error)
    reason = f"{type(error).__name__}: {message}"[:_LONGEST_POINTER]
    if code is Code.INTERNAL:
        log.error("unexpected error while observing topic %s", observed.topic, exc_info=error)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Observation(records, dict.fromkeys(range(first, first + records), reason))
    return Observation(records, {}, reason)


def _reason(violations: Sequence[Violation]) -> str:
    """Say in one line why a record does not conform."""
    if not violations:
        return "it does not conform"
    return f"{_place(violations[0].part, violations[0].pointer)}: {violations[0].message}"


class Publication(NamedTuple):
    """A request that was judged and, as far as it is to be sent, handed over.

    `first` is what the client counts its first record as.
    """

    publisher: Publisher
    verdict: Verdict
    first: int
    handover: Handover

    def deliveries(self, end: float) -> list[Delivery]:
        """Return what became of each record when that is known, or when `end`, on the monotonic clock, is reached."""
        return self.publisher.settle(self, end)

    def receipt(self, end: float) -> Receipt:
        """Return the same, for the whole request."""
        deliveries = self.deliveries(end)
        failed = sum([delivery.error_code is not None for delivery in deliveries])
        key_schema = self.verdict.key_schema
        key_schema_id = None if key_schema is None else key_schema.carried_id
        return Receipt(deliveries, key_schema_id, self.verdict.schema.carried_id, failed)


_Tell = Callable[[Sequence[tuple[int, Violation]]], list[dict[str, object]]]


def _beside_refusals(deliveries: Sequence[Delivery], publication: Publication, told: _Tell) -> list[Delivery]:
    """Put the deliveries of the admitted records and the reasons of the rejected ones in the request's order."""
    rejected, first = publication.verdict.rejected, publication.first
    written = iter(deliveries)
    return [
        _refused(first + index, rejected[index], told) if index in rejected else next(written)
        for index in range(len(deliveries) + len(rejected))
    ]


def _refused(record: int, violations: Sequence[Violation], told: _Tell) -> Delivery:
    errors = told([(record, violation) for violation in violations])
    code = Code.TOO_LARGE if violations and violations[0].keyword == RECORD_BYTES else Code.BAD_REQUEST
    why = f"Bad Request: {_reason(violations)}"
    return Delivery(None, None, code, why, "not_written", retryable=False, errors=errors)


def described(index: int, violation: Violation) -> dict[str, object]:
    """Return one element of an answer's `errors` array."""
    return {
        "record": index,
        "part": violation.part,
        "pointer": _short(violation.pointer),
        "keyword": violation.keyword,
        "schema_pointer": violation.schema_pointer,
        "expected": violation.expected,
        "actual": violation.actual,
        "message": violation.message,
        "retryable": False,
    }


def _place(part: str, pointer: str) -> str:
    """Say where in a record; a pointer alone leads into the value."""
    if part == "value":
        return _short(pointer) or "the whole value"
    return f"key {_short(pointer)}" if pointer else "the whole key"


def _short(pointer: str) -> str:
    """Cut a pointer, which repeats names that the client chose: an answer must not be many times its request."""
    return pointer if len(pointer) <= _LONGEST_POINTER else pointer[:_LONGEST_POINTER] + "…"
