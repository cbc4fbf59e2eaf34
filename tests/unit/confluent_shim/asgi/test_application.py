"""How requests are served over ASGI, whatever application answers them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from tests.served import SECONDS, Answer, Asked, Fields, Served, Talk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PRODUCE = "/topics/orders"


class Broken(Exception):
    """What an application raises that nobody expects."""


class Pieces:
    """A body that is made while it is sent; `step` is called before each piece."""

    def __init__(self, pieces: Iterable[bytes], step: Callable[[int], object] = lambda _: None) -> None:
        self._pieces = pieces
        self._step = step
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for number, piece in enumerate(self._pieces):
            self._step(number)
            yield piece

    def close(self) -> None:
        self.closed += 1


def answering(body: Iterable[bytes], status: str = "200 OK") -> "WSGIApplication":
    """Return an application that answers everything so."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        del environ
        start_response(status, [("Content-Type", "text/plain")])
        return body

    return application


def echo(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with the body that was sent."""
    try:
        read = environ["wsgi.input"].read()
    except OSError as error:
        read = str(error).encode()
    start_response("200 OK", [])
    return [read]


@pytest.mark.parametrize(
    ("method", "path", "fields", "where"),
    [
        ("POST", PRODUCE, [("content-length", "2")], "loop"),
        ("POST", "/topics/orders/partitions/1", [("content-length", "65536")], "loop"),
        ("POST", "/v3/clusters/c/topics/orders/records", [("content-length", "0")], "loop"),
        ("POST", "/v3/clusters/c/topics/orders/records:batch", [("content-length", "2")], "loop"),
        ("POST", PRODUCE, [("content-length", "65537")], "request"),
        ("POST", PRODUCE, [("content-length", "9" * 400)], "request"),
        ("POST", PRODUCE, [("content-length", "0" * 18 + "65537")], "request"),
        ("POST", PRODUCE, [("content-length", "2,2")], "request"),
        ("POST", PRODUCE, [("transfer-encoding", "chunked")], "request"),
        ("POST", PRODUCE, [("content-length", "2"), ("expect", "100-continue")], "request"),
        ("POST", "/-/bindings/orders", [("content-length", "2")], "request"),
        ("POST", "/topics/orders/records", [("content-length", "2")], "request"),
        ("GET", PRODUCE, [("content-length", "2")], "request"),
        ("GET", "/-/live", [], "request"),
    ],
)
def test_short_produce_requests_are_served_on_the_loop_and_all_others_on_threads(
    method: str, path: str, fields: list[tuple[str, str]], where: str
) -> None:
    with Served(answering([b"yes"])) as served:
        asked = Asked(method, path, headers=Fields(*fields))
        assert served.begin(asked, Talk(b"{}")).result(SECONDS).body == b"yes"
        assert served.served_on == [where]


@pytest.mark.parametrize("path", [PRODUCE, "/-/live"])
def test_an_answer_that_is_there_is_sent_as_one(path: str) -> None:
    with Served(answering([b"a", b"b"], "418 I'm a Teapot")) as served:
        answer = served.ask("POST", path, b"{}")
    assert answer == Answer(418, {"content-type": "text/plain"}, [b"ab"], streamed=False)


def test_an_answer_that_is_made_while_it_is_sent_goes_piece_by_piece_and_is_closed() -> None:
    """Each piece is out before the next is made, and the head before the first."""
    talk, seen = Talk(), []
    body = Pieces([b"", b"a", b"b"], lambda _: seen.append([list(each.pieces) for each in talk.answers]))
    with Served(answering(body)) as served:
        answer = served.begin(Asked(), talk).result(SECONDS)
    assert answer == Answer(200, {"content-type": "text/plain"}, [b"a", b"b"], streamed=True)
    assert seen == [[], [[]], [[b"a"]]]
    assert body.closed == 1


@pytest.mark.parametrize("path", [PRODUCE, "/-/live"])
def test_an_answer_without_any_piece_is_an_empty_one(path: str) -> None:
    body = Pieces([])
    with Served(answering(body, "204 No Content")) as served:
        answer = served.ask("POST", path)
    assert (answer.status, answer.body, answer.streamed, body.closed) == (204, b"", False, 1)


def test_a_request_is_answered_once_all_that_is_made_of_it_is_sent() -> None:
    """The head of a stream is there while its body is being made, and the loop goes on serving."""
    more = threading.Event()
    talk = Talk()
    body = Pieces([b"a", b"b"], lambda number: number == 0 or more.wait(SECONDS))

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [])
        return body if environ["PATH_INFO"] == "/stream" else [b"ok"]

    with Served(application, threads=1) as served:
        stream = served.begin(Asked(path="/stream"), talk)
        assert served.ask("POST", PRODUCE, b"{}").body == b"ok"
        assert not stream.done()
        more.set()
        assert stream.result(SECONDS).body == b"ab"


@pytest.mark.parametrize("path", [PRODUCE, "/-/live"])
def test_what_an_application_raises_is_left_to_the_server_and_ends_nothing_else(path: str) -> None:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if "HTTP_BREAK" in environ:
            raise Broken
        start_response("200 OK", [])
        return [b"ok"]

    talk = Talk(b"{}")
    with Served(application, threads=1) as served:
        fields = Fields(("break", "1"), ("content-length", "2"))
        with pytest.raises(Broken):
            served.begin(Asked("POST", path, headers=fields), talk).result(SECONDS)
        assert served.ask("POST", path, b"{}").body == b"ok"
    assert talk.answers == []


def test_an_answer_that_breaks_off_is_closed_and_left_to_the_server() -> None:
    def step(number: int) -> None:
        if number:
            raise Broken

    body, talk = Pieces([b"a", b"b"], step), Talk()
    with Served(answering(body), threads=1) as served, pytest.raises(Broken):
        served.begin(Asked(), talk).result(SECONDS)
    assert (talk.answers[0].pieces, body.closed) == ([b"a"], 1)


def test_an_answer_to_a_client_that_is_gone_is_closed_and_nothing_more_of_it_is_made() -> None:
    """That is nothing that the server need log."""
    made: list[int] = []
    body = Pieces([b"a", b"b"], made.append)
    with Served(answering(body), threads=1) as served:
        assert served.begin(Asked(), Talk(gone=True)).result(SECONDS).pieces == []
        assert (made, body.closed) == ([0], 1)
        assert served.ask("GET", "/-/live").body == b"ab"


@pytest.mark.parametrize(
    "fields", [[("content-length", "6")], [("transfer-encoding", "chunked")]], ids=["loop", "thread"]
)
@pytest.mark.parametrize("broken", [False, True])
def test_a_body_is_read_whole_or_is_known_to_have_broken_off(fields: list[tuple[str, str]], broken: bool) -> None:
    """On the loop nothing of one that broke off is there, which its declared length tells."""
    with Served(echo) as served:
        answer = served.begin(
            Asked("POST", PRODUCE, headers=Fields(*fields)), Talk(b"abc", b"def", broken=broken)
        ).result(SECONDS)
        on_the_loop = served.served_on == ["loop"]
    whole = b"" if on_the_loop else b"the body broke off"
    assert answer.body == (whole if broken else b"abcdef")


def test_requests_beyond_the_threads_wait_for_one() -> None:
    go = threading.Event()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        del environ
        assert go.wait(SECONDS)
        start_response("200 OK", [])
        return [b"ok"]

    with Served(application, threads=2) as served:
        asked: list[Future[Answer]] = [served.send("GET", "/-/live") for _ in range(5)]
        served.turn()
        assert len(served.served_on) <= 2
        go.set()
        assert [each.result(SECONDS).status for each in asked] == [200] * 5
