"""Streams of the v3 API on a real server and a real connection: lines come while the request is still being sent."""

import json
import threading
import uuid
from pathlib import Path

import pytest
import requests

from tests.e2e.server import KINDS, Kind, Server, configuration, serving
from tests.e2e.stream_client import Stream, open_stream
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
    "additionalProperties": False,
}
HANGS_SECONDS = 60.0


def record(number: object) -> bytes:
    return json.dumps({"value": {"type": "JSONSCHEMA", "data": {"id": number}}}).encode()


@pytest.fixture
def topic(stack: Stack) -> str:
    name = f"streams-{uuid.uuid4().hex[:12]}"
    stack.create_topic(name, partitions=1)
    return name


@pytest.fixture
def bound(server: Server, topic: str) -> Server:
    server.bind(topic, schema=SCHEMA)
    return server


def numbers(stack: Stack, topic: str) -> list[int]:
    """Return the ids of the events in the topic, in order."""
    return [json.loads((each.value or b"")[5:])["id"] for each in stack.read_all(topic)]


def resident_bytes(server: Server) -> int:
    """Return the memory of the server's processes."""
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children]
    return sum(pages) * 4096


def test_each_line_is_there_before_the_next_record_is_sent(stack: Stack, bound: Server, topic: str) -> None:
    with open_stream(bound.url, topic) as stream:
        assert stream.status() == 200
        for number in range(20):
            stream.send(record(number))
            line = stream.line()
            assert (line["error_code"], line["offset"]) == (200, number)
        stream.send(record("bad"))
        assert stream.line()["errors"][0]["pointer"] == "/id"
        stream.send(record(20))
        assert stream.line()["offset"] == 20
        stream.end()
        assert list(stream.lines()) == []
    assert numbers(stack, topic) == list(range(21))


def test_a_record_may_come_byte_by_byte_and_two_in_one_chunk(bound: Server, topic: str) -> None:
    with open_stream(bound.url, topic) as stream:
        assert stream.status() == 200
        for byte in record(1):
            stream.send(bytes([byte]))
        assert stream.line()["offset"] == 0
        stream.send(record(2) + record(3) + record(4)[:10])
        assert [stream.line()["offset"], stream.line()["offset"]] == [1, 2]
        stream.send(record(4)[10:])
        assert stream.line()["offset"] == 3
        stream.end()


def test_a_malformed_record_is_told_and_the_stream_goes_on_until_one_that_nobody_can_read(
    bound: Server, topic: str
) -> None:
    with open_stream(bound.url, topic) as stream:
        assert stream.status() == 200
        for sent, code in [(record(1), 200), (b'{"foo":1}', 400), (b"[1]" + record(2), 400)]:
            stream.send(sent)
            assert stream.line()["error_code"] == code
        assert stream.line()["error_code"] == 200
        stream.send(b'{"value" 1}' + record(3))
        assert [line["error_code"] for line in stream.lines()] == [400, 400]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_hundred_thousand_records_on_one_connection_take_no_more_memory_than_a_few(
    stack: Stack, tmp_path: Path, topic: str, chunked: bool
) -> None:
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url)
    with serving(config) as server:
        server.bind(topic, schema=SCHEMA)
        _send(server, topic, 2_000, chunked)
        before = resident_bytes(server)
        _send(server, topic, 100_000, chunked)
        grown = resident_bytes(server) - before
    # The lines alone have 20 MB, and the records that are under way at most 1.
    assert grown < 16_000_000
    assert numbers(stack, topic) == [*range(2_000), *range(100_000)]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_nobody_reads_take_no_memory(tmp_path: Path, kind: Kind) -> None:
    """The server takes no more of a stream then: what it says of half a million records has a hundred megabytes."""
    lot = b"".join(map(record, range(10_000)))
    with serving(configuration(tmp_path, "memory:", "memory:"), kind=kind) as server:
        server.bind("unread", schema=SCHEMA, create_topic=True)
        with open_stream(server.url, "unread") as stream:
            stream.send(lot)
            assert stream.status() == 200
            before = resident_bytes(server)
            stream.send_and_read_nothing(lot, 50)
            assert resident_bytes(server) - before < 64_000_000


def _send(server: Server, topic: str, count: int, chunked: bool) -> None:
    """Send so many records without waiting for any line, and read the lines as they come."""
    lots = [b"\n".join(map(record, range(start, start + 1_000))) + b"\n" for start in range(0, count, 1_000)]
    with open_stream(server.url, topic, None if chunked else sum(map(len, lots))) as stream:

        def send() -> None:
            for lot in lots:
                (stream.send if chunked else stream.send_raw)(lot)
            if chunked:
                stream.end()

        sender = threading.Thread(target=send)
        sender.start()
        assert stream.status() == 200
        assert sum(line["error_code"] == 200 for line in stream.lines()) == count
        sender.join()


@pytest.mark.parametrize("kind", KINDS)
def test_at_sigterm_streams_are_closed_with_a_line_and_nothing_that_was_acknowledged_is_lost(
    stack: Stack, tmp_path: Path, topic: str, kind: Kind
) -> None:
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url)
    with serving(config, kind=kind) as server:
        server.bind(topic, schema=SCHEMA)
        with open_stream(server.url, topic) as waiting, open_stream(server.url, topic) as idle:
            for stream in (waiting, idle):
                assert stream.status() == 200
            acknowledged = [_acknowledged(waiting, number) for number in range(10)]
            server.process.terminate()
            over = [list(stream.lines())[-1] for stream in (waiting, idle)]
        assert [line["error_code"] for line in over] == [408, 408]
        assert "which is stopping" in over[0]["message"]
        assert server.process.wait(HANGS_SECONDS) == 0, server.log.read_text()
    assert numbers(stack, topic) == acknowledged


def _acknowledged(stream: Stream, number: int) -> int:
    stream.send(record(number) + b" " * 1024)  # which is as much as gunicorn waits for
    assert stream.line()["error_code"] == 200
    return number


@pytest.mark.parametrize("kind", KINDS)
def test_an_idle_stream_is_closed_and_its_place_is_free(stack: Stack, tmp_path: Path, topic: str, kind: Kind) -> None:
    config = configuration(
        tmp_path, stack.kafka_bootstrap, stack.registry_url, "[limits]\nstreams = 1\nstream_idle = 0.5"
    )
    with serving(config, kind=kind) as server:
        server.bind(topic, schema=SCHEMA)
        with open_stream(server.url, topic) as stream:
            assert stream.status() == 200
            assert _acknowledged(stream, 1) == 1
            assert [line["error_code"] for line in stream.lines()] == [408]
            # Its client is silent and there: on gunicorn that costs a place, and nothing else.
            assert kind == "granian" or _refused(server, topic)
            assert server.produce(topic, {"records": [{"value": {"id": 2}}]}).ok
        _eventually_taken(server, topic)
        with open_stream(server.url, topic) as stream:
            assert stream.status() == 200
            stream.send(record(3)[:10])  # its client goes away
        _eventually_taken(server, topic)
        with open_stream(server.url, topic, 1_000_000) as stream:
            assert stream.status() == 200
            assert _refused(server, topic)
            assert server.produce(topic, {"records": [{"value": {"id": 4}}]}).ok


def test_a_client_that_reads_no_lines_is_cut_off_and_its_place_is_free(
    stack: Stack, tmp_path: Path, topic: str
) -> None:
    config = configuration(
        tmp_path, stack.kafka_bootstrap, stack.registry_url, "[limits]\nstreams = 1\nstream_idle = 0.5"
    )
    with serving(config) as server:
        server.bind(topic, schema=SCHEMA)
        with open_stream(server.url, topic) as stream:
            assert stream.status() == 200
            stream.send_and_read_nothing(record(1) * 10_000, 50)
            _eventually_taken(server, topic)
        assert "Traceback" not in server.log.read_text()


def _eventually_taken(server: Server, topic: str) -> None:
    eventually(lambda: not _refused(server, topic), HANGS_SECONDS)


def _refused(server: Server, topic: str) -> bool:
    """Send a long stream and tell whether it was refused for want of a place."""
    answer = requests.post(
        f"{server.url}/v3/clusters/c/topics/{topic}/records",
        data=record(2) + b" " * 100_000,
        headers={"Content-Type": "application/json"},
        timeout=HANGS_SECONDS,
    )
    assert answer.status_code == 200 or answer.json()["error_code"] == 50396
    return answer.status_code == 503


def test_as_many_streams_as_there_may_be_leave_the_other_answers_as_they_are(
    stack: Stack, tmp_path: Path, topic: str
) -> None:
    config = configuration(tmp_path, stack.kafka_bootstrap, stack.registry_url)
    with serving(config) as server:
        server.bind(topic, schema=SCHEMA)
        streams = [open_stream(server.url, topic) for _ in range(4)]
        opened = [stream.__enter__() for stream in streams]
        assert [stream.status() for stream in opened] == [200] * 4
        assert _refused(server, topic)
        assert server.produce(topic, {"records": [{"value": {"id": 1}}]}).ok
        assert server.get("/-/ready")["status"] == "ready"
        for stream in streams:
            stream.__exit__(None, None, None)
