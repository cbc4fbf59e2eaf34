"""Requests on the event loop that wait for Kafka."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import uvloop

from confluent_shim.asgi.waiting import Waiting
from tests.served import SECONDS, LoopThread

FAR = 600.0


class Records:
    """Records of which something is heard when the test says so, from whatever thread that is."""

    def __init__(self, seconds: float = FAR) -> None:
        self.end = time.monotonic() + seconds
        self._asked = threading.Event()
        self._when_ready: Callable[[], None] = lambda: None

    def ready(self) -> bool:
        return False

    def tell(self, when_ready: Callable[[], None]) -> None:
        self._when_ready = when_ready
        self._asked.set()

    def hear(self, times: int = 1) -> None:
        assert self._asked.wait(SECONDS)
        for _ in range(times):
            self._when_ready()


class Known(Records):
    """Records of which something is heard while it is being asked."""

    def tell(self, when_ready: Callable[[], None]) -> None:
        when_ready()


class Counting(uvloop.Loop):
    """A loop that counts how often it is woken."""

    woken = 0

    def call_soon_threadsafe(self, *call: Any, **options: Any) -> Any:  # type: ignore[override]
        self.woken += 1
        return super().call_soon_threadsafe(*call, **options)


@pytest.fixture
def on() -> Iterator[LoopThread]:
    with LoopThread() as on:
        yield on


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def begin(on: LoopThread, waiting: Waiting, *records: Records) -> list["Future[None]"]:
    return [on.begin(waiting.until_told(each)) for each in records]


def test_a_request_is_resumed_by_what_another_thread_tells(on: LoopThread, waiting: Waiting) -> None:
    records = Records()
    (resumed,) = begin(on, waiting, records)
    on.turn()
    assert not resumed.done()
    with ThreadPoolExecutor(1) as kafka:
        kafka.submit(records.hear).result(SECONDS)
    resumed.result(SECONDS)


def test_what_is_known_before_it_is_waited_for_resumes_at_once(on: LoopThread, waiting: Waiting) -> None:
    begin(on, waiting, Known())[0].result(SECONDS)


def test_only_what_is_told_is_resumed(on: LoopThread, waiting: Waiting) -> None:
    first, second = Records(), Records()
    resumed = begin(on, waiting, first, second)
    second.hear()
    resumed[1].result(SECONDS)
    on.turn()
    assert not resumed[0].done()
    first.hear()
    resumed[0].result(SECONDS)


def test_a_request_whose_time_is_over_is_resumed_by_nobody_but_the_clock(on: LoopThread, waiting: Waiting) -> None:
    short, long = Records(seconds=0.0), Records()
    over, waits = begin(on, waiting, short, long)
    over.result(SECONDS)
    assert not waits.done()
    long.hear()
    waits.result(SECONDS)


def test_a_request_whose_time_is_over_waits_for_none_that_waited_before_it(on: LoopThread, waiting: Waiting) -> None:
    """Its time began when it came, and its body may have been long on its way."""
    waits, over = begin(on, waiting, Records(), Records(seconds=0.0))
    over.result(SECONDS)
    assert not waits.done()


def test_what_is_told_twice_or_too_late_resumes_once_and_keeps_nobody(on: LoopThread, waiting: Waiting) -> None:
    twice, late, other = Records(), Records(seconds=0.0), Records()
    resumed = begin(on, waiting, late, twice, other)
    resumed[0].result(SECONDS)
    late.hear()
    twice.hear(times=2)
    other.hear()
    for each in resumed:
        each.result(SECONDS)
    twice.hear()
    on.turn()


def test_what_is_told_while_the_loop_is_busy_wakes_it_once_for_all(waiting: Waiting) -> None:
    loop = Counting()
    with LoopThread(loop) as on:
        records = [Records() for _ in range(100)]
        resumed = begin(on, waiting, *records)
        on.turn()
        busy, free = threading.Event(), threading.Event()

        def work() -> None:
            busy.set()
            free.wait(SECONDS)

        loop.call_soon_threadsafe(work)
        assert busy.wait(SECONDS)
        before = loop.woken
        for each in records:
            each.hear()
        assert loop.woken == before + 1
        free.set()
        for one in resumed:
            one.result(SECONDS)


def test_nothing_is_lost_when_many_threads_tell_at_once(on: LoopThread, waiting: Waiting) -> None:
    records = [Records() for _ in range(500)]
    resumed = begin(on, waiting, *records)
    with ThreadPoolExecutor(8) as kafka:
        list(kafka.map(lambda each: each.hear(), records))
    for one in resumed:
        one.result(SECONDS)
