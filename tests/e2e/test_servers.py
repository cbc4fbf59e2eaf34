"""What holds on every WSGI server that is supported."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.e2e.conversation import CHUNKED, JSON, LIVE, Conversation, chunk, post
from tests.e2e.server import KINDS, Kind, Server, command_of, configuration, free_port, serving
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
LIMIT = 100_000
GOOD = b'{"records":[{"value":{"id":1}}]}'
BAD = b'{"records":[{"value":{"id":"one"}}]}'
CONTINUE = "Expect: 100-continue"
BROKEN = b"not a number of bytes\r\n"
"""What stands where the length of a chunk should."""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(request.param)
    limits = f"[limits]\nbody_bytes = {LIMIT}"
    config = configuration(folder, stack.kafka_bootstrap, stack.registry_url, limits)
    with serving(config, workers=2, kind=request.param) as server:
        yield server
    assert server.process.returncode == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def topic(server: Server, stack: Stack) -> str:
    """Give a bound topic."""
    name = f"servers-{uuid.uuid4().hex[:12]}"
    stack.create_topic(name)
    server.bind(name, schema=SCHEMA)
    return name


@pytest.fixture
def talk(server: Server) -> Iterator[Conversation]:
    with Conversation(server.url) as conversation:
        yield conversation


def usable(talk: Conversation) -> bool:
    """Tell whether the connection serves another request."""
    talk.send(LIVE)
    return talk.answer().status == 200


def filled(size: int) -> bytes:
    """Return a body of that many bytes that conforms."""
    return GOOD[:-1] + b" " * (size - len(GOOD)) + GOOD[-1:]


def test_what_conforms_lands_and_what_does_not_is_refused_with_its_place(
    server: Server, stack: Stack, topic: str
) -> None:
    written, refused = server.produce(topic, GOOD), server.produce(topic, BAD)
    assert (written.status_code, written.json()["offsets"][0]["error_code"]) == (200, None)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/id")
    assert len(stack.read_all(topic)) == 1


def test_there_are_two_workers_and_either_counts_for_both(server: Server, topic: str) -> None:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    assert len([child for child in children if "python" in Path(f"/proc/{child}/exe").readlink().name]) >= 2
    for _ in range(20):
        assert server.produce(topic, GOOD).ok
    eventually(lambda: {written(server, topic) for _ in range(4)} == {20.0})


def written(server: Server, topic: str) -> float:
    """Return how many records for `topic` the worker that happens to answer knows of."""
    lines = requests.get(f"{server.url}/-/metrics", timeout=10).text.splitlines()
    return sum(
        float(line.split()[-1]) for line in lines if line.startswith("confluent_shim_records_total") and topic in line
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("key", "value"), [("STORE", "sqlite:/nowhere/at/all.db"), ("SERVER__PROT", "80")])
def test_what_cannot_be_served_stops_the_start_with_one_line(kind: Kind, key: str, value: str, tmp_path: Path) -> None:
    config = configuration(tmp_path, "127.0.0.1:1", "http://127.0.0.1:1")
    command, environment = command_of(kind, config, free_port(), {**os.environ, f"SHIM_{key}": value})
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("confluent-shim: ")


def test_a_body_may_arrive_slowly_and_in_pieces(talk: Conversation, topic: str) -> None:
    talk.send(post(f"/topics/{topic}", GOOD), GOOD[:7], GOOD[7:20], GOOD[20:], pause=0.05)
    assert talk.answer().status == 200
    assert usable(talk)


def test_a_body_in_chunks_may_arrive_slowly_and_in_pieces(talk: Conversation, topic: str) -> None:
    head = post(f"/topics/{topic}", None, CHUNKED)
    pieces = chunk(GOOD[:7]), chunk(GOOD[7:])[:-4], chunk(GOOD[7:])[-4:], chunk(b"")
    talk.send(head, *pieces, pause=0.05)
    assert talk.answer().status == 200
    assert usable(talk)


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_over_the_limit_is_answered_and_the_connection_may_be_used_again(
    talk: Conversation, topic: str, chunked: bool
) -> None:
    body = filled(LIMIT + 1)
    if chunked:
        talk.send(post(f"/topics/{topic}", None, CHUNKED), chunk(body), chunk(b""))
    else:
        talk.send(post(f"/topics/{topic}", body), body)
    answer = talk.answer()
    assert (answer.status, json.loads(answer.body)["error_code"]) == (413, 413)
    assert usable(talk)


def test_a_body_far_over_the_limit_is_answered_while_the_client_still_sends(server: Server, topic: str) -> None:
    with Conversation(server.url) as talk:
        talk.send(post(f"/topics/{topic}", None, f"Content-Length: {1000 * LIMIT}"), b" " * LIMIT)
        assert talk.answer().status == 413
    assert server.produce(topic, filled(LIMIT)).status_code == 200


@pytest.mark.parametrize(
    ("path", "content_type", "status"),
    [
        ("/topics/{topic}", "text/plain", 415),
        ("/topics/{topic}", "no type", 400),
        ("/topics/{topic}/partitions/x", JSON, 404),
        ("/topics/unbound", JSON, 404),
        ("/nowhere", "application/json", 404),
        ("/-/live", "application/json", 405),
        ("/-/bindings/{topic}/validate", "text/plain", 415),
        ("/consumers/group", "application/vnd.kafka.v2+json", 405),
    ],
)
def test_a_request_that_is_refused_before_its_body_is_there_does_not_cost_the_connection(
    talk: Conversation, topic: str, path: str, content_type: str, status: int
) -> None:
    talk.send(post(path.format(topic=topic), GOOD, content_type=content_type), GOOD, pause=0.1)
    assert talk.answer().status == status
    assert usable(talk)


def test_a_broken_chunk_is_the_clients_fault_and_ends_the_connection(
    talk: Conversation, stack: Stack, topic: str
) -> None:
    talk.send(post(f"/topics/{topic}", None, CHUNKED), chunk(GOOD[:-1]), BROKEN)
    assert talk.answer().status == 400
    assert talk.ends()
    assert stack.read_all(topic) == []


def test_a_body_that_seems_whole_and_whose_end_was_not_told_is_not_written(
    talk: Conversation, stack: Stack, topic: str
) -> None:
    talk.send(post(f"/topics/{topic}", None, CHUNKED), chunk(GOOD))
    talk.send_no_more()
    with suppress(ConnectionError):  # who sends no more may be taken for gone
        assert talk.answer().status == 400
    assert stack.read_all(topic) == []


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_nothing_is_written_of_a_body_whose_end_never_comes(
    talk: Conversation, stack: Stack, topic: str, chunked: bool
) -> None:
    if chunked:
        talk.send(post(f"/topics/{topic}", None, CHUNKED), chunk(GOOD[:-1]))
    else:
        talk.send(post(f"/topics/{topic}", GOOD), GOOD[:-1])
    talk.send_no_more()
    with suppress(ConnectionError):  # who sends no more may be taken for gone
        assert talk.answer().status == 400
    assert stack.read_all(topic) == []


@pytest.mark.parametrize("path", ["/-/live", "/topics", "/nowhere", "/consumers/group"])
def test_a_head_is_answered_as_its_get_without_the_body(talk: Conversation, path: str) -> None:
    asked = f"{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    talk.send(b"GET " + asked)
    get = talk.answer()
    talk.send(b"HEAD " + asked)
    head = talk.answer(to_head=True)
    assert (head.status, head.headers.get("content-type")) == (get.status, get.headers.get("content-type"))
    assert usable(talk)


def test_requests_that_do_not_wait_for_answers_get_them_in_order(talk: Conversation, topic: str) -> None:
    path = f"/topics/{topic}"
    talk.send(post(path, GOOD) + GOOD + LIVE + post(path, BAD) + BAD + LIVE)
    assert [talk.answer().status for _ in range(4)] == [200, 200, 400, 200]


def test_a_client_that_asks_first_is_told_to_send_its_body(talk: Conversation, topic: str) -> None:
    body = filled(LIMIT)
    talk.send(post(f"/topics/{topic}", body, CONTINUE))
    assert talk.answer().status == 100
    talk.send(body)
    assert talk.answer().status == 200


def test_a_client_that_asks_first_is_told_of_a_body_that_is_too_large(talk: Conversation, topic: str) -> None:
    talk.send(post(f"/topics/{topic}", None, f"Content-Length: {LIMIT + 1}", CONTINUE))
    answer = talk.answer()
    while answer.status == 100:  # gunicorn says so before it asks the application
        answer = talk.answer()
    assert answer.status == 413


def test_what_is_no_http_is_answered_or_closed(talk: Conversation) -> None:
    talk.send(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
    assert talk.answer().status == 400
    assert talk.ends()
