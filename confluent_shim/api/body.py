"""The body of a request, read within bounds."""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from confluent_shim.api.answers import refuse
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import PLAIN_JSON
from confluent_shim.capacity import Capacity, Place
from confluent_shim.errors import BodyTooLarge, BodyUnreadable, ShimError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def read_body(environ: "WSGIEnvironment", place: Place, most: int) -> bytes:
    """Return the body, of `most` bytes at most, and hold its bytes in `place`.

    A length that is declared is judged before a byte is read. Raises BodyTooLarge, Overloaded, and BodyUnreadable
    when the body does not arrive whole.
    """
    length = declared_length(environ)
    if length is not None:
        _check(length, most)
        place.hold(length)
    body = receive(environ["wsgi.input"].read, most + 1 if length is None else length)
    if length is None:
        _check(len(body), most)
        place.hold(len(body))
    facts_of(environ).body_read = True
    if length is not None and len(body) < length:
        raise not_whole()
    return body


def receive(read: Callable[[int], bytes], size: int) -> bytes:
    """Return up to `size` bytes of a body. Raises BodyUnreadable where it breaks off, and any ShimError that comes."""
    try:
        return read(size)
    except ShimError:
        raise
    except Exception as error:  # what a server raises for a broken chunk or connection is its own affair
        raise not_whole() from error


def not_whole() -> BodyUnreadable:
    """Return what a body is refused with of which not all came."""
    return BodyUnreadable("The body did not arrive whole")


def read1_of(environ: "WSGIEnvironment") -> Callable[[int], bytes] | None:
    """Return what reads up to so many bytes of a body and waits for the first of them only, where the server can."""
    found: Callable[[int], bytes] | None = getattr(environ["wsgi.input"], "read1", None)
    return found


class WholeBody:
    """A WSGI application that has the body before it asks `inner`, which then waits for no client."""

    def __init__(self, inner: "WSGIApplication", capacity: Capacity, most: int) -> None:
        self._inner = inner
        self._capacity = capacity
        self._most = most

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not has_body(environ):
            return self._inner(environ, start_response)
        try:
            with self._capacity.request() as place:
                body = read_body(environ, place, self._most)
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
                return self._inner(environ, start_response)
        except ShimError as error:
            return refuse(error, environ, start_response, PLAIN_JSON)


def has_body(environ: "WSGIEnvironment") -> bool:
    """Tell whether the request comes with a body that has at least one byte, as far as its headers say."""
    return environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def declared_length(environ: "WSGIEnvironment") -> int | None:
    """Return the length that the body is said to have, if it is."""
    text = environ.get("CONTENT_LENGTH") or ""
    if not text.isascii() or not text.isdecimal():
        return None
    return int((text.lstrip("0") or "0")[:18])  # more digits are too many bytes in any case


def _check(length: int, most: int) -> None:
    if length > most:
        raise BodyTooLarge(most)
