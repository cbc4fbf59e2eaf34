"""No request that a client can send is answered with 500, or with what is no answer.

Requests are made by hypothesis from `tests.families`. Schemathesis makes them with hypothesis too, from an OpenAPI
document: for these routes, which Confluent chose, there is none, and it would say no more than the families do.
"""

import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.families import BOUND, FAMILIES, KEY_SUBJECT, OWN, PRODUCE_V2, PRODUCE_V3, SEGMENTS
from tests.parts import ORDER, TOKEN, Shim, memory_shim
from tests.strategies import Request, bodies, requests

BINDING = {
    "subject": "fuzzed-value",
    "schema": ORDER,
    "source_subject": "fuzzed-value.source",
    "encoding": "avro",
    "avro_extra": "map",
    "avro_untyped": "json",
    "avro_name": "Fuzzed",
    "avro_namespace": "org.shop",
    "versions": "pinned 1",
    "bound_version": 1,
    "key": "any",
    "nulls": "refuse",
    "unknown_fields": "refuse",
    "whole_floats": "accept",
    "large_integers": "refuse",
    "formats": "assert",
    "labels": {"team": "shop"},
    "owner": "shop",
}
# What a client may say of the length of its body, beside the truth; a server passes on what it does not understand.
LENGTHS = st.sampled_from(["", "0", "1", "100000", "abc", "-1", "+1", "٣", "1.5", "9" * 5000, "00"])

_INTERNAL = re.compile(rb'"error_code":500\b')
"""Said of a record; what ends in other figures is Kafka's affair."""


class Answer(NamedTuple):
    """What the application gave its server."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def ask(shim: Shim, request: Request, length: str | None = None, **more: str) -> Answer:
    """Ask the application as a server would, with the length that is said to be the body's."""
    path, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8082",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)) if length is None else length,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in request.headers.items()},
        **more,
    }
    if "HTTP_CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        assert exc_info is None
        started.append((status, headers))

    blocks = shim.client.application.wsgi_app(environ, start_response)
    body = b"".join(blocks)
    if hasattr(blocks, "close"):
        blocks.close()
    ((status, headers),) = started
    assert re.fullmatch(r"[2-5][0-9]{2} [A-Za-z -]+", status)
    return Answer(int(status[:3]), headers, body)


def check(request: Request, answer: Answer) -> None:
    """Hold `answer` to what every answer must be."""
    assert answer.status < 500, answer
    assert not _INTERNAL.search(answer.body), answer
    for name, value in answer.headers:
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert re.fullmatch(r"[\t -~\x80-\xff]*", value), (name, value)
    headers = {name.lower(): value for name, value in answer.headers}
    assert len(headers) == len(answer.headers)
    assert headers["x-request-id"]
    if request.method == "HEAD":
        assert answer.body == b""
        return
    assert headers.get("content-length", str(len(answer.body))) == str(len(answer.body))
    if answer.status < 400 or (answer.status, answer.body) == (400, b""):
        return
    told = json.loads(answer.body)
    assert str(told["error_code"]).startswith(str(answer.status))
    assert isinstance(told["message"], str)
    assert "Traceback" not in told["message"]


SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "refuse": {},
    "pass": {"unbound": "pass"},
    "pass as 8": {"unbound": "pass", "producers_may_register": True, "contract": "8"},
}
"""What a shim does with topics that are not bound."""


@pytest.fixture(scope="module", params=SETTINGS)
def shim(request: pytest.FixtureRequest) -> Iterator[Shim]:
    """Give a shim whose bindings no request of these tests may change, and which does so with unbound topics."""
    with memory_shim(**SETTINGS[request.param]) as shim:
        shim.register(KEY_SUBJECT, {"type": "string"})
        for topic, fields in BOUND.items():
            shim.bind(topic, **fields)
        yield shim


def test_every_route_is_among_those_that_are_tried(shim: Shim) -> None:
    routes = {re.sub("<[^>]*>", "*", rule.rule) for rule in shim.client.application.url_map.iter_rules()}
    tried = {re.sub("{[^}]*}", "*", path) for family in FAMILIES for path in family.paths}
    assert routes <= tried


@settings(max_examples=1000)
@given(requests(FAMILIES, SEGMENTS))
def test_every_request_has_its_answer(shim: Shim, request_: Request) -> None:
    check(request_, ask(shim, request_))


@settings(max_examples=200)
@given(requests([PRODUCE_V2, PRODUCE_V3, OWN], SEGMENTS), LENGTHS, st.booleans())
def test_whatever_is_said_of_the_bodys_length(shim: Shim, request_: Request, length: str, chunked: bool) -> None:
    more = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
    check(request_, ask(shim, request_, length, **more))


@settings(max_examples=100)
@given(
    st.sampled_from(["PUT", "DELETE"]), bodies([BINDING]), st.sampled_from([b"", b"?replace=true&create_topic=true"])
)
def test_whatever_an_operator_asks_for(method: str, body: bytes, query: bytes) -> None:
    with memory_shim() as shim:
        shim.register("fuzzed-value", ORDER)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = Request(method, b"/-/bindings/fuzzed" + query, headers, body)
        check(request, ask(shim, request))
        check(request, ask(shim, Request("GET", b"/-/bindings", {}, b"")))
