"""HTTP servers on the loopback that stand in for a schema registry and misbehave."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 and give the URL; every thread has ended afterwards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def always(status: int, body: str, content_type: str = "application/json") -> type[BaseHTTPRequestHandler]:
    """Return a handler that gives one answer to everything."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            self.send(status, body, content_type)

        def do_POST(self) -> None:
            self.drain()
            self.send(status, body, content_type)

    return Handler


def guarded(authorization: str) -> type[BaseHTTPRequestHandler]:
    """Return a handler that lists version 1 of every subject to those who send this `Authorization`."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            if self.headers["Authorization"] == authorization:
                self.send(200, json.dumps([1]), "application/json")
            else:
                self.send(401, json.dumps({"error_code": 401, "message": "Unauthorized"}), "application/json")

    return Handler


@contextmanager
def hanging() -> Iterator[str]:
    """Accept connections and never answer; give the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The kernel accepts on the listener's behalf; closing it resets the connections that wait.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def dripping(stop: threading.Event) -> Iterator[str]:
    """Answer with an endless header, a byte at a time, until `stop` is set; give the URL."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            try:
                while not stop.wait(0.02):
                    self.wfile.write(b".")
            except OSError:
                return

    with serving(Handler) as url:
        try:
            yield url
        finally:
            stop.set()


def refused() -> str:
    """Return the URL of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class _Silent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.5  # ends the threads of idle connections

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing."""

    def drain(self) -> None:
        """Read the body, so that the connection can go on."""
        self.rfile.read(int(self.headers["Content-Length"]))

    def send(self, status: int, body: str, content_type: str) -> None:
        payload = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
