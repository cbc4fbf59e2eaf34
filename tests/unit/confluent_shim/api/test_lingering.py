"""A client that is still sending gets its answer at once, and may go on sending for a while."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from confluent_shim.settings import Limits, Server
from tests.doubles import Held
from tests.parts import JSON_SCHEMA, Shim, arriving, memory_shim

LIMIT = 1000


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim(limits=Limits(body_bytes=LIMIT)) as shim:
        shim.bind("orders")
        yield shim


def refused(shim: Shim, body: io.IOBase, **environ: str) -> Iterator[bytes]:
    """Send a body with a Content-Type that is refused, and give the answer as a server would take it."""
    answer = arriving(shim, body, CONTENT_TYPE="text/plain", **environ)
    assert answer.status_code == 415
    return iter(answer.response)  # type: ignore[arg-type]


def test_the_answer_is_out_before_the_rest_is_read(shim: Shim) -> None:
    body = io.BytesIO(b"x" * 500)
    answer = refused(shim, body, CONTENT_LENGTH="500")
    assert b"415" in next(answer)
    assert body.tell() == 0
    assert list(answer) == []
    assert body.tell() == 500


def test_an_answer_without_a_body_gives_nothing_before_the_rest_is_read(shim: Shim) -> None:
    body = io.BytesIO(b"x" * 500)
    answer = arriving(shim, body, CONTENT_TYPE="no type", CONTENT_LENGTH="500")
    assert (answer.status_code, list(answer.response)) == (400, [])
    assert body.tell() == 500


def test_a_body_without_a_length_is_read_as_far_as_two_bodies_may_go(shim: Shim) -> None:
    body = io.BytesIO(b"x" * 5 * LIMIT)
    list(refused(shim, body, HTTP_TRANSFER_ENCODING="chunked"))
    assert body.tell() == 2 * LIMIT


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"CONTENT_LENGTH": str(2 * LIMIT + 1)}, id="far too long"),
        pytest.param({"CONTENT_LENGTH": "500", "HTTP_EXPECT": "100-continue"}, id="asked first"),
    ],
)
def test_a_client_that_will_not_go_on_is_not_waited_for(shim: Shim, environ: dict[str, str]) -> None:
    body = io.BytesIO(b"x" * 5 * LIMIT)
    list(refused(shim, body, **environ))
    assert body.tell() == 0


def test_a_connection_that_breaks_after_the_answer_is_no_error(shim: Shim) -> None:
    class Torn(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError("reset")

    assert len(list(refused(shim, Torn(), CONTENT_LENGTH="500"))) == 1


def test_no_more_clients_are_waited_for_than_leave_a_thread_for_probes() -> None:
    with memory_shim(server=Server(threads=2), limits=Limits(body_bytes=LIMIT)) as shim, ThreadPoolExecutor(1) as pool:
        slow = Held()
        first = pool.submit(list, refused(shim, slow, CONTENT_LENGTH="500"))
        assert slow.entered.wait(30)
        try:
            body = io.BytesIO(b"x" * 500)
            assert len(list(refused(shim, body, CONTENT_LENGTH="500"))) == 1
            assert body.tell() == 0
        finally:
            slow.released.set()
        assert len(first.result()) == 1


def test_what_was_read_is_not_waited_for_again(shim: Shim) -> None:
    reads = []

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(size)
            return super().read(size)

    body = Counted(b'{"records":[{"value":{"id":"one"}}]}')
    answer = arriving(shim, body, CONTENT_TYPE=JSON_SCHEMA, HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, len(list(answer.response))) == (400, 1)
    assert len(reads) == 1
