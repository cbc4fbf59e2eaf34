"""What the v3 API answers for a record: the fields of a line, or of an element of a batch's two lists.

Source: rest-proxy contract, sections 2.3 to 2.5.
"""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import NamedTuple, Protocol

from confluent_shim.api.answers import encode, is_transient, told
from confluent_shim.api.instant import write_instant
from confluent_shim.api.wire_v3 import SILENT, TYPES, RecordV3, Said, check_schemas_given
from confluent_shim.convention import Implicit
from confluent_shim.errors import RecordsRefused, StreamOver
from confluent_shim.observing import Observation
from confluent_shim.publishing import Publication, Publisher
from confluent_shim.records import Client, Delivery, ProduceRequest
from confluent_shim.schemas import InForce
from confluent_shim.sinks import Handover
from confluent_shim.sinks.settled import Settled as Known
from jsonschema_bridge.waiting import may_wait


class Fields(NamedTuple):
    """The fields of an answer, as the inside of a JSON object."""

    written: bool
    text: str


class Pending(Protocol):
    """Records of which the answers are known later; `observation` is what a binding says of them that observes."""

    @property
    def observation(self) -> Observation | None: ...

    @property
    def handover(self) -> Handover:
        """What is waited for."""
        ...

    def answers(self, end: float) -> list[Fields]:
        """Return one answer per record, in order; what is not known at `end`, on the monotonic clock, says so."""
        ...


class Settled(NamedTuple):
    """Records that are answered already."""

    fields: list[Fields]
    observation: Observation | None = None

    @property
    def handover(self) -> Handover:
        return Known([])

    def answers(self, end: float) -> list[Fields]:
        del end
        return self.fields


def refused(error: Exception, request_id: str, times: int = 1) -> Settled:
    """Return the answer to `times` records that `error` stopped.

    A status of 422 has its real code in the message, as in Confluent. Raises nothing.
    """
    status, code, message = told(error, request_id)
    number, first_line = int(code), message.partition("\n")[0]
    if status is HTTPStatus.UNPROCESSABLE_ENTITY and number > status:
        number, first_line = int(status), f"Error: {number} : {first_line}"
    errors = error.errors if isinstance(error, RecordsRefused) else ()
    retryable = is_transient(status) or isinstance(error, StreamOver)
    return Settled([_failure(number, first_line, "not_written", retryable, errors)] * times)


def _failure(code: int, message: str | None, outcome: str, retryable: bool, errors: Sequence[object]) -> Fields:
    told: dict[str, object] = {"error_code": code, "message": message, "outcome": outcome, "retryable": retryable}
    if errors:
        told["errors"] = errors
    return Fields(False, encode(told).decode()[1:-1])


class Target(NamedTuple):
    """Where the records of a request go, how its log lines find it, and the client's own Authorization."""

    cluster_id: str
    topic: str
    request_id: str
    authorization: str | None = None


def grouped(items: Iterable[RecordV3 | Settled], most: int) -> Iterator[Settled | list[RecordV3]]:
    """Yield the items in their order, records of one shape that follow each other together, `most` at most."""
    group: list[RecordV3] = []
    for item in items:
        if group and (isinstance(item, Settled) or len(group) >= most or item.shape != group[0].shape):
            yield group
            group = []
        if isinstance(item, Settled):
            yield item
        else:
            group.append(item)
    if group:
        yield group


def together(groups: Iterable[Settled | list[RecordV3]]) -> list[Settled | list[RecordV3]]:
    """Return the groups of a request before any is handed over.

    Of several, one may turn out to wait when another is sent already, which must not be sent once more: WouldWait
    comes before that.
    """
    known = list(groups)
    if len(known) > 1:
        may_wait()
    return known


def hand_over(publisher: Publisher, target: Target, records: Sequence[RecordV3], first: int) -> Pending:
    """Hand over `records` of one shape, of which the client counts the first as `first`.

    Raises nothing: what stops them all is the answer to each.
    """
    shape = records[0].shape
    observation = None
    try:
        binding = publisher.binding(target.topic)
        request = request_of(target, records, first)
        if isinstance(binding, Implicit):
            if binding.observed is not None:
                may_wait()  # what is observed is counted, once
                observation = publisher.observe(binding.observed, request, shape.unreadable)
            check_schemas_given(shape)
        return Sent(publisher.begin_each(binding, request), target, shape.key, shape.value, observation)
    except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
        return _watched(refused(error, target.request_id, len(records)), observation, first)


def request_of(target: Target, records: Sequence[RecordV3], first: int) -> ProduceRequest:
    """Return `records` of one shape, of which the client counts the first as `first`, as a request."""
    key, value = records[0].shape.key or SILENT, records[0].shape.value or SILENT
    extras = [record.extras for record in records]
    return ProduceRequest(
        target.topic,
        key.embedded_format,
        value.embedded_format,
        [record.incoming for record in records],
        [record.parsed for record in records],
        key.claimed,
        value.claimed,
        size=max([record.size for record in records]),
        extras=extras if any(extras) else (),
        first=first,
        client=Client(target.authorization, "v3"),
    )


class Sent(NamedTuple):
    """Records that were judged and, as far as they were admitted, handed over."""

    publication: Publication
    target: Target
    key: Said | None
    value: Said | None
    observation: Observation | None = None

    @property
    def handover(self) -> Handover:
        return self.publication.handover

    def answers(self, end: float) -> list[Fields]:
        told = Settled(list(self._told(self.publication.deliveries(end))))
        return _watched(told, self.observation, self.publication.first).fields

    def _told(self, deliveries: Sequence[Delivery]) -> Iterator[Fields]:
        verdict = self.publication.verdict
        head = encode({"cluster_id": self.target.cluster_id, "topic_name": self.target.topic}).decode()[1:-1]
        key, value = _block("key", self.key, verdict.key_schema), _block("value", self.value, verdict.schema)
        admitted, timestamp, time = iter(verdict.admitted), None, ""
        for index, delivery in enumerate(deliveries):
            record = None if index in verdict.rejected else next(admitted)
            if record is None or delivery.error_code is not None:
                yield _failed(delivery)
                continue
            if delivery.timestamp != timestamp:  # which is that of many
                timestamp = delivery.timestamp
                time = "" if timestamp is None else f',"timestamp":"{write_instant(timestamp)}"'
            place = f',"partition_id":{delivery.partition},"offset":{delivery.offset}{time}'
            key_told = "" if key is None else _sized(key, record.key)
            value_told = "" if value is None else _sized(value, record.value)
            yield Fields(True, f"{head}{place}{key_told}{value_told}")


def _watched(told: Settled, observation: Observation | None, first: int) -> Settled:
    """Add to each answer what a binding that only observes says of the record; the first is counted as `first`."""
    if observation is None:
        return told
    fields = [
        Fields(written, text + verdict_field(observation, record))
        for record, (written, text) in enumerate(told.fields, first)
    ]
    return Settled(fields, observation)


def verdict_field(observation: Observation, record: int) -> str:
    """Return what an answer gains by what a binding that only observes says of its record."""
    return f',"shim_verdict":{encode(observation.of(record)).decode()}'


def _failed(delivery: Delivery) -> Fields:
    code = delivery.error_code_v3 or delivery.error_code or 0
    return _failure(int(code), delivery.error, delivery.outcome, delivery.retryable, delivery.errors)


def _block(part: str, said: Said | None, schema: InForce | None) -> str | None:
    """Return what tells of a key or a value, but for its size; None where the request had none."""
    if said is None:
        return None
    named: dict[str, object] = {"type": TYPES[said.embedded_format or "json"]}
    if schema is not None:
        named = {"type": TYPES[schema.embedded_format]}
        if schema.subject and schema.embedded_format != "binary":
            named |= {"subject": schema.subject, "schema_id": schema.schema_id, "schema_version": schema.version}
    return f',"{part}":{encode(named).decode()[:-1]},"size":'


def _sized(block: str, landed: bytes | None) -> str:
    return f"{block}{-1 if landed is None else len(landed)}}}"
