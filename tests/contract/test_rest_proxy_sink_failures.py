"""The sink on a REST Proxy that is away, hangs or breaks off: nothing is sent twice, and nothing is claimed."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord
from tests.contract.played_proxy import RECORD, TIMED, Play, answering, place, playing, sink_at, told
from tests.upstream import Handler
from tests.waiting import eventually


@pytest.fixture
def hanging() -> Iterator[Callable[..., Play]]:
    """Give what answers POST with some bytes, then with one after the other, and never ends on its own."""
    over: list[bool] = []

    def hanging(begin: bytes = b"", bit: bytes = b"") -> Play:
        def play(handler: Handler) -> None:
            if handler.receive().method == "GET":
                handler.answer(200, {"data": [{"cluster_id": "c"}]})
                return
            handler.wfile.write(begin)
            handler.connection.settimeout(0.01)
            while not over:
                try:
                    if not handler.connection.recv(1):
                        break
                except TimeoutError:
                    handler.wfile.write(bit)
            handler.close_connection = True

        return play

    yield hanging
    over.append(True)


@pytest.mark.parametrize("record", [RECORD, TIMED], ids=["v2", "v3"])
def test_a_proxy_that_is_down_has_been_sent_nothing(record: AdmittedRecord) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sink = sink_at(f"http://127.0.0.1:{port}")
    with pytest.raises(SinkUnavailable, match="nothing was sent"):
        sink.hand_over("orders", [record])
    for asked in (sink.ping, lambda: sink.has_topic("t"), lambda: sink.create_topic("t")):
        with pytest.raises(SinkUnavailable):
            asked()
    sink.close()


def test_a_start_without_a_proxy_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    sink = sink_at("http://127.0.0.1:1")
    sink.warm_up(0.1)
    assert "starting without the REST Proxy" in caplog.text
    sink.close()


def test_a_proxy_that_hangs_is_unknown_at_the_deadline_and_nothing_is_sent_again(
    hanging: Callable[..., Play],
) -> None:
    with playing(hanging()) as story:
        deliveries = story.sink.send("orders", [RECORD], seconds=0.2)
        assert told(deliveries) == [(50003, "unknown", True)]
        assert deliveries[0].error == "the REST Proxy did not answer in time"
        assert story.posts() == 1


def test_a_proxy_that_answers_bit_by_bit_does_not_move_the_deadline(hanging: Callable[..., Play]) -> None:
    with playing(hanging(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" ")) as story:
        assert told(story.sink.send("orders", [RECORD], seconds=0.3)) == [(50003, "unknown", True)]


def test_lines_that_came_before_the_deadline_count(hanging: Callable[..., Play]) -> None:
    line = b'{"error_code":200,"partition_id":1,"offset":2}\r\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
    with playing(hanging(head + line)) as story:
        deliveries = story.sink.send("orders", [TIMED] * 2, seconds=0.5)
    assert [each.outcome for each in deliveries] == ["written", "unknown"]


def test_what_is_waited_for_after_the_deadline_is_not_sent() -> None:
    with playing(answering(200, {})) as story:
        deliveries = story.sink.hand_over("orders", [RECORD]).wait(time.monotonic() - 1)
        assert told(deliveries) == [(50003, "not_written", True)]
        assert story.posts() == 0


def test_a_proxy_that_breaks_off_is_unknown_and_nothing_is_sent_again() -> None:
    def hang_up(handler: Handler) -> None:
        handler.receive()
        handler.close_connection = True

    with playing(hang_up) as story:
        assert told(story.sink.send("orders", [RECORD])) == [(50003, "unknown", True)]
        assert story.posts() == 1


def test_a_kept_connection_that_the_proxy_closed_is_replaced_before_anything_is_sent() -> None:
    closed: list[int] = []

    def once(handler: Handler) -> None:
        answering(200, {"offsets": [place()]})(handler)
        handler.close_connection = True
        closed.append(1)

    with playing(once) as story:
        for _ in range(3):
            assert told(story.sink.send("orders", [RECORD])) == [(0, "written", False)]
            eventually(lambda: len(closed) == story.posts())
            time.sleep(0.05)  # the end of the connection is on its way
        assert story.posts() == story.proxy.connections == 3


def test_a_connection_that_is_lost_between_handing_over_and_sending_leaves_records_unsent() -> None:
    with playing(answering(200, {})) as story:
        handover = story.sink.hand_over("orders", [RECORD])
        story.sink.close()
        assert told(handover.wait(time.monotonic() + 5)) == [(50003, "not_written", True)]
        assert story.posts() == 0
