"""The ASGI application as granian runs it: on an event loop of its own thread, and asked as that server asks."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import uvloop

from confluent_shim.asgi import Message, Scope
from confluent_shim.asgi.application import Application
from confluent_shim.settings import Server, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")

SECONDS = 30.0
LOOP = "loop"
"""The name of the thread that runs the loop."""


class LoopThread:
    """An event loop on a thread of its own. What goes wrong on it outside of any task fails the test."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop: asyncio.AbstractEventLoop = loop or uvloop.new_event_loop()
        self._wrong: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self._wrong.append(context))
        self._thread = threading.Thread(target=self.loop.run_forever, name=LOOP, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._let_go())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(SECONDS)
        self.loop.close()
        assert not self._wrong

    async def _let_go(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have the loop run `coroutine`."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Have the loop run `coroutine`, and return what it returns."""
        return self.begin(coroutine).result(SECONDS)

    def turn(self) -> None:
        """Wait until the loop has done what it had to do by now."""
        for _ in range(3):
            self.run(asyncio.sleep(0))


class Fields:
    """The headers of a request: names in small letters, each as often as it came."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        self._fields = fields

    def items(self) -> list[tuple[str, str]]:
        return list(self._fields)


@dataclass
class Asked:
    """What granian tells of a request before its body."""

    method: str = "GET"
    path: bytes | str = "/-/live"
    query: str = ""
    headers: Fields = field(default_factory=Fields)
    http_version: str = "1.1"
    client: str = "127.0.0.1"
    server: str = "127.0.0.1"

    def scope(self) -> Scope:
        """Return it as ASGI has it."""
        return {
            "type": "http",
            "method": self.method,
            "raw_path": self.path.encode() if isinstance(self.path, str) else self.path,
            "query_string": self.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()],
            "http_version": self.http_version,
            "scheme": "http",
            "client": (self.client, "40000"),
            "server": (self.server, "8082"),
        }


class Answer(NamedTuple):
    """An answer: names of headers in small letters, and its body in the pieces in which it was sent."""

    status: int
    headers: Mapping[str, str]
    pieces: list[bytes]
    streamed: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class Talk:
    """One request on granian's side: gives the blocks of its body, and keeps the answer.

    A body with `broken` breaks off behind its blocks. A client that is `gone` cannot be sent any piece.
    """

    def __init__(self, *blocks: bytes, broken: bool = False, gone: bool = False) -> None:
        self._blocks = list(blocks) or [b""]
        self._broken = broken
        self._gone = gone
        self._head: tuple[int, Mapping[str, str]] | None = None
        self.answers: list[Answer] = []

    async def receive(self) -> Message:
        """Give the next block of the body, and behind the last one nothing before the client has gone away."""
        if self._blocks:
            block = self._blocks.pop(0)
            return {"type": "http.request", "body": block, "more_body": bool(self._blocks) or self._broken}
        if not self._broken:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep the head of the answer, and each piece of its body."""
        if message["type"] == "http.response.start":
            headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            self.answers.append(Answer(message["status"], headers, [], streamed=False))
            return
        if self._gone:
            raise OSError("the client is gone")
        if message.get("more_body", False):
            self.answers[-1] = self.answers[-1]._replace(streamed=True)
        if message["body"] or not self.answers[-1].streamed:
            self.answers[-1].pieces.append(message["body"])


class Served:
    """A WSGI application behind the ASGI one, and a client for it."""

    def __init__(self, inner: "WSGIApplication", threads: int = 4) -> None:
        self._on = LoopThread()
        self._inner = inner
        self._settings = Settings(server=Server(threads=threads))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.served_on: list[str] = []
        """On which kind of thread the WSGI application was called each time: that of the loop, or "request"."""

    def _noting(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        self.served_on.append(threading.current_thread().name.partition("_")[0])
        return self._inner(environ, start_response)

    def __enter__(self) -> Self:
        self._on.__enter__()
        self._application = self._on.run(self._made())
        return self

    async def _made(self) -> Application:
        return Application(cast("WSGIApplication", self._noting), self._settings, self._pool)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on.__exit__(kind, error, trace)
        self._pool.shutdown()

    def turn(self) -> None:
        """Wait until the loop has done what it had to do by now."""
        self._on.turn()

    def begin(self, asked: Asked, talk: Talk) -> "Future[Answer]":
        """Send a request; its one answer is there when it is over."""

        async def served() -> Answer:
            await self._application(asked.scope(), talk.receive, talk.send)
            (answer,) = talk.answers
            return answer

        return self._on.begin(served())

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and return its answer."""
        return self.send(method, path, body, **headers).result(SECONDS)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> "Future[Answer]":
        """Send a request whose answer may take its time."""
        path, _, query = path.partition("?")
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if body or method == "POST":
            fields.append(("content-length", str(len(body))))
        return self.begin(Asked(method, path, query, Fields(*fields)), Talk(body))
