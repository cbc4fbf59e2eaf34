"""`POST /topics/{topic}` and `POST /topics/{topic}/partitions/{partition}`.

Served in front of Flask, whose work per request would cost more than everything else together.
"""

import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from confluent_shim.api.answers import refusal
from confluent_shim.api.body import read_body
from confluent_shim.api.facts import VERDICT, Facts, arrival, facts_of
from confluent_shim.api.later import Answer, Later, One, answered
from confluent_shim.api.negotiation import V2_JSON, answer_type, embedded_format, prefers_lenient
from confluent_shim.api.targets import PRODUCE_V2, meant
from confluent_shim.api.watching import observed_request
from confluent_shim.api.wire_v2 import read_request, render_receipt
from confluent_shim.capacity import Capacity, Place
from confluent_shim.convention import Implicit
from confluent_shim.error_table import Code
from confluent_shim.errors import DeadlinePassed, RecordsRefused, RouteUnknown
from confluent_shim.publishing import Publication, Publisher
from confluent_shim.records import Client, EmbeddedFormat, ProduceRequest, Receipt
from confluent_shim.settings import Limits
from jsonschema_bridge.waiting import may_wait
from topic_map import Binding

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = "/topics/"

_OK = "200 OK"
_STATUS_OF_DELIVERY: dict[int | None, str] = {
    Code.KAFKA_AUTHENTICATION: "401 Unauthorized",
    Code.KAFKA_AUTHORIZATION: "403 Forbidden",
    # What an upstream REST Proxy itself says of the credentials that it was sent.
    HTTPStatus.UNAUTHORIZED: "401 Unauthorized",
    HTTPStatus.FORBIDDEN: "403 Forbidden",
}


class ProduceV2:
    """A WSGI application that answers the produce routes and hands everything else on to `inner`."""

    def __init__(self, publisher: Publisher, capacity: Capacity, limits: Limits, inner: "WSGIApplication") -> None:
        self._publisher = publisher
        self._capacity = capacity
        self._limits = limits
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        produces = environ["REQUEST_METHOD"] == "POST" and path.startswith(_PREFIX)
        if not produces or (match := PRODUCE_V2.fullmatch(path)) is None:
            return self._inner(environ, start_response)
        facts, accept = facts_of(environ), environ.get("HTTP_ACCEPT")
        facts.route, facts.topic = "produce_v2", match[1]
        try:
            begun = self._begin(environ, facts, match[1], match[2], accept)
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return answered(_watched(refusal(error, accept, V2_JSON, facts.request_id), facts), start_response)
        facts.awaits = One(begun.publication.handover, begun.end)
        return Later(partial(_answer, begun, facts, accept), start_response, begun.place)

    def _begin(
        self, environ: "WSGIEnvironment", facts: Facts, topic: str, partition: str | None, accept: str | None
    ) -> "_Begun":
        """Read and judge a request, and hand its records over."""
        end = arrival(environ) + self._limits.deadline
        if not topic.isascii():
            topic = meant(topic)
        number = _partition(partition)
        content_type = embedded_format(environ.get("CONTENT_TYPE"))
        media_type = answer_type(accept)
        lenient = prefers_lenient(environ.get("HTTP_PREFER"))
        with self._capacity.request() as place:
            body = read_body(environ, place, self._limits.body_bytes)
            # A body may take its time to arrive; the binding is the one in force after that.
            binding = self._publisher.binding(topic)
            request = self._read(body, binding, content_type, number, facts)
            facts.records = len(request.records)
            if time.monotonic() > end:
                raise DeadlinePassed(self._limits.deadline)
            if (authorization := environ.get("HTTP_AUTHORIZATION")) is not None:
                request = request._replace(client=Client(authorization))
            publication = self._publisher.begin(binding, request, lenient=lenient)
            return _Begun(publication, end, media_type, lenient, place.kept())

    def _read(
        self, body: bytes, binding: Binding, content_type: EmbeddedFormat, partition: int | None, facts: Facts
    ) -> ProduceRequest:
        limits = self._limits
        if isinstance(binding, Implicit):
            read = partial(read_request, body, binding.topic, content_type, partition, limits=limits)
            if binding.observed is None:
                return read(strict=False)
            may_wait()  # what is observed is counted, once
            return self._observed(binding.observed, read, facts)
        try:
            return read_request(body, binding.topic, content_type, partition, limits=limits)
        except RecordsRefused as refusal:
            self._publisher.count_unreadable(binding, refusal)
            raise

    def _observed(self, observed: Binding, read: Callable[..., ProduceRequest], facts: Facts) -> ProduceRequest:
        """Read a request and note what its topic's binding would have said of it."""
        request, observation = observed_request(self._publisher, observed, read)
        facts.observe(observation)
        return request


class _Begun(NamedTuple):
    """A request whose records were handed over, and what its answer will say beside them."""

    publication: Publication
    end: float
    media_type: str
    lenient: bool
    place: Place


def _answer(begun: _Begun, facts: Facts, accept: str | None) -> Answer:
    """Wait for the records of a request, and tell what became of them."""
    try:
        receipt = begun.publication.receipt(begun.end)
    except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
        return _watched(refusal(error, accept, V2_JSON, facts.request_id), facts)
    headers = [("Content-Type", begun.media_type)]
    if begun.lenient:
        headers.append(("Preference-Applied", "handling=lenient"))
    facts.failed = receipt.failed
    return _watched((_status(receipt), headers, render_receipt(receipt)), facts)


def _watched(answer: Answer, facts: Facts) -> Answer:
    """Add what a binding would have said that only observes."""
    if facts.verdicts is not None:
        answer[1].append((VERDICT, str(facts.verdicts)))
    return answer


def _partition(text: str | None) -> int | None:
    """Read the path's partition; what is no int32 is no path of ours."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) >= 2**31:
        raise RouteUnknown
    return int(text)


def _status(receipt: Receipt) -> str:
    """Return the status of an answer: the first authentication or authorization error decides it."""
    for delivery in receipt.deliveries if receipt.failed else ():
        if delivery.error_code in _STATUS_OF_DELIVERY:
            return _STATUS_OF_DELIVERY[delivery.error_code]
    return _OK
