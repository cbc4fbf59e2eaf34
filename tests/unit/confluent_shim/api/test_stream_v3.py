"""A stream of the v3 API: a line for each record, in order, as soon as it can be told."""

import threading
from collections.abc import Iterator

import pytest

from confluent_shim.settings import Limits
from tests.doubles import ArrivingBody
from tests.parts import Shim, memory_shim
from tests.streams import BAD, GOOD, URL, codes, lines, parsed


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


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

    def test_of_which_a_great_length_is_known_is_asked_too(self, shim: Shim) -> None:
        body = ArrivingBody()
        body.send(GOOD.encode() + b" " * 70_000)
        length = str(len(GOOD) + 70_000)
        with shim.open_stream("orders", body.read, HTTP_EXPECT="100-continue", CONTENT_LENGTH=length) as answer:
            assert [line["error_code"] for line in parsed(next(answer))] == [200]


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
