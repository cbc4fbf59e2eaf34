"""Answers that are known when Kafka has answered."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from confluent_shim.capacity import Place
from confluent_shim.sinks import Handover

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]


class Awaited(Protocol):
    """What an answer waits for; `end` is when, on the monotonic clock, it is no longer waited for."""

    @property
    def end(self) -> float: ...

    def ready(self) -> bool:
        """Tell whether there is nothing to wait for."""
        ...

    def tell(self, when_ready: Callable[[], None]) -> None:
        """Call `when_ready` as Handover.tell does, when the first part of what is waited for is there."""
        ...


class One(NamedTuple):
    """The records of a request that were handed over as one."""

    handover: Handover
    end: float

    def ready(self) -> bool:
        return self.handover.ready()

    def tell(self, when_ready: Callable[[], None]) -> None:
        self.handover.tell(when_ready)


class All:
    """The records of a request that were handed over lot by lot."""

    def __init__(self, handovers: Sequence[Handover], end: float) -> None:
        self.end = end
        self._handovers = handovers

    def ready(self) -> bool:
        return all(handover.ready() for handover in self._handovers)

    def tell(self, when_ready: Callable[[], None]) -> None:
        for handover in self._handovers:
            handover.tell(when_ready)


def answered(answer: Answer, start_response: "StartResponse") -> list[bytes]:
    """Answer a request at once."""
    status, headers, body = answer
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


class Later:
    """The body of an answer whose head is known with it: to iterate over it waits.

    A server that serves many on one thread finds in the request's Facts what is waited for, and iterates after that.
    `answer` is called once and raises nothing; `place` is left when it is known.
    """

    def __init__(self, answer: Callable[[], Answer], start_response: "StartResponse", place: Place) -> None:
        self._answer = answer
        self._start_response = start_response
        self._place = place

    def __iter__(self) -> Iterator[bytes]:
        answer = self._answer()
        self._place.leave()  # a client that has its answer may come back at once
        yield from answered(answer, self._start_response)

    def close(self) -> None:
        self._place.leave()
