"""What is under way in a stream is bounded, and keeps its order."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from confluent_shim.api.answers_v3 import Settled
from confluent_shim.api.window import Unanswered, Window


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Give the other side a thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def lot(records: int = 1, weight: int = 1, *, sent: bool = True) -> Unanswered:
    return Unanswered(Settled([]), records, weight, 0.0, sent)


def put(window: Window, entry: Unanswered) -> None:
    assert window.make_room(entry.records, entry.weight)
    assert window.put(entry)


def test_what_is_put_in_comes_out_in_order() -> None:
    window = Window(10, 10)
    lots = [lot(records) for records in (1, 2, 3)]
    for each in lots:
        put(window, each)
    assert [window.take(0), window.take_ready(), window.take(0)] == lots
    assert window.take(0) is None
    assert not window.is_over
    window.end()
    assert window.is_over


@pytest.mark.parametrize("large", [lot(5, 1), lot(1, 50)])
def test_who_reads_waits_for_room_until_records_are_answered(large: Unanswered, other: ThreadPoolExecutor) -> None:
    window = Window(records=6, weight=60)
    first, second = lot(3, 30), lot(1, 1)
    put(window, first)
    put(window, second)
    waiting = other.submit(put, window, large)
    assert window.take(0) == first
    assert window.take(0) == second
    window.answered(second)
    assert window.take(0.05) is None
    assert not waiting.done()
    window.answered(first)
    assert window.take(10) == large


def test_a_lot_larger_than_the_window_has_room_when_nothing_else_is_in_it() -> None:
    window = Window(1, 1)
    put(window, lot(100, 100))


def test_without_bounds_nobody_waits() -> None:
    window = Window()
    for _ in range(10_000):
        put(window, lot(1000, 1_000_000))


def test_who_writes_waits_for_what_is_being_read(other: ThreadPoolExecutor) -> None:
    window = Window()
    waiting = other.submit(window.take, 30)
    put(window, lot(7))
    assert waiting.result(30) == lot(7)


def test_who_writes_is_told_when_nothing_more_comes(other: ThreadPoolExecutor) -> None:
    window = Window()
    waiting = other.submit(window.take, 30)
    window.end()
    assert waiting.result(30) is None


def test_once_it_closes_nothing_more_may_be_sent_and_what_was_sent_is_still_answered() -> None:
    window = Window()
    put(window, lot())
    window.begin_closing()
    assert not window.make_room(1, 1)
    assert window.put(lot(sent=False))
    assert not window.is_settled
    first = window.take(0)
    assert first is not None
    window.answered(first)
    assert window.is_settled


def test_once_nobody_writes_who_reads_waits_for_nothing(other: ThreadPoolExecutor) -> None:
    window = Window(1, 1)
    put(window, lot())
    reached = threading.Event()

    def read() -> bool:
        reached.set()
        return window.make_room(1, 1) or window.put(lot(sent=False))

    waiting = other.submit(read)
    assert reached.wait(30)
    window.close()
    assert waiting.result(30) is False
