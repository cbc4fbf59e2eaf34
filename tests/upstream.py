"""A stand-in for a REST Proxy: it keeps what it was sent, and echoes it or answers as a test says."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from confluent_shim.settings import Cluster, RegistryEndpoint, RestProxyEndpoint
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.upstream import Answer
from tests.parts import Shim, memory_shim


class Received(NamedTuple):
    """A request as it came in; `headers` keep order, spelling and repeats, `body` is what the framing held."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header that was sent once, or None."""
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(values) <= 1, values
        return values[0] if values else None


class Handler(BaseHTTPRequestHandler):
    """One connection. `play`, where a test sets it, answers instead of the echo."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    server: "Proxy"

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def handle_any(self) -> None:
        play = self.server.play
        if play is not None:
            play(self)
            return
        received = self.receive()
        self.answer(200, received._replace(body=b"")._asdict() | {"body": received.body.decode("latin-1")})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - that module's names

    def end_headers(self) -> None:
        if not self.server.keeps_connections:
            self.send_header("Connection", "close")
        super().end_headers()

    def receive(self) -> Received:
        """Read the whole request and note it."""
        received = Received(self.command, self.path, list(self.headers.items()), b"".join(self.pieces()))
        self.server.received.append(received)
        return received

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives: chunk by chunk, or whole."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, status: int, document: Any, **headers: str) -> None:
        """Answer with JSON and a Content-Length."""
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin_chunks(self, **headers: str) -> None:
        """Begin an answer of unknown length."""
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "Transfer-Encoding": "chunked", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """Send a piece of it; an empty one ends it."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - that module's name
        """Say nothing."""


class Proxy(ThreadingHTTPServer):
    """The server; `received` are the requests so far, `connections` how many were opened."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, *, keeps_connections: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.keeps_connections = keeps_connections
        self.received: list[Received] = []
        self.connections = 0
        self.play: Callable[[Handler], None] | None = None

    @property
    def url(self) -> str:
        scheme = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        return f"{scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a test hangs up."""


@contextmanager
def echoing(*, keeps_connections: bool = True, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Serve until the block ends; connections must have been closed by then."""
    proxy = Proxy(keeps_connections=keeps_connections)
    if tls is not None:
        proxy.socket = tls.wrap_socket(proxy.socket, server_side=True)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def whole(answer: Answer) -> bytes:
    """Read an answer to its end."""
    try:
        return b"".join(answer)
    finally:
        answer.close()


Start = Callable[..., Shim]


@contextmanager
def starting(proxy: Proxy) -> Iterator[Start]:
    """Give what starts a shim whose default cluster has the upstream, and whose other clusters have none."""
    with ExitStack() as running:

        def start(
            others: dict[str, MemorySink] | None = None, rest_proxy: dict[str, Any] | None = None, **changes: Any
        ) -> Shim:
            registry = RegistryEndpoint(url="memory:")
            clusters = {name: Cluster(registry=RegistryEndpoint(url=f"memory:{name}")) for name in others or ()}
            endpoint = RestProxyEndpoint(**{"url": proxy.url, **(rest_proxy or {})})
            clusters["default"] = Cluster(registry=registry, rest_proxy=endpoint)
            return running.enter_context(memory_shim(others, clusters=clusters, **changes))

        yield start
