"""HTTP servers on the loopback that stand in for a schema registry: a faithful one, and ones that misbehave."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import get_args
from urllib.parse import unquote, urlsplit

from jsonschema_bridge.errors import (
    RegistryError,
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry import MemoryRegistry, RegisteredSchema, Schema, SchemaKind, SchemaReference

_KINDS: dict[str, SchemaKind] = {kind: kind for kind in get_args(SchemaKind)}

CODES: dict[type[RegistryError], tuple[int, int]] = {
    SubjectNotFound: (404, 40401),
    VersionNotFound: (404, 40402),
    SchemaNotFound: (404, 40403),
    SchemaNotInSubject: (404, 40403),
    SchemaRefused: (422, 42201),
}


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


def registry_over_http(content: MemoryRegistry) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one case per route
    """Return a handler that answers the routes of Confluent Schema Registry from a memory registry."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            match self.segments():
                case ["schemas", "types"]:
                    self.answer(200, list(_KINDS))
                case ["schemas", "ids", schema_id]:
                    self.attempt(lambda: body_of(content.schema(int(schema_id))))
                case ["subjects", subject, "versions"]:
                    self.attempt(lambda: list(content.versions(subject)))
                case ["subjects", subject, "versions", version]:
                    self.attempt(lambda: body_of_version(content.registered(subject, int(version))))
                case _:
                    self.answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})

        def do_POST(self) -> None:
            schema = self.schema_sent()
            match self.segments():
                case ["subjects", subject]:
                    self.attempt(lambda: body_of_version(content.lookup(subject, schema)))
                case ["subjects", subject, "versions"]:
                    self.attempt(lambda: {"id": content.register(subject, schema).schema_id})

        def do_DELETE(self) -> None:
            match self.segments():
                case ["subjects", subject, "versions", version]:
                    self.attempt(lambda: content.delete(subject, int(version))[0])

    return Handler


def always(status: int, body: str, content_type: str = "application/json") -> type[BaseHTTPRequestHandler]:
    """Return a handler that gives one answer to everything."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            self.send(status, body, content_type)

        def do_POST(self) -> None:
            self.schema_sent()
            self.send(status, body, content_type)

    return Handler


def guarded(authorization: str) -> type[BaseHTTPRequestHandler]:
    """Return a handler that lists version 1 of every subject to those who send this `Authorization`."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            if self.headers["Authorization"] == authorization:
                self.answer(200, [1])
            else:
                self.answer(401, {"error_code": 401, "message": "Unauthorized"})

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


def body_of(schema: Schema) -> dict[str, object]:
    """Return a schema as the registry answers it: `schemaType` is left out for Avro."""
    body: dict[str, object] = {"schema": schema.text}
    if schema.kind != "AVRO":
        body["schemaType"] = schema.kind
    if schema.references:
        body["references"] = [
            {"name": each.name, "subject": each.subject, "version": each.version} for each in schema.references
        ]
    return body


def body_of_version(entry: RegisteredSchema) -> dict[str, object]:
    """Return a version as the registry answers it."""
    named = {"subject": entry.subject, "version": entry.version, "id": entry.schema_id}
    return {**named, **body_of(entry.schema)}


class _Silent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.5  # ends the threads of idle connections

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing."""

    def segments(self) -> list[str]:
        return [unquote(each) for each in urlsplit(self.path).path.strip("/").split("/")]

    def schema_sent(self) -> Schema:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        references = tuple(SchemaReference(**each) for each in body.get("references") or ())
        return Schema(body["schema"], _KINDS[body.get("schemaType", "AVRO")], references)

    def attempt(self, function: Callable[[], object]) -> None:
        try:
            self.answer(200, function())
        except RegistryError as error:
            status, code = CODES[type(error)]
            self.answer(status, {"error_code": code, "message": str(error)})

    def answer(self, status: int, body: object) -> None:
        self.send(status, json.dumps(body), "application/vnd.schemaregistry.v1+json")

    def send(self, status: int, body: str, content_type: str) -> None:
        payload = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
