"""`POST /v3/clusters/{cluster_id}/topics/{topic}/records` and `records:batch`.

Served in front of Flask, as the produce routes of v2 are. Source: rest-proxy contract, sections 2.1 and 2.5.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_shim.api.answers import refusal
from confluent_shim.api.answers_v3 import Fields, Pending, Settled, Target, grouped, hand_over, refused, together
from confluent_shim.api.batch_v3 import Entry, read_batch
from confluent_shim.api.body import declared_length, read1_of, read_body
from confluent_shim.api.facts import arrival, facts_of
from confluent_shim.api.later import All, Answer, Later, answered
from confluent_shim.api.negotiation import PLAIN_JSON, admitted, check_consumed, check_stream_type
from confluent_shim.api.record_stream import BLOCK, pieces
from confluent_shim.api.stream_v3 import (
    WINDOW_BYTES,
    WINDOW_RECORDS,
    Reader,
    Reading,
    StreamAnswer,
    Writer,
)
from confluent_shim.api.targets import PRODUCE_V3, meant
from confluent_shim.api.window import Window
from confluent_shim.api.wire_v3 import RecordV3
from confluent_shim.capacity import Capacity, Place
from confluent_shim.errors import DeadlinePassed, RecordsRefused, TopicUnbound
from confluent_shim.publishing import Publisher
from confluent_shim.settings import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = "/v3/clusters/"


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
        produce, accept = self._batch if match[3] else self._stream, environ.get("HTTP_ACCEPT")
        try:
            return produce(environ, start_response, target, accept)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return answered(refusal(error, accept, PLAIN_JSON, target.request_id), start_response)

    def _stream(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", target: Target, accept: str | None
    ) -> Iterable[bytes]:
        check_stream_type(environ.get("CONTENT_TYPE"))
        media_type = admitted(accept, PLAIN_JSON)
        length, headers = declared_length(environ), [("Content-Type", media_type)]
        # A short body is there as soon as that of a batch, and holds no more: who sends each record in a request of its
        # own needs no place for streams.
        if length is not None and length <= BLOCK:
            kept, lines = self._short(environ, target, length)
            return Later(lambda: ("200 OK", headers, b"".join(lines)), start_response, kept)
        answer = self._long(environ, target, length)
        facts_of(environ).is_stream = True
        start_response("200 OK", headers)
        return answer

    def _short(self, environ: "WSGIEnvironment", target: Target, length: int) -> tuple[Place, Iterator[bytes]]:
        """Hand over the records of a stream before any of them is answered, and return the lines that answer them."""
        limits, facts, window = self._limits, facts_of(environ), Window()
        with self._capacity.request() as place:
            place.hold(length)
            reader = Reader(self._publisher, target, limits, window, at_once=True)
            Reading(reader, window, _pieces(environ, length), lambda: None).run()
            facts.awaits = All(window.handovers(), time.monotonic() + limits.deadline)
            return place.kept(), Writer(reader, window, limits, self._ending, facts).lines()

    def _long(self, environ: "WSGIEnvironment", target: Target, length: int | None) -> StreamAnswer:
        """Return an answer that is made while the records of a stream arrive."""
        limits, window = self._limits, Window(self._under_way, WINDOW_BYTES)
        with self._capacity.stream() as place:
            place.hold(WINDOW_BYTES)
            kept = place.kept()
        reader = Reader(self._publisher, target, limits, window)
        writer = Writer(reader, window, limits, self._ending, facts_of(environ))
        reading = Reading(reader, window, _pieces(environ, length), kept.leave)
        answer = StreamAnswer(reading, writer.lines())
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            answer.ask_for_body()
        return answer

    def _batch(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", target: Target, accept: str | None
    ) -> Iterable[bytes]:
        limits, facts = self._limits, facts_of(environ)
        end = arrival(environ) + limits.deadline
        check_consumed(environ.get("CONTENT_TYPE"), PLAIN_JSON)
        media_type = admitted(accept, PLAIN_JSON)
        with self._capacity.request() as place:
            body = read_body(environ, place, limits.body_bytes)
            entries = self._read(body, target.topic)
            if time.monotonic() > end:
                raise DeadlinePassed(limits.deadline)
            # All are handed over before the first is waited for.
            pending = list(self._handed_over(target, entries))
            kept = place.kept()

        def answer() -> Answer:
            fields = [answer for each in pending for answer in each.answers(end)]
            for each in pending:
                facts.observe(each.observation)
            facts.records = len(entries)
            facts.failed = sum(not answer.written for answer in fields)
            return "207 Multi-Status", [("Content-Type", media_type)], _render(entries, fields)

        facts.awaits = All([each.handover for each in pending], end)
        return Later(answer, start_response, kept)

    def _handed_over(self, target: Target, entries: Sequence[Entry]) -> Iterator[Pending]:
        first = 0
        for group in together(grouped([_item(entry.record, target) for entry in entries], len(entries))):
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


def _pieces(environ: "WSGIEnvironment", length: int | None) -> Iterator[bytes]:
    return pieces(environ["wsgi.input"].read, length, read1_of(environ))


def _item(record: RecordV3 | Exception, target: Target) -> RecordV3 | Settled:
    return record if isinstance(record, RecordV3) else refused(record, target.request_id)


def _render(entries: Sequence[Entry], fields: Sequence[Fields]) -> bytes:
    lists: dict[bool, list[str]] = {True: [], False: []}
    for entry, answer in zip(entries, fields, strict=True):
        lists[answer.written].append(f'{{"id":"{entry.id}",{answer.text}}}')
    return f'{{"successes":[{",".join(lists[True])}],"failures":[{",".join(lists[False])}]}}'.encode()
