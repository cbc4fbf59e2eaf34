"""The body of a request that arrives on the event loop and is read on a thread."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from io import BufferedReader

import pytest

from confluent_shim.asgi import Message
from confluent_shim.asgi.body import MOST_AHEAD, ArrivingBody
from tests.served import SECONDS, LoopThread
from tests.waiting import eventually


class Last(Enum):
    """What comes at the end of a body, and when its client goes away."""

    END = 1
    GONE = 2


END, GONE = Last.END, Last.GONE


class Blocks:
    """The blocks of a body on the server's side: each comes when the test sends it, and `asked` counts the asking."""

    def __init__(self, on: LoopThread) -> None:
        self._on = on
        self._sent: asyncio.Queue[bytes | Last] = asyncio.Queue()
        self.asked = 0

    def send(self, *blocks: bytes | Last) -> None:
        for block in blocks:
            self._on.loop.call_soon_threadsafe(self._sent.put_nowait, block)
        self._on.turn()

    async def receive(self) -> Message:
        self.asked += 1
        block = await self._sent.get()
        if block is GONE:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"" if block is END else block, "more_body": block is not END}


@pytest.fixture
def on() -> Iterator[LoopThread]:
    with LoopThread() as on:
        yield on


@pytest.fixture
def blocks(on: LoopThread) -> Blocks:
    return Blocks(on)


@pytest.fixture
def body(blocks: Blocks, on: LoopThread) -> ArrivingBody:
    return ArrivingBody(blocks.receive, on.loop)


def test_what_is_there_is_read_without_waiting_for_more(blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(b"abc")
    assert BufferedReader(body).read1(100) == b"abc"


def test_a_block_may_be_read_piece_by_piece(blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(b"abcde", b"f", END)
    assert [body.read(2) for _ in range(5)] == [b"ab", b"cd", b"ef", b"", b""]


def test_a_body_is_whole_where_so_much_is_asked_for(blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(b"abc", b"", b"def", b"g", END)
    read = BufferedReader(body)
    assert (read.read(5), read.read(), read.read(1)) == (b"abcde", b"fg", b"")


def test_an_empty_block_is_not_the_end(blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(b"", b"", b"a", END)
    assert body.read(9) == b"a"


def test_nothing_is_asked_for_before_the_first_reading(on: LoopThread, blocks: Blocks, body: ArrivingBody) -> None:
    """A client that waits for 100 is told to go on when its body is asked for."""
    blocks.send(b"abc")
    on.turn()
    assert blocks.asked == 0
    assert body.read(9) == b"abc"


def test_so_much_is_fetched_ahead_of_the_reader_and_no_more(on: LoopThread, blocks: Blocks, body: ArrivingBody) -> None:
    large = b"x" * (MOST_AHEAD // 2 + 1)
    blocks.send(b"a", large, large, b"b", END)
    assert body.read(1) == b"a"
    eventually(lambda: blocks.asked == 3)
    on.turn()
    assert blocks.asked == 3
    assert BufferedReader(body).read() == large + large + b"b"


def test_the_end_is_told_as_often_as_it_is_asked_for(blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(END)
    assert [body.read(9) for _ in range(3)] == [b"", b"", b""]


@pytest.mark.parametrize("came", [(), (b"abc",)], ids=["at once", "later"])
def test_a_body_that_breaks_off_says_so_as_often_as_it_is_read(
    blocks: Blocks, body: ArrivingBody, came: tuple[bytes, ...]
) -> None:
    blocks.send(*came, GONE)
    assert [body.read(9) for _ in came] == list(came)
    for _ in range(2):
        with pytest.raises(OSError, match="broke off"):
            body.read(9)
    assert body.is_gone


def test_behind_a_whole_body_it_is_known_when_the_client_goes_away(
    on: LoopThread, blocks: Blocks, body: ArrivingBody
) -> None:
    blocks.send(b"abc", END)
    assert (body.read(9), body.read(9), body.is_gone) == (b"abc", b"", False)
    blocks.send(GONE)
    eventually(lambda: body.is_gone)
    there = ArrivingBody(blocks.receive, on.loop, b"abc")
    assert (there.read(9), there.read(9), there.is_gone) == (b"abc", b"", False)
    there.ask()
    blocks.send(GONE)
    eventually(lambda: there.is_gone)


@pytest.mark.parametrize(("came", "asked"), [((b"abc", b"d", END), 4), ((b"a" * 9, b"b" * 9, b"c"), 2), ((GONE,), 1)])
def test_what_is_still_sent_is_dropped_until_it_ends_or_is_too_much(
    on: LoopThread, blocks: Blocks, body: ArrivingBody, came: tuple[bytes | Last, ...], asked: int
) -> None:
    blocks.send(*came)
    on.run(body.drop_the_rest(most=10, seconds=0.5))
    on.turn()
    assert blocks.asked == asked
    on.loop.call_soon_threadsafe(body.end)


@pytest.mark.parametrize("came", [(), (b"abc",)], ids=["first", "later"])
def test_a_reader_that_waits_is_let_go_when_the_request_is_over(
    on: LoopThread, blocks: Blocks, body: ArrivingBody, came: tuple[bytes, ...]
) -> None:
    blocks.send(*came)
    for block in came:
        assert body.read(9) == block
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(body.read, 9)
        eventually(lambda: blocks.asked == len(came) + 1)
        try:
            on.loop.call_soon_threadsafe(body.end)
            with pytest.raises(OSError, match="the request is over"):
                reading.result(SECONDS)
        finally:
            blocks.send(END)  # for a reader that was forgotten
    with pytest.raises(OSError, match="the request is over"):
        body.read(9)


def test_nothing_is_asked_for_when_the_request_is_over(on: LoopThread, blocks: Blocks, body: ArrivingBody) -> None:
    blocks.send(b"abc")
    body.end()
    with pytest.raises(OSError, match="the request is over"):
        body.read(9)
    on.turn()
    assert blocks.asked == 0
