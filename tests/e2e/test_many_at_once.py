"""Many clients at a time, and slow ones among them: who waits for Kafka, or for a client, holds up nobody else."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from tests.e2e.conversation import LIVE, Conversation, post
from tests.e2e.server import Server, configuration, serving
from tests.e2e.stream_client import open_stream
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
THREADS = 12
KAFKA = "[clusters.default.kafka]\n"
V2 = "application/vnd.kafka.jsonschema.v2+json"


@pytest.fixture(scope="module")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give one worker with few threads, whose records lie in its queue for a while: they wait at the same time.

    What its registry says is remembered throughout: to ask it anew takes a thread, wherever a request is served.
    """
    folder = tmp_path_factory.mktemp("many")
    config = configuration(
        folder, stack.kafka_bootstrap, stack.registry_url, f"[server]\nthreads = {THREADS}\n[limits]\nstreams = 2"
    )
    text = config.read_text().replace("ttl = 0.2", "ttl = 60")
    config.write_text(text.replace(KAFKA, f'{KAFKA}"linger.ms" = "200"\n'))
    with serving(config) as server:
        yield server
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def topic(server: Server, stack: Stack) -> str:
    """Give a bound topic, whose schema the server knows."""
    name = f"many-{uuid.uuid4().hex[:12]}"
    stack.create_topic(name, partitions=1)
    server.bind(name, schema=SCHEMA)
    assert server.produce(name, {"records": [{"value": {"id": -1}}]}).ok
    return name


@contextmanager
def talks(server: Server, count: int) -> Iterator[list[Conversation]]:
    with ExitStack() as opened:
        yield [opened.enter_context(Conversation(server.url)) for _ in range(count)]


def numbers(stack: Stack, topic: str) -> list[int]:
    return sorted(json.loads((each.value or b"")[5:])["id"] for each in stack.read_all(topic))


def body_of(number: int, size: int = 0) -> bytes:
    return json.dumps({"records": [{"value": {"id": number}}]}).encode().ljust(size)


def records(count: int) -> bytes:
    """Return so many records of a stream."""
    return b"".join([b'{"value":{"type":"JSONSCHEMA","data":{"id":%d}}}' % number for number in range(count)])


def assert_serves(server: Server, topic: str) -> None:
    """Have a probe answered, good records written and bad ones refused."""
    assert requests.get(f"{server.url}/-/live", timeout=30).ok
    for _ in range(3):
        assert server.produce(topic, {"records": [{"value": {"id": -1}}]}).status_code == 200
        assert server.produce(topic, {"records": [{"value": {"id": "x"}}]}).status_code == 400


def test_more_requests_than_threads_wait_for_kafka_at_a_time(server: Server, stack: Stack, topic: str) -> None:
    count = 300
    assert count > 10 * THREADS
    bodies = [body_of(number) for number in range(count)]
    with talks(server, count) as opened:
        for talk, body in zip(opened, bodies, strict=True):
            talk.send(post(f"/topics/{topic}", body, content_type=V2) + body[:-1])
        for talk, body in zip(opened, bodies, strict=True):
            talk.send(body[-1:])
        assert [talk.answer().status for talk in opened] == [200] * count
        for talk in opened:
            talk.send(LIVE)  # every connection goes on
        assert [talk.answer().status for talk in opened] == [200] * count
    assert numbers(stack, topic) == [-1, *range(count)]


def test_clients_that_send_their_bodies_slowly_leave_room_for_all_others(
    server: Server, stack: Stack, topic: str
) -> None:
    """None of their bodies is whole, and each is answered when it is."""
    count, size, begun = 200, 100, 10
    bodies = [body_of(number, size) for number in range(count)]
    with talks(server, count) as opened:
        for talk, body in zip(opened, bodies, strict=True):
            talk.send(post(f"/topics/{topic}", body, content_type=V2) + body[:begun])
        assert_serves(server, topic)
        for talk, body in zip(opened[::2], bodies[::2], strict=True):
            talk.send(body[begun:])
        assert [talk.answer().status for talk in opened[::2]] == [200] * (count // 2)
    assert_serves(server, topic)
    assert [number for number in numbers(stack, topic) if number >= 0] == list(range(0, count, 2))


def test_a_stream_of_which_nobody_reads_the_lines_holds_up_nobody_else(server: Server, topic: str) -> None:
    with open_stream(server.url, topic) as unread:
        assert unread.status() == 200
        unread.send_and_read_nothing(records(10_000), 4)
        assert_serves(server, topic)
        with open_stream(server.url, topic) as other:
            assert other.status() == 200
            other.send(records(500))
            other.end()
            assert [line["error_code"] for line in other.lines()] == [200] * 500
    assert_serves(server, topic)


def test_clients_that_leave_without_a_word_hold_up_nobody_and_are_no_news(server: Server, topic: str) -> None:
    """While their body arrives, while Kafka is waited for, and while they are answered; the log has no trace of it."""
    for number in range(3 * THREADS):
        body = body_of(number)
        with Conversation(server.url) as slow, Conversation(server.url) as patient, Conversation(server.url) as large:
            slow.send(post(f"/topics/{topic}", body, content_type=V2) + body[:5])
            patient.send(post(f"/topics/{topic}", body, content_type=V2) + body)
            large.send(post(f"/topics/{topic}", body_of(number, 100_000), content_type=V2) + body)
        with open_stream(server.url, topic) as stream:
            stream.send(json.dumps({"value": {"type": "JSONSCHEMA", "data": {"id": number}}}).encode())
        with open_stream(server.url, topic, 100) as short:
            short.send_raw(b"{")
    assert_serves(server, topic)
    eventually(lambda: streams_are_taken(server, topic))


def streams_are_taken(server: Server, topic: str) -> bool:
    """Tell whether there is room for as many streams as there may be."""
    with open_stream(server.url, topic) as one, open_stream(server.url, topic) as other:
        taken = [one.status(), other.status()] == [200, 200]
        for stream in (one, other) if taken else ():
            stream.end()
            assert list(stream.lines()) == []
    return taken
