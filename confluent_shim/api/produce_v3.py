"""`POST /v3/clusters/{cluster_id}/topics/{topic}/records:batch`.

Served in front of Flask, as the produce routes of v2 are. Source: rest-proxy contract, sections 2.1 and 2.5.
"""

import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_shim.api.answers import error_answer
from confluent_shim.api.answers_v3 import Fields, Target, hand_over, refused
from confluent_shim.api.body import read_body
from confluent_shim.api.facts import facts_of, reason_phrase
from confluent_shim.api.negotiation import PLAIN_JSON, admitted, check_consumed, type_of_refusal
from confluent_shim.api.wire_v3 import Entry, RecordV3, read_batch
from confluent_shim.capacity import Capacity
from confluent_shim.errors import (
    ContentTypeMalformed,
    ContentTypeUnsupported,
    DeadlinePassed,
    NoCommonAnswerType,
    RecordsRefused,
    TopicUnbound,
)
from confluent_shim.publishing import Publisher
from confluent_shim.settings import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Confluent's router takes a trailing slash and ignores matrix parameters (`;x=1`).
_ROUTE = re.compile(r"/v3/clusters/([^/;]+)(?:;[^/]*)?/topics/([^/;]+)(?:;[^/]*)?/records(:batch)?(?:;[^/]*)?/?")
_PREFIX = "/v3/clusters/"

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]


class ProduceV3:
    """A WSGI application that answers the produce routes and hands everything else on to `inner`."""

    def __init__(self, publisher: Publisher, capacity: Capacity, limits: Limits, inner: "WSGIApplication") -> None:
        self._publisher = publisher
        self._capacity = capacity
        self._limits = limits
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        produces = environ["REQUEST_METHOD"] == "POST" and path.startswith(_PREFIX)
        if not produces or (match := _ROUTE.fullmatch(path)) is None or not match[3]:
            return self._inner(environ, start_response)
        facts = facts_of(environ)
        facts.route, facts.topic = "produce_v3", _text(match[2])
        target = Target(_text(match[1]), facts.topic, facts.request_id, environ.get("HTTP_AUTHORIZATION"))
        status, headers, body = self._answer(environ, target)
        headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return [body]

    def _answer(self, environ: "WSGIEnvironment", target: Target) -> Answer:
        accept = environ.get("HTTP_ACCEPT")
        try:
            return self._batch(environ, target, accept)
        except (NoCommonAnswerType, ContentTypeMalformed) as error:
            return _refusal(error, None, target.request_id)
        except ContentTypeUnsupported as error:
            return _refusal(error, type_of_refusal(accept), target.request_id)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return _refusal(error, PLAIN_JSON, target.request_id)

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
            items = [
                each.record if isinstance(each.record, RecordV3) else refused(each.record, facts.request_id)
                for each in entries
            ]
            # All are handed over before the first is waited for.
            pending = list(hand_over(self._publisher, target, items))
            fields = [answer for each in pending for answer in each.answers(end)]
        facts.records = len(entries)
        facts.failed = sum(not answer.written for answer in fields)
        return "207 Multi-Status", [("Content-Type", media_type)], _render(entries, fields)

    def _read(self, body: bytes, topic: str) -> Sequence[Entry]:
        try:
            return read_batch(body, self._limits.depth, self._limits.entries)
        except RecordsRefused as refusal:
            with suppress(TopicUnbound):
                self._publisher.count_unreadable(self._publisher.binding(topic), refusal)
            raise


def _text(segment: str) -> str:
    """Return a segment of a path as it was meant: WSGI has its bytes as Latin-1."""
    return segment.encode("latin-1").decode("utf-8", "replace")


def _render(entries: Sequence[Entry], fields: Sequence[Fields]) -> bytes:
    lists: dict[bool, list[str]] = {True: [], False: []}
    for entry, answer in zip(entries, fields, strict=True):
        lists[answer.written].append(f'{{"id":"{entry.id}",{answer.text}}}')
    return f'{{"successes":[{",".join(lists[True])}],"failures":[{",".join(lists[False])}]}}'.encode()


def _refusal(error: Exception, media_type: str | None, request_id: str) -> Answer:
    status, extra, body = error_answer(error, request_id)
    headers = list(extra.items())
    if media_type is not None:
        headers.append(("Content-Type", media_type))
    return f"{status} {reason_phrase(status)}", headers, body
