"""A stream of the v3 API: a line for each record, in order, as soon as it can be told."""

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_shim.app import create_app
from confluent_shim.settings import Limits, Server
from tests.doubles import ArrivingBody, LateSink
from tests.parts import Shim, memory_shim
from tests.waiting import eventually

GOOD = '{"value":{"type":"JSONSCHEMA","data":{"id":1}}}'
BAD = '{"value":{"data":{"id":"x"}}}'
URL = "/v3/clusters/c/topics/orders/records"


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


def parsed(answer: bytes | str) -> list[dict[str, Any]]:
    """Return the lines of an answer, each of which ends with CR and LF."""
    text = answer if isinstance(answer, str) else answer.decode()
    assert not text or text.endswith("\r\n")
    return [json.loads(line) for line in text.split("\r\n")[:-1]]


def lines(shim: Shim, body: str | bytes) -> list[dict[str, Any]]:
    """Send a stream and return its lines."""
    answer = shim.stream("orders", body)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return parsed(answer.data)


def codes(shim: Shim, body: str | bytes) -> list[int]:
    return [line["error_code"] for line in lines(shim, body)]


def test_a_success_is_a_line_that_tells_where_the_record_is(shim: Shim) -> None:
    (line,) = lines(shim, GOOD)
    assert list(line) == ["error_code", "cluster_id", "topic_name", "partition_id", "offset", "timestamp", "value"]
    assert (line["error_code"], line["cluster_id"], line["topic_name"], line["offset"]) == (200, "c", "orders", 0)


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n\t "])
def test_each_record_has_its_line_in_order(shim: Shim, between: str) -> None:
    found = lines(shim, between.join([GOOD, BAD, GOOD, '{"partition_id":-1}', GOOD, ""]))
    assert [line["error_code"] for line in found] == [200, 400, 200, 40402, 200]
    assert found[1]["errors"][0]["record"] == 1
    assert [line["offset"] for line in found if "offset" in line] == [0, 1, 2]
    assert len(shim.landed("orders")) == 3


def test_records_that_say_different_things_keep_their_order(shim: Shim) -> None:
    shapes = [
        GOOD,
        '{"value":{"type":"JSON","data":{"id":1}}}',
        '{"key":{"type":"STRING","data":"k"},"value":{"data":{"id":1}}}',
    ]
    found = lines(shim, "".join(shapes * 3))
    assert [line["value"]["type"] for line in found] == ["JSONSCHEMA", "JSON", "JSONSCHEMA"] * 3
    assert ["key" in line for line in found] == [False, False, True] * 3


@pytest.mark.parametrize("body", ["", " \n"])
def test_an_empty_stream_has_no_lines(shim: Shim, body: str) -> None:
    assert lines(shim, body) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_the_encoding_is_told_by_the_bytes(shim: Shim, encoding: str) -> None:
    assert codes(shim, (GOOD * 2).encode(encoding)) == [200, 200]


class TestMalformed:
    @pytest.mark.parametrize(
        "record", ['{"foo":1}', "1", "null", '"x"', '[{"a":1}]', '{"value":{"type":"JSON"}}', '{"value":1}']
    )
    def test_json_of_the_wrong_form_is_a_line_and_the_stream_goes_on(self, shim: Shim, record: str) -> None:
        assert codes(shim, f"{GOOD}{record} {GOOD}") == [200, 400, 200]

    @pytest.mark.parametrize(
        ("record", "kind"),
        [
            ('{"value":{"data":{"id":1,"id":2}}}', "duplicate-key"),
            ('{"value":{"data":{"id":1e999}}}', "number-range"),
            ('{"value":{"data":{"id":1,"note":"\\ud800"}}}', "encoding"),
            ('{"value":{"data":' + "[" * 300 + "]" * 300 + "}}", "depth"),
            ('{"value":{"data":tru}}', "syntax"),
            ('{"value":{"data":"\\x"}}', "syntax"),
            ('{"value":{"data":"\n"}}', "syntax"),
        ],
    )
    def test_a_record_that_has_no_single_reading_is_a_line_that_says_so(
        self, shim: Shim, record: str, kind: str
    ) -> None:
        found = lines(shim, GOOD + record + GOOD)
        assert [line["error_code"] for line in found] == [200, 400, 200]
        (error,) = found[1]["errors"]
        assert (error["record"], error["keyword"]) == (1, kind)
        assert len(shim.landed("orders")) == 2

    @pytest.mark.parametrize(
        "record",
        [
            '{"value":{"data":1} "x":2}',
            '{"value" {"data":1}}',
            '{"value":{"data":1},}',
            '{"value":{"data":}}',
            '{"a":[1}',
            "[1,]",
        ],
    )
    def test_where_nobody_can_tell_what_comes_next_the_stream_ends_with_two_lines(
        self, shim: Shim, record: str
    ) -> None:
        found = lines(shim, GOOD + record + GOOD)
        assert [line["error_code"] for line in found] == [200, 400, 400]
        assert found[1]["errors"][0]["record"] == 1
        assert found[2]["message"].startswith("Bad Request: Error processing message: ")
        assert len(shim.landed("orders")) == 1

    @pytest.mark.parametrize("record", ['{"value":{"type":"JS', '{"value":{"data":{"id":1}}', "[1"])
    def test_so_does_one_that_breaks_off(self, shim: Shim, record: str) -> None:
        found = lines(shim, GOOD + record)
        assert [line["error_code"] for line in found] == [200, 400, 400]

    @pytest.mark.parametrize("garbage", ["foo", "}", ",", ":", "]", "\0", "NaN"])
    def test_what_begins_no_value_ends_the_stream_with_one_line(self, shim: Shim, garbage: str) -> None:
        found = lines(shim, f"{GOOD}{garbage} {GOOD}")
        assert [line["error_code"] for line in found] == [200, 400]
        assert found[1]["message"].startswith("Bad Request: Error processing message: ")

    def test_a_body_that_is_no_text_ends_with_a_line(self, shim: Shim) -> None:
        found = lines(shim, GOOD.encode("utf-16-le") + b"\0\xd8")
        assert [line["error_code"] for line in found] == [200, 400]

    def test_unreadable_records_are_counted(self, shim: Shim) -> None:
        lines(shim, '{"value":{"data":{"id":1,"id":2}}}')
        counted = 'confluent_shim_rejected_records_total{reason="duplicate-key",topic="orders"} 1.0'
        assert counted in shim.client.get("/-/metrics").text


def test_a_record_too_large_is_a_line_and_the_stream_goes_on() -> None:
    with memory_shim(limits=Limits(record_bytes=100)) as shim:
        shim.bind("orders")
        large, larger = '{"value":{"data":"' + "x" * 200 + '"}}', '{"value":{"data":"' + "x" * 200_000 + '"}}'
        found = lines(shim, GOOD + large + larger + GOOD)
    assert [line["error_code"] for line in found] == [200, 413, 413, 200]


def test_a_stream_to_an_unbound_topic_says_so_in_each_line(shim: Shim) -> None:
    answer = shim.stream("unknown", GOOD * 2 + '{"value":{"data":{"a":1,"a":2}}}')
    assert [line["error_code"] for line in parsed(answer.data)] == [40401, 40401, 400]


def test_a_binding_that_changes_is_in_force_for_the_next_record(shim: Shim) -> None:
    body = ArrivingBody()
    with shim.open_stream("orders", body.read) as answer:
        body.send(GOOD.encode())
        assert parsed(next(answer))[0]["error_code"] == 200
        assert shim.admin("DELETE", "orders").status_code == 200
        body.send(GOOD.encode())
        assert parsed(next(answer))[0]["error_code"] == 40401
        body.end()
        assert list(answer) == []


def test_a_client_that_waits_for_each_line_gets_it_before_it_sends_the_next_record(shim: Shim) -> None:
    body = ArrivingBody()
    with shim.open_stream("orders", body.read) as answer:
        for record, code in [(GOOD, 200), (BAD, 400), ("{}", 400), (GOOD, 200)]:
            body.send(record.encode())
            assert [line["error_code"] for line in parsed(next(answer))] == [code]
        body.end()
        assert list(answer) == []


def test_the_status_is_there_before_anything_was_read(shim: Shim) -> None:
    def read(size: int) -> bytes:
        raise AssertionError(f"{size} bytes were read")

    with shim.open_stream("orders", read):
        pass


class TestAClientThatWaitsToBeAskedForItsBody:
    def test_is_asked_before_its_status_is_there(self, shim: Shim) -> None:
        body, asked = ArrivingBody(), threading.Event()

        def read(size: int) -> bytes:
            asked.set()
            return body.read(size)

        body.send(GOOD.encode())
        with shim.open_stream("orders", read, HTTP_EXPECT="100-Continue") as answer:
            assert asked.is_set()
            assert [line["error_code"] for line in parsed(next(answer))] == [200]
            body.end()

    def test_has_its_status_although_it_sends_nothing_yet(self, shim: Shim) -> None:
        body = ArrivingBody()
        with shim.open_stream("orders", body.read, HTTP_EXPECT="100-continue") as answer:
            body.send(GOOD.encode())
            assert [line["error_code"] for line in parsed(next(answer))] == [200]
            body.end()

    def test_of_which_the_length_is_known_is_asked_too(self, shim: Shim) -> None:
        body = ArrivingBody()
        body.send(GOOD.encode())
        length = str(len(GOOD))
        with shim.open_stream("orders", body.read, HTTP_EXPECT="100-continue", CONTENT_LENGTH=length) as answer:
            assert body.is_empty
            assert [line["error_code"] for line in parsed(next(answer))] == [200]


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
            waiting = _later(answer)
            for _ in range(5):
                assert sink.handed_over.acquire(timeout=30)
            assert not waiting.lines
            sink.heard.release(5)
            body.end()
            assert [line["error_code"] for line in parsed(waiting.all())] == [200] * 5

    def test_lines_that_are_ready_together_share_a_flush(self, shim: Shim, sink: LateSink) -> None:
        body = ArrivingBody()
        with shim.open_stream("orders", body.read) as answer:
            body.send((GOOD * 5).encode())
            waiting = _later(answer)
            for _ in range(5):
                assert sink.handed_over.acquire(timeout=30)
            sink.heard.release(5)
            body.end()
            waiting.all()
            assert len(waiting.lines) < 5

    def test_no_more_is_read_than_may_be_under_way(self, shim: Shim, sink: LateSink) -> None:
        body = io.BytesIO((GOOD * 10_000).encode())
        with shim.open_stream("orders", body.read) as answer:
            waiting = _later(answer)
            for _ in range(2_000):
                assert sink.handed_over.acquire(timeout=30)
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
                waiting = _later(answer)
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


@pytest.mark.parametrize(
    ("headers", "status", "content_type"),
    [
        ({}, 400, "application/json"),
        ({"Content-Type": "application/json; charset=UTF-8"}, 200, "application/json"),
        ({"Content-Type": 'application/json;charset="iso-8859-1"'}, 200, "application/json"),
        ({"Content-Type": "application/json; charset=utf-16"}, 400, "application/json"),
        ({"Content-Type": "application/vnd.kafka.json.v2+json"}, 415, "application/json"),
        ({"Content-Type": "foo"}, 400, None),
        ({"Content-Type": "application/json", "Accept": "text/plain"}, 406, None),
    ],
)
def test_types_are_negotiated_with_a_status_of_their_own(
    shim: Shim, headers: dict[str, str], status: int, content_type: str | None
) -> None:
    answer = shim.client.post(URL, data=GOOD, headers=headers)
    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, content_type)


def test_the_path_knows_no_other_method_and_says_so(shim: Shim) -> None:
    for method in ("GET", "PUT", "HEAD"):
        assert shim.client.open(URL, method=method).status_code == 405
    assert shim.client.open(URL, method="OPTIONS").headers["Allow"] == "POST,OPTIONS"


def test_a_stream_is_logged_when_it_is_over(shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "confluent_shim.access")
    body = ArrivingBody()
    with shim.open_stream("orders", body.read) as answer:
        body.send((GOOD + BAD).encode())
        body.end()
        found = parsed(b"".join(answer))
        assert caplog.records == []
    assert len(found) == 2
    facts = vars(caplog.records[-1])["facts"]
    assert (facts["topic"], facts["records"], facts["failed"], facts["status"]) == ("orders", 2, 1, 200)


class _later:  # noqa: N801 - reads like the function it stands for
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
