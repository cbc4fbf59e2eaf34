"""Requests from well-formed to absurd, for hypothesis.

A family of routes says where its routes are and what well-formed requests to them look like; the rest is made of that.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st


class Family(NamedTuple):
    """Some routes; in `paths` a name in braces stands for a segment that the client chooses."""

    methods: Sequence[str]
    paths: Sequence[str]
    content_types: Sequence[str]
    bodies: Sequence[object] = ()


T = TypeVar("T")
Segments = Mapping[str, Sequence[str]]


class Request(NamedTuple):
    """A request as it stands on the wire; `target` is percent-encoded, or should be. Headers may repeat no name."""

    method: str
    target: bytes
    headers: Mapping[str, str]
    body: bytes


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([-1, 0, 2**31, 2**63, 10**400])
    | st.floats()
    | st.text()
    | st.sampled_from(["", "\ud800", "\x00", "latest", "AAAA", "AAAAAAE=", "1.5", "9" * 5000, "x" * 70_000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def _ascii(text: str) -> bytes:
    return text.encode("ascii")


_ODD_SEGMENTS = (
    b"..",
    b"%00",
    b"%2F",
    b"a%2fb",
    b"%2e%2e",
    b"%ff",
    b"%C3%A9",
    b"%F0%9F%92%A9",
    b"%",
    b"%zz",
    b"%E2%82",
    b";x=1",
    b"a;b=c",
    b"a:b",
    b"+",
    b"%20",
    b"%0d%0aX: y",
    b"-1",
    b"0",
    b"2147483648",
    b"9" * 5000,
    b"a" * 3000,
    b"%EF%BC%91",
)
_SEGMENTS = (
    st.sampled_from(_ODD_SEGMENTS)
    | st.binary(min_size=1, max_size=20).map(lambda raw: quote_from_bytes(raw, safe="").encode())
    | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="/?#"), min_size=1).map(
        str.encode
    )
)
_QUERIES = (
    st.just(b"")
    | st.sampled_from([b"?", b"?verbose", b"?limit=5", b"?limit=x", b"?replace=true&create_topic=true", b"?who=%ff"])
    | st.lists(_SEGMENTS, min_size=1, max_size=3).map(lambda parts: b"?" + b"=".join(parts))
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW")
_HEADER_TEXT = st.text(st.characters(codec="latin-1", categories=("L", "M", "N", "P", "S", "Z")), max_size=30).map(
    str.strip
)
_HEADERS: Mapping[str, Sequence[str]] = {
    "Accept": ["*/*", "application/json", "application/vnd.kafka.v2+json;q=0", "text/plain", "a/b;é=1", ",;,", "q=0"],
    "Prefer": ["handling=lenient", 'handling="lenient"', "handling=strict, respond-async", "handling", ";;"],
    "X-Request-Id": ["mine", "x" * 65, "é", "\t"],
    "Authorization": ["Bearer", "Bearer wrong", "Basic eDp5", "é"],
    "If-Match": ['"1"', "*", "W/1", "é"],
    "Host": ["localhost", "[::1]:1", "a b", "é", "x" * 3000],
    "X-Forwarded-Host": ["elsewhere", "é"],
    "Expect": ["100-continue"],
    "Accept-Encoding": ["gzip"],
    "Range": ["bytes=0-1"],
    "If-None-Match": ["*", "W/x"],
    "If-Modified-Since": ["yesterday"],
    "Cookie": ["a=b; c", "é"],
    "X-HTTP-Method-Override": ["DELETE"],
    "Upgrade": ["websocket"],
}


def requests(families: Sequence[Family], segments: Segments) -> st.SearchStrategy[Request]:
    """Give requests to `families`, and to nowhere; `segments` says by names in paths what means something there."""
    return st.sampled_from(families).flatmap(lambda family: _to(family, segments))


def _mostly(usual: st.SearchStrategy[T], odd: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Give what is `odd` once in eight times."""
    return st.integers(0, 7).flatmap(lambda number: odd if number == 7 else usual)


@st.composite
def _to(draw: st.DrawFn, family: Family, segments: Segments) -> Request:
    method = draw(_mostly(st.sampled_from(family.methods), st.sampled_from(_METHODS)))
    target = draw(_targets(family.paths, segments)) + draw(_mostly(st.just(b""), _QUERIES))
    known = st.sampled_from(family.content_types)
    content_type = draw(_mostly(known, known.map(lambda text: f"{text}; charset=é") | _HEADER_TEXT | st.none()))
    names = draw(st.lists(st.sampled_from(sorted(_HEADERS)), max_size=2, unique=True))
    headers = {name: draw(_mostly(st.sampled_from(_HEADERS[name]), _HEADER_TEXT)) for name in names}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return Request(method, target, headers, draw(bodies(family.bodies)))


@st.composite
def _targets(draw: st.DrawFn, paths: Sequence[str], segments: Segments) -> bytes:
    parts = [
        draw(_mostly(st.sampled_from(segments[part]).map(_ascii), _SEGMENTS)) if part in segments else part.encode()
        for part in draw(st.sampled_from(paths)).split("/")
    ]
    if draw(st.integers(0, 30)) == 30:
        parts.insert(draw(st.integers(1, len(parts))), draw(st.just(b"") | _SEGMENTS))
    return b"/".join(parts)


def bodies(documents: Sequence[object]) -> st.SearchStrategy[bytes]:
    """Give bodies that are one of `documents`, nearly one of them or several such, any JSON, or any bytes."""
    near: st.SearchStrategy[bytes] = st.one_of([near_to(document) for document in documents] or [st.just(b"")])
    texts = _mostly(near, JSON_VALUES.map(_text) | st.lists(near, min_size=2, max_size=3).map(b"\n".join))
    return _mostly(texts | texts.flatmap(damaged), st.binary(max_size=100))


@st.composite
def near_to(draw: st.DrawFn, document: object) -> bytes:
    """Give the text of `document` with up to three places changed."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(changed))
        if not places:
            break
        container, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["replace", "remove", "add", "repeat"])):
            case "replace":
                container[key] = draw(JSON_VALUES)
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(st.text(max_size=10))] = draw(JSON_VALUES)
            case "add":
                container.insert(key, draw(JSON_VALUES))
            case _ if isinstance(container, list):
                container.extend([container[key]] * draw(st.sampled_from([1, 3, 200])))
            case _:
                container[key] = [container[key]]
    return _text(changed)


def _places(document: object) -> Iterator[tuple[Any, Any]]:
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(document, dict):
        items = iter(list(document.items()))
    elif isinstance(document, list):
        items = iter(list(enumerate(document)))
    for key, value in items:
        yield document, key
        yield from _places(value)


def _text(document: object) -> bytes:
    return json.dumps(document).encode()


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """Give `text` with something done to it that JSON's grammar knows nothing of, or knows too well."""
    at = draw(st.integers(0, len(text)))
    before, behind, odd = text[:at], text[at:], draw(st.binary(min_size=1, max_size=4))
    number = draw(st.sampled_from([b"1e999", b"-0", b"1" * 5000, b"1.0", b"NaN", b"0x1"]))
    readable = text.decode("utf-8", "replace")
    choices = [
        before,
        before + odd + behind,
        before + odd + behind[1:],
        b"\xef\xbb\xbf" + text,
        readable.encode("utf-16"),
        readable.encode("utf-32"),
        before + b"[" * 5000 + behind,
        text.replace(b"{", b'{"records":[],"entries":[],', 1),
        text.replace(b'"value": ', b'"value": null, "value": ', 1),
        text.replace(b'"id": 1', rb'"id": "\ud83d"', 1),
        text.replace(b"1", number, 1),
    ]
    return draw(st.sampled_from(choices))


@st.composite
def on_the_wire(draw: st.DrawFn, made: st.SearchStrategy[Request]) -> bytes:
    """Give the bytes of a request, framed in some way that may not be its own, and mostly undamaged."""
    request = draw(made)
    fields = [f"{name}: {value}" for name, value in {"Host": "localhost", **request.headers}.items()]
    if draw(_mostly(st.just(True), st.just(False))):
        fields.append("Connection: close")
    body, length = request.body, len(request.body)
    match draw(st.sampled_from(["declared"] * 4 + ["chunked"] * 3 + ["short", "long", "both", "twice", "none"])):
        case "declared":
            fields.append(f"Content-Length: {length}")
        case "chunked":
            fields.append("Transfer-Encoding: chunked")
            at = draw(st.integers(0, length))
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:at], body[at:]) if part)
            body += b"0\r\n\r\n"
        case "short":
            fields.append(f"Content-Length: {length // 2}")
        case "long":
            fields.append(f"Content-Length: {length + 1}")
        case "both":
            fields += [f"Content-Length: {length}", "Transfer-Encoding: chunked"]
        case "twice":
            fields += [f"Content-Length: {length}", f"Content-Length: {length + 1}"]
    head = f"{request.method} ".encode() + request.target + b" HTTP/1.1\r\n" + "\r\n".join(fields).encode("latin-1")
    whole = head + b"\r\n\r\n" + body
    return draw(_mostly(st.just(whole), damaged(whole)))
