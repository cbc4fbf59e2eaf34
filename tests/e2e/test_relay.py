"""A shim on a real server before a stand-in for a REST Proxy: what only the wire can tell."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.server import Kind, Server, configuration, serving
from tests.stack import Stack
from tests.upstream import Handler, Proxy, echoing

MEGABYTE = 1 << 20


class Story(NamedTuple):
    """A shim, and the upstream behind it."""

    server: Server
    proxy: Proxy

    def connect(self) -> HTTPConnection:
        """Return a client that sends targets as they are given."""
        return HTTPConnection(self.server.url.removeprefix("http://"), timeout=30)

    def send(self, method: str, target: str, **headers: str) -> tuple[int, bytes]:
        """Send a request without a body, and return status and body of the answer."""
        client = self.connect()
        try:
            client.putrequest(method, target)
            for name, value in headers.items():
                client.putheader(name.replace("_", "-"), value)
            client.endheaders()
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()


@pytest.fixture(scope="module", params=["granian", "gunicorn"])
def story(request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    kind: Kind = request.param
    folder: Path = tmp_path_factory.mktemp("relay")
    config = configuration(folder, stack.kafka_bootstrap, stack.registry_url, extra="[limits]\nrequests = 4\n")
    # A connection that is kept would keep its thread here beyond the test.
    with echoing(keeps_connections=False) as proxy:
        environment = {**os.environ, "SHIM_CLUSTERS__DEFAULT__REST_PROXY__URL": proxy.url, "HTTP_X_OURS": "secret"}
        with serving(config, environment=environment, kind=kind) as server:
            yield Story(server, proxy)


@pytest.fixture(autouse=True)
def echo_again(story: Story) -> Iterator[None]:
    story.proxy.received.clear()
    yield
    story.proxy.play = None


@pytest.mark.parametrize(
    "target",
    [
        "/v3/clusters/c/topics/-/configs:alter",
        "/v3/clusters/c/consumer-groups/g%2F1/lags?x=%2F&y=a+b&z",
        "/v3/clusters/c/topics/a;x=1/",
        "/v3/clusters/c/%25/%20%22",
        "/topics",
    ],
)
def test_a_target_goes_upstream_as_it_was_sent(story: Story, target: str) -> None:
    status, body = story.send("GET", target)
    assert (status, json.loads(body)["target"]) == (200, target)


@pytest.mark.parametrize("target", ["/v3/%2f/a%2Fb", "/%7Eunreserved/%3A"])
def test_a_spelling_that_clients_do_not_use_is_kept(story: Story, target: str) -> None:
    _, body = story.send("GET", target)
    assert json.loads(body)["target"] == target


@pytest.mark.parametrize(
    "target",
    [
        "//topics/orders",
        "/%74opics/orders",
        "/v3/../topics/orders",
        "/v3/%2e%2E/topics/orders",
        "/v3/clusters/c/topics/orders/records",
        "/v3/clusters/c/topics/orders%2Frecords",
        "/v3/clusters/c/topics/orders/records%3Abatch",
        "http://elsewhere/topics/orders",
        "http://elsewhere/v3/clusters/c/topics/orders/records",
    ],
)
def test_nothing_that_could_produce_gets_by(story: Story, target: str) -> None:
    status, _ = story.send("POST", target, Content_Length="0")
    assert 400 <= status < 500
    assert story.proxy.received == []


def test_the_environment_of_the_process_does_not_leave_it(story: Story) -> None:
    _, body = story.send("GET", "/brokers")
    assert "secret" not in body.decode()


def test_large_bodies_pass_in_both_directions_without_being_kept(story: Story) -> None:
    """What goes through is many times what the process may grow by."""
    megabytes = 100

    def up_and_down(handler: Handler) -> None:
        assert sum(map(len, handler.pieces())) == megabytes * MEGABYTE
        handler.begin_chunks(Content_Type="application/octet-stream")
        for _ in range(megabytes):
            handler.chunk(b"x" * MEGABYTE)
        handler.chunk(b"")

    story.proxy.play = up_and_down
    before = _most_memory(story)
    client = story.connect()
    client.request("POST", "/v3/clusters/c/acls", body=(b"x" * MEGABYTE for _ in range(megabytes)), encode_chunked=True)
    answer = client.getresponse()
    length = 0
    while block := answer.read(MEGABYTE):
        length += len(block)
    client.close()
    assert length == megabytes * MEGABYTE
    assert _most_memory(story) - before < 40 * MEGABYTE


def _most_memory(story: Story) -> int:
    """Return the most bytes that any process of the server ever had."""
    parent = story.server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    peaks = []
    for process in (str(parent), *children):
        status = Path(f"/proc/{process}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")]
    return max(peaks)


def test_no_request_keeps_its_place_when_it_is_over(story: Story) -> None:
    """There are four places, and more requests than that which end in every way there is."""

    def half(handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        handler.close_connection = True

    def nothing(handler: Handler) -> None:
        handler.receive()
        handler.send_response(204)
        handler.end_headers()

    for _ in range(5):
        assert story.send("HEAD", "/topics")[0] == 200
    story.proxy.play = nothing
    for _ in range(5):
        assert story.send("GET", "/topics") == (204, b"")
    story.proxy.play = half
    for _ in range(5):
        with pytest.raises(Exception, match=r"IncompleteRead|Remote|reset"):
            story.send("GET", "/topics")
    story.proxy.play = None
    assert story.send("GET", "/topics")[0] == 200


def test_an_answer_without_a_length_that_breaks_off_is_cut(story: Story) -> None:
    def cut(handler: Handler) -> None:
        handler.receive()
        handler.begin_chunks(Content_Type="application/octet-stream")
        handler.chunk(b"abc")
        handler.close_connection = True

    story.proxy.play = cut
    with pytest.raises(IncompleteRead):
        story.send("GET", "/topics")
    assert "a relayed answer broke off" in story.server.log.read_text()


def test_a_client_that_hangs_up_lets_go_of_the_upstream(story: Story) -> None:
    def endless(handler: Handler) -> None:
        handler.receive()
        handler.begin_chunks(Content_Type="application/octet-stream")
        while True:
            handler.chunk(b"x" * 10_000)

    story.proxy.play = endless
    for _ in range(5):
        client = story.connect()
        client.request("GET", "/brokers")
        client.getresponse().read(100_000)
        client.close()
    story.proxy.play = None
    assert story.send("GET", "/topics")[0] == 200
