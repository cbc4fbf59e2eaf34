"""What one process takes on at a time."""

from contextlib import suppress

import pytest

from confluent_shim.capacity import Capacity
from confluent_shim.errors import Overloaded, TooManyRequests, TooManyStreams


def test_requests_are_taken_on_up_to_the_limit_and_again_when_one_leaves() -> None:
    """The limit counts requests at a time, not requests."""
    capacity = Capacity(requests=2, size=100)
    with capacity.request():
        with capacity.request(), pytest.raises(TooManyRequests, match="2 requests"), capacity.request():
            pass
        with capacity.request():
            pass


def test_bytes_are_held_up_to_the_limit_and_let_go_with_their_request() -> None:
    """A body that does not fit beside the others is refused; it fits when they are gone."""
    capacity = Capacity(requests=9, size=100)
    with capacity.request() as first, capacity.request() as second:
        first.hold(60)
        with pytest.raises(Overloaded, match="100 bytes"):
            second.hold(41)
        second.hold(40)
    with capacity.request() as third:
        third.hold(100)


def test_streams_are_counted_apart_from_requests() -> None:
    """Neither takes the places of the other."""
    capacity = Capacity(requests=1, size=100, streams=2)
    with capacity.stream(), capacity.stream() as second, capacity.request():
        with pytest.raises(TooManyStreams, match="2 streams"), capacity.stream():
            pass
        with pytest.raises(TooManyRequests), capacity.request():
            pass
        second.hold(100)
    with capacity.stream() as other:
        other.hold(100)


def test_a_request_that_fails_leaves_its_place() -> None:
    """Whatever ends a request, its place and its bytes are free."""
    capacity = Capacity(requests=1, size=10)
    for _ in range(3):
        with suppress(Overloaded), capacity.request() as place:
            place.hold(10)
            place.hold(1)
    with capacity.request() as place:
        place.hold(10)
