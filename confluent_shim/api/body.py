"""The body of a request, read within bounds."""

from typing import TYPE_CHECKING

from confluent_shim.capacity import Place
from confluent_shim.errors import BodyTooLarge, BodyUnreadable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def read_body(environ: "WSGIEnvironment", place: Place, most: int) -> bytes:
    """Return the body, of `most` bytes at most, and hold its bytes in `place`.

    A length that is declared is judged before a byte is read. Raises BodyTooLarge, Overloaded, and BodyUnreadable
    when the body does not arrive whole.
    """
    declared = environ.get("CONTENT_LENGTH")
    length = int(declared) if declared and declared.isdecimal() else None
    if length is not None:
        _check(length, most)
        place.hold(length)
    try:
        body: bytes = environ["wsgi.input"].read(most + 1 if length is None else length)
    except OSError as error:  # what gunicorn raises for a broken chunk, and any server for a broken connection
        raise BodyUnreadable("The body did not arrive whole") from error
    if length is None:
        _check(len(body), most)
        place.hold(len(body))
    elif len(body) < length:
        raise BodyUnreadable("The body did not arrive whole")
    return body


def _check(length: int, most: int) -> None:
    if length > most:
        raise BodyTooLarge(most)
