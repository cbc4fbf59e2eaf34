"""Handing a request on to the REST Proxy behind the shim, and its answer back, both as streams."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from confluent_shim.api.answers import refuse
from confluent_shim.api.body import read1_of
from confluent_shim.api.facts import facts_of
from confluent_shim.api.links import Links, relinked, relocated
from confluent_shim.api.negotiation import PLAIN_JSON, V2_JSON
from confluent_shim.api.targets import is_ambiguous, sent_target
from confluent_shim.capacity import Capacity, Place
from confluent_shim.errors import RouteUnknown, ShimError
from confluent_shim.services import Services
from confluent_shim.sinks.upstream import SAFE, Answer, Headers, Upstream
from confluent_shim.sinks.wire import Body
from jsonschema_bridge.waiting import may_wait

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# What the new connection has of its own, what we say anew, and `Proxy`, which would be taken for an address.
_OURS = _HOP_BY_HOP | {"host", "content-length", "expect", "proxy", "authorization", "x-request-id"}
_FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip")
# Answers that have links, and no payload of anybody's that might look like one.
_WITH_LINKS = re.compile(r"/v3/(?!.*/topics/[^/]+/records(:[^/]*)?$).*|/consumers/(?!.*/instances/).+")


def relays(services: Services, capacity: Capacity) -> dict[str, "Relay"]:
    """Return what hands requests on to the REST Proxy of each cluster that has one, by the cluster's name."""
    links, clusters = Links(services.settings), services.settings.clusters
    return {
        name: Relay(upstream, links, capacity, forward_authorization=clusters[name].rest_proxy.forward_authorization)
        for name, upstream in services.upstreams.items()
    }


class Relay:
    """A WSGI application that asks `upstream` whatever it is asked, and takes a place in `capacity` until that is over.

    The client's `Authorization` goes on only with `forward_authorization`; else the shim's own is sent, if it has one.
    What a client says of proxies before it is handed on only when the shim trusts the one that says so.
    """

    def __init__(self, upstream: Upstream, links: Links, capacity: Capacity, *, forward_authorization: bool) -> None:
        self._upstream = upstream
        self._links = links
        self._capacity = capacity
        self._forward_authorization = forward_authorization

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        has_links = _WITH_LINKS.fullmatch(environ["PATH_INFO"])
        change = _relinking(self._links.base(environ)) if has_links else None
        return self.hand_on(environ, start_response, self._capacity.request(), lambda: Handed(body_of(environ), change))

    def hand_on(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        place: Place,
        prepare: Callable[[], "Handed"],
    ) -> Iterable[bytes]:
        """Hand a request on as `prepare` says, and its answer back. It takes `place` before and until that is over."""
        may_wait()
        facts = facts_of(environ)
        facts.route = "relay"
        try:
            with ExitStack() as opened:
                opened.enter_context(place)
                handed = prepare()
                answer = self._ask(environ, handed)
                opened.callback(answer.close)
                held = opened.pop_all()
        except Exception as error:  # noqa: BLE001 - the table decides, and logs what it does not know
            return refuse(error, environ, start_response, type_of_error(environ))
        headers, blocks = _end_to_end(answer.headers), iter(answer)
        if handed.change is not None and _is_plain_json(headers):
            headers, blocks = handed.change(headers, blocks)
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(f"{answer.status} {answer.reason or '-'}", [*headers, *handed.told])
        facts.is_stream = handed.is_stream
        return _Blocks(blocks, held, facts.request_id)

    def _ask(self, environ: "WSGIEnvironment", handed: "Handed") -> Answer:
        target, method = sent_target(environ), environ["REQUEST_METHOD"]
        if method not in SAFE and is_ambiguous(target):
            raise RouteUnknown
        headers = self._headers(environ, is_changed=handed.change is not None)
        return self._upstream.ask(method, target, list(headers), handed.body)

    def _headers(self, environ: "WSGIEnvironment", *, is_changed: bool) -> Iterator[tuple[str, str]]:
        dropped = _OURS | _listed(environ.get("HTTP_CONNECTION", ""))
        if is_changed:
            dropped |= {"accept-encoding"}  # a compressed answer keeps to itself what is to be changed
        trusted = self._links.trusts(environ)
        for key, value in environ.items():
            if not key.startswith("HTTP_"):
                continue
            name = key[5:].replace("_", "-").title()
            lower = name.lower()
            if lower not in dropped and (trusted or not _FORWARDED.fullmatch(lower)):
                yield name, value
        if "CONTENT_TYPE" in environ:
            yield "Content-Type", environ["CONTENT_TYPE"]
        yield "X-Request-Id", facts_of(environ).request_id
        if not self._forward_authorization:
            yield from self._upstream.authorization()
        elif "HTTP_AUTHORIZATION" in environ:
            yield "Authorization", environ["HTTP_AUTHORIZATION"]


Change = Callable[[list[tuple[str, str]], Iterator[bytes]], tuple[list[tuple[str, str]], Iterator[bytes]]]
"""What makes of an answer's headers and body those that the client is sent."""


class Handed(NamedTuple):
    """What is handed on of a request beside its head, and what of its answer is not the upstream's own.

    `change` is for answers in JSON that are not compressed; `told` are further headers; `is_stream` says that the
    request is over when its answer is.
    """

    body: Body | None
    change: Change | None = None
    told: Headers = ()
    is_stream: bool = False


class _Blocks:
    """The body of a relayed answer. What it holds is let go of at its end, or when the server closes it."""

    def __init__(self, blocks: Iterator[bytes], held: ExitStack, request_id: str) -> None:
        self._blocks = blocks
        self._held = held
        self._request_id = request_id

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._blocks
        except ShimError as error:
            # The status is out; all that is left is to end the answer before its end.
            log.warning("a relayed answer broke off: %s", error, extra={"facts": {"request_id": self._request_id}})
            raise
        finally:
            self.close()

    def close(self) -> None:
        self._held.close()


def body_of(environ: "WSGIEnvironment") -> Body | None:
    """Return the body of a request, to be handed on as it arrives; None where it has none."""
    read = read1_of(environ) or environ["wsgi.input"].read
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return Body(read)
    declared: str = environ.get("CONTENT_LENGTH") or ""
    if length := int(declared) if declared.isdecimal() else 0:
        return Body(read, length)
    return Body(lambda _: b"", 0) if environ["REQUEST_METHOD"] in ("POST", "PUT", "PATCH") else None


def type_of_error(environ: "WSGIEnvironment") -> str:
    """Return the media type of an error that the shim itself answers with, for whatever path."""
    return PLAIN_JSON if environ["PATH_INFO"].startswith("/v3") else V2_JSON


def _listed(connection: str) -> set[str]:
    """Return the names of further headers that a `Connection` header says are not to be handed on."""
    return {name.strip() for name in connection.lower().split(",")}


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    headers = list(headers)
    dropped = _HOP_BY_HOP | {"x-request-id"}
    for name, value in headers:
        if name.lower() == "connection":
            dropped |= _listed(value)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _is_plain_json(headers: Iterable[tuple[str, str]]) -> bool:
    found = {name.lower(): value.lower() for name, value in headers}
    return "json" in found.get("content-type", "") and found.get("content-encoding", "identity") == "identity"


def _relinking(base: str) -> Change:
    def change(
        headers: list[tuple[str, str]], blocks: Iterator[bytes]
    ) -> tuple[list[tuple[str, str]], Iterator[bytes]]:
        moved = [(name, relocated(value, base) if name.lower() == "location" else value) for name, value in headers]
        return moved, relinked(blocks, base)

    return change
