"""`POST /v3/clusters/{cluster_id}/topics/{topic}/records` and `records:batch`.

Served in front of Flask, as the produce routes of v2 are. Source: rest-proxy contract, sections 2.1 and 2.5.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_shim.api.answers import refusal
from confluent_shim.api.answers_v3 import Fields, Pending, Settled, Target, grouped, hand_over, refused
from confluent_shim.api.batch_v3 import Entry, read_batch
from confluent_shim.api.body import declared_length, read_body
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import PLAIN_JSON, admitted, check_consumed, check_stream_type
from confluent_shim.api.record_stream import BLOCK, pieces
from confluent_shim.api.stream_v3 import WINDOW_BYTES, WINDOW_RECORDS, Reader, Reading, StreamAnswer, Writer
from confluent_shim.api.targets import PRODUCE_V3, meant
from confluent_shim.api.window import Window
from confluent_shim.api.wire_v3 import RecordV3
from confluent_shim.capacity import Capacity
from confluent_shim.errors import DeadlinePassed, Overloaded, RecordsRefused, TopicUnbound
from confluent_shim.publishing import Publisher
from confluent_shim.settings import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = "/v3/clusters/"

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes | Iterable[bytes]]


class ProduceV3:
    """A WSGI application that answers the produce routes and hands everything else on to `inner`.

    `under_way` is how many records of a stream may wait for what is behind; one lot may in any case.
    """

    def __init__(
        self,
        publisher: Publisher,
        capacity: Capacity,
        limits: Limits,
        ending: threading.Event,
        inner: "WSGIApplication",
        under_way: int = WINDOW_RECORDS,
    ) -> None:
        self._publisher = publisher
        self._capacity = capacity
        self._limits = limits
        self._ending = ending
        self._inner = inner
        self._under_way = under_way

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        produces = environ["REQUEST_METHOD"] == "POST" and path.startswith(_PREFIX)
        if not produces or (match := PRODUCE_V3.fullmatch(path)) is None:
            return self._inner(environ, start_response)
        facts = facts_of(environ)
        facts.route, facts.topic = "produce_v3", meant(match[2])
        target = Target(meant(match[1]), facts.topic, facts.request_id, environ.get("HTTP_AUTHORIZATION"))
        status, headers, body = self._answer(environ, target, self._batch if match[3] else self._stream)
        if isinstance(body, bytes):
            headers.append(("Content-Length", str(len(body))))
            body = [body]
        start_response(status, headers)
        return body

    def _answer(
        self,
        environ: "WSGIEnvironment",
        target: Target,
        produce: Callable[["WSGIEnvironment", Target, str | None], Answer],
    ) -> Answer:
        accept = environ.get("HTTP_ACCEPT")
        try:
            return produce(environ, target, accept)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return refusal(error, accept, PLAIN_JSON, target.request_id)

    def _stream(self, environ: "WSGIEnvironment", target: Target, accept: str | None) -> Answer:
        check_stream_type(environ.get("CONTENT_TYPE"))
        media_type = admitted(accept, PLAIN_JSON)
        limits, facts = self._limits, facts_of(environ)
        length = declared_length(environ)
        # A short body is there as soon as that of a batch, and holds no more: who sends each record in a request of its
        # own needs no place for streams.
        is_short = length is not None and length <= BLOCK
        place = (self._capacity.request() if is_short else self._capacity.stream()).__enter__()
        try:
            place.hold(length if is_short and length else WINDOW_BYTES)
        except Overloaded:
            place.leave()
            raise
        window = Window() if is_short else Window(self._under_way, WINDOW_BYTES)
        reader = Reader(self._publisher, target, limits, window)
        writer = Writer(reader, window, limits, self._ending, facts)
        reading = Reading(reader, window, pieces(environ["wsgi.input"].read, length), place.leave)
        facts.is_stream = True
        answer = StreamAnswer(reading, writer.lines(), aside=not is_short)
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            answer.ask_for_body()
        return "200 OK", [("Content-Type", media_type)], answer

    def _batch(self, environ: "WSGIEnvironment", target: Target, accept: str | None) -> Answer:
        limits, facts = self._limits, facts_of(environ)
        end = time.monotonic() + limits.deadline
        check_consumed(environ.get("CONTENT_TYPE"), PLAIN_JSON)
        media_type = admitted(accept, PLAIN_JSON)
        with self._capacity.request() as place:
            body = read_body(environ, place, limits.body_bytes)
            entries = self._read(body, target.topic)
            if time.monotonic() > end:
                raise DeadlinePassed(limits.deadline)
            # All are handed over before the first is waited for.
            pending = list(self._handed_over(target, entries))
            fields = [answer for each in pending for answer in each.answers(end)]
        for each in pending:
            facts.observe(each.observation)
        facts.records = len(entries)
        facts.failed = sum(not answer.written for answer in fields)
        return "207 Multi-Status", [("Content-Type", media_type)], _render(entries, fields)

    def _handed_over(self, target: Target, entries: Sequence[Entry]) -> Iterator[Pending]:
        first = 0
        for group in grouped([_item(entry.record, target) for entry in entries], len(entries)):
            yield group if isinstance(group, Settled) else hand_over(self._publisher, target, group, first)
            first += 1 if isinstance(group, Settled) else len(group)

    def _read(self, body: bytes, topic: str) -> Sequence[Entry]:
        strict = self._publisher.enforces(topic)
        try:
            return read_batch(body, self._limits.depth, self._limits.entries, strict=strict)
        except RecordsRefused as refusal:
            with suppress(TopicUnbound):
                self._publisher.count_unreadable(self._publisher.binding(topic), refusal)
            raise


def _item(record: RecordV3 | Exception, target: Target) -> RecordV3 | Settled:
    return record if isinstance(record, RecordV3) else refused(record, target.request_id)


def _render(entries: Sequence[Entry], fields: Sequence[Fields]) -> bytes:
    lists: dict[bool, list[str]] = {True: [], False: []}
    for entry, answer in zip(entries, fields, strict=True):
        lists[answer.written].append(f'{{"id":"{entry.id}",{answer.text}}}')
    return f'{{"successes":[{",".join(lists[True])}],"failures":[{",".join(lists[False])}]}}'.encode()
