"""A stream that stays open: what waits for Kafka, how it ends, and the place that it holds."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_shim.app import create_app
from confluent_shim.settings import Limits, Server
from tests.doubles import ArrivingBody, LateSink
from tests.parts import Shim, memory_shim
from tests.streams import GOOD, URL, codes, lines, parsed
from tests.waiting import eventually


class Waiting:
    """Reads an answer in a thread of its own."""

    def __init__(self, answer: Iterator[bytes]) -> None:
        self.lines: list[bytes] = []
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(answer,))
        self._thread.start()

    def _read(self, answer: Iterator[bytes]) -> None:
        for piece in answer:
            self.lines.append(piece)
        self.done.set()

    def all(self) -> bytes:
        """Return the whole answer when it is there."""
        assert self.done.wait(30)
        self._thread.join()
        return b"".join(self.lines)


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


class TestWithLateDeliveries:
    @pytest.fixture
    def sink(self) -> LateSink:
        return LateSink()

    @pytest.fixture
    def shim(self, sink: LateSink) -> Iterator[Shim]:
        with memory_shim(others={"default": sink}, limits=Limits(deadline=10)) as shim:
            shim.bind("orders")
            yield shim

    def test_records_are_handed_over_while_earlier_ones_are_not_acknowledged(self, shim: Shim, sink: LateSink) -> None:
        body = ArrivingBody()
        with shim.open_stream("orders", body.read) as answer:
            body.send((GOOD * 5).encode())
            waiting = Waiting(answer)
            sink.await_handovers(5)
            assert not waiting.lines
            sink.heard.release(5)
            body.end()
            assert [line["error_code"] for line in parsed(waiting.all())] == [200] * 5

    def test_lines_that_are_ready_together_share_a_flush(self, shim: Shim, sink: LateSink) -> None:
        body = ArrivingBody()
        with shim.open_stream("orders", body.read) as answer:
            body.send((GOOD * 5).encode())
            waiting = Waiting(answer)
            sink.await_handovers(5)
            sink.heard.release(5)
            body.end()
            waiting.all()
            assert len(waiting.lines) < 5

    def test_no_more_is_read_than_may_be_under_way(self, shim: Shim, sink: LateSink) -> None:
        body = io.BytesIO((GOOD * 10_000).encode())
        with shim.open_stream("orders", body.read) as answer:
            waiting = Waiting(answer)
            sink.await_handovers(2_000)
            assert not sink.handed_over.acquire(timeout=0.2)
            assert body.tell() < 2_100 * len(GOOD)
            sink.heard.release(10_000)
            assert len(parsed(waiting.all())) == 10_000

    def test_what_is_not_known_in_time_is_told_as_unknown(self, sink: LateSink) -> None:
        with memory_shim(others={"default": sink}, limits=Limits(deadline=0.1)) as shim:
            shim.bind("orders")
            (line,) = lines(shim, GOOD)
        assert (line["error_code"], line["outcome"], line["retryable"]) == (50003, "unknown", True)


class TestTheEnd:
    def last(self, shim: Shim, ending: threading.Event | None = None) -> dict[str, Any]:
        """Leave a stream open and return its last line."""
        body = ArrivingBody()
        with shim.open_stream("orders", body.read) as answer:
            body.send(GOOD.encode())
            first = parsed(next(answer))
            if ending:
                ending.set()
            *others, last = first + parsed(b"".join(answer))
            assert [line["error_code"] for line in others] == [200]
            body.end()
        return last

    def test_an_idle_stream_is_closed_with_a_line(self) -> None:
        with memory_shim(limits=Limits(stream_idle=0.2)) as shim:
            shim.bind("orders")
            line = self.last(shim)
        assert line["error_code"] == 408
        assert line["message"] == "Streaming connection idle for longer than allowed: Connection will be closed."

    def test_a_stream_is_closed_when_its_time_is_over(self) -> None:
        with memory_shim(limits=Limits(stream_seconds=0.2)) as shim:
            shim.bind("orders")
            line = self.last(shim)
        assert line["error_code"] == 408
        assert line["message"] == "Streaming connection open for longer than allowed: Connection will be closed."

    def test_a_stream_is_closed_when_the_process_ends(self, shim: Shim) -> None:
        ending = threading.Event()
        app = create_app(shim.services.settings, shim.services, ending)
        line = self.last(Shim(shim.services, shim.registry, shim.sink, app.test_client()), ending)
        assert line["error_code"] == 408
        assert "the server, which is stopping" in line["message"]

    def test_records_that_come_after_the_time_are_answered_and_not_sent(self) -> None:
        with memory_shim(limits=Limits(stream_seconds=0.05)) as shim:
            shim.bind("orders")
            body = ArrivingBody()
            with shim.open_stream("orders", body.read) as answer:
                body.send(GOOD.encode())
                found = parsed(next(answer))
                while found[-1]["error_code"] == 200:
                    body.send(GOOD.encode())
                    found += parsed(next(answer))
                body.send(GOOD.encode())
                found += parsed(b"".join(answer))
                body.end()
            assert [line["error_code"] for line in found[-2:]] == [408, 408]
            assert (found[-1]["outcome"], found[-1]["retryable"]) == ("not_written", True)
            assert len(shim.landed("orders")) == len(found) - 2

    def test_what_was_handed_over_is_answered_before_the_end(self) -> None:
        sink = LateSink()
        with memory_shim(others={"default": sink}, limits=Limits(stream_seconds=0.05)) as shim:
            shim.bind("orders")
            body = ArrivingBody()
            with shim.open_stream("orders", body.read) as answer:
                body.send(GOOD.encode())
                waiting = Waiting(answer)
                assert not waiting.done.wait(1.0)
                sink.heard.release()
                assert [line["error_code"] for line in parsed(waiting.all())] == [200, 408]
                body.end()


class TestCapacity:
    def test_streams_have_a_bound_of_their_own(self) -> None:
        with memory_shim(limits=Limits(streams=1, requests=1)) as shim:
            shim.bind("orders")
            body = ArrivingBody()
            with shim.open_stream("orders", body.read):
                refused = shim.client.post(URL, data=b" " * 70_000, headers={"Content-Type": "application/json"})
                assert (refused.status_code, refused.get_json()["error_code"]) == (503, 50396)
                assert refused.headers["Retry-After"] == "1"
                assert shim.send("orders", {"id": 1}).status_code == 200
                assert codes(shim, GOOD) == [200]
            body.end()
            for _ in range(2):
                assert codes(shim, " " * 70_000 + GOOD) == [200]

    def test_a_stream_keeps_its_place_until_its_client_is_gone(self) -> None:
        with memory_shim(limits=Limits(streams=1, stream_idle=0.1)) as shim:
            shim.bind("orders")
            body = ArrivingBody()
            large = " " * 70_000 + GOOD
            with shim.open_stream("orders", body.read) as answer:
                assert parsed(b"".join(answer))[0]["error_code"] == 408
                assert shim.stream("orders", large).status_code == 503
                body.end()
            while shim.stream("orders", large).status_code == 503:
                pass

    def test_a_short_stream_takes_the_place_of_a_request(self) -> None:
        with memory_shim(limits=Limits(streams=0, requests=1, bytes=1000), server=Server(threads=2)) as shim:
            shim.bind("orders")
            for _ in range(3):
                assert codes(shim, GOOD) == [200]
            assert shim.stream("orders", GOOD * 30).get_json()["error_code"] == 50393
            assert codes(shim, GOOD) == [200]

    def test_a_stream_whose_client_goes_leaves_its_place(self) -> None:
        with memory_shim(limits=Limits(streams=1)) as shim:
            shim.bind("orders")
            for _ in range(3):
                body = ArrivingBody()
                with shim.open_stream("orders", body.read) as answer:
                    body.send(GOOD.encode())
                    next(answer)
                    body.end()
                    assert list(answer) == []

    @pytest.mark.parametrize("reads_on", [True, False])
    def test_records_of_a_stream_whose_client_goes_are_in_flight_no_longer_than_others(self, *, reads_on: bool) -> None:
        sink = LateSink()
        with memory_shim(sink=sink) as shim:
            shim.bind("orders")
            body = ArrivingBody()
            with shim.open_stream("orders", body.read) as answer:
                body.send((GOOD * 3).encode())
                sink.heard.release()
                next(answer)
                for _ in range(3):
                    assert sink.handed_over.acquire(timeout=30)
                if not reads_on:
                    body.end()
                sink.heard.release(2)
            body.end()
            eventually(lambda: 'records_in_flight{cluster="default"} 0.0' in shim.client.get("/-/metrics").text)
            eventually(lambda: 'outcome="written",topic="orders"} 3.0' in shim.client.get("/-/metrics").text)
