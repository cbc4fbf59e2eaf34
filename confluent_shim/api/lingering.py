"""What a client is still sending when its answer is there already."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_shim.api.body import declared_length, has_body
from confluent_shim.api.facts import facts_of
from confluent_shim.capacity import Capacity

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BLOCK = 65_536


def is_waited_for(environ: "WSGIEnvironment", most: int) -> bool:
    """Tell whether a client that has its answer is still to send a body, of `most` bytes at most as far as it says."""
    if facts_of(environ).body_read or not has_body(environ) or "HTTP_EXPECT" in environ:
        return False
    return (declared_length(environ) or 0) <= most


class Lingering:
    """A WSGI application that answers for `inner` at once, and then reads what `inner` left of the body.

    A server closes a connection on which more arrives than was read, and a client that is still sending may never see
    its answer. Not waited for is a client that has no place in `capacity`, that declares more than `most` bytes, or
    that asked first whether it shall send its body.
    """

    def __init__(self, inner: "WSGIApplication", capacity: Capacity, most: int) -> None:
        self._inner = inner
        self._capacity = capacity
        self._most = most

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = self._inner(environ, start_response)
        if isinstance(answer, list) and is_waited_for(environ, self._most):
            return self._then_read(answer, environ)
        return answer

    def _then_read(self, answer: list[bytes], environ: "WSGIEnvironment") -> Iterator[bytes]:
        yield from filter(None, answer)  # for a server that has sent a body of no bytes this would be over already
        left = self._most
        # The answer is out: who is not waited for, or goes away, has it or has it not.
        with suppress(Exception), self._capacity.request():
            while left > 0 and (read := len(environ["wsgi.input"].read(min(left, _BLOCK)))):
                left -= read
