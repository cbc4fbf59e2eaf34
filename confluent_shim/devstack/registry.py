"""The development registry: Confluent's routes over a memory registry."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from jsonschema_bridge import RegisteredSchema, Schema, SchemaReference
from jsonschema_bridge.errors import (
    RegistryError,
    SchemaNotFound,
    SchemaNotInSubject,
    SchemaRefused,
    SubjectNotFound,
    VersionNotFound,
)
from jsonschema_bridge.registry import MemoryRegistry

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_CODES: dict[type[RegistryError], tuple[int, int]] = {
    SubjectNotFound: (404, 40401),
    VersionNotFound: (404, 40402),
    SchemaNotFound: (404, 40403),
    SchemaNotInSubject: (404, 40403),
    SchemaRefused: (422, 42201),
}


def registry_app(content: MemoryRegistry) -> Flask:
    """Return an application that answers from `content` as Confluent Schema Registry would."""
    app = Flask("development_registry", static_folder=None)

    @app.get("/schemas/types")
    def types() -> Response:
        return jsonify(["JSON", "AVRO", "PROTOBUF"])

    @app.get("/schemas/ids/<int:schema_id>")
    def by_id(schema_id: int) -> Response:
        return jsonify(_body(content.schema(schema_id)))

    @app.get("/subjects")
    def subjects() -> Response:
        return jsonify(content.subjects())

    @app.get("/subjects/<subject>/versions")
    def versions(subject: str) -> Response:
        return jsonify(content.versions(subject))

    @app.get("/subjects/<subject>/versions/<version>")
    def version(subject: str, version: str) -> Response:
        number = content.versions(subject)[-1] if version in ("latest", "-1") else int(version)
        return jsonify(_body_of_version(content.registered(subject, number)))

    @app.post("/subjects/<subject>")
    def lookup(subject: str) -> Response:
        return jsonify(_body_of_version(content.lookup(subject, _sent())))

    @app.post("/subjects/<subject>/versions")
    def register(subject: str) -> Response:
        return jsonify(id=content.register(subject, _sent()).schema_id)

    @app.delete("/subjects/<subject>/versions/<int:version>")
    def delete(subject: str, version: int) -> Response:
        return jsonify(content.delete(subject, version)[0])

    app.register_error_handler(RegistryError, _refusal)
    return app


def _refusal(error: RegistryError) -> tuple[Response, int]:
    status, code = _CODES[type(error)]
    return jsonify(error_code=code, message=str(error)), status


def _sent() -> Schema:
    body: dict[str, Any] = request.get_json(force=True)
    references = tuple(SchemaReference(**each) for each in body.get("references") or ())
    return Schema(body["schema"], body.get("schemaType", "AVRO"), references)


def _body(schema: Schema) -> dict[str, object]:
    """Return a schema as the registry answers it: `schemaType` is left out for Avro."""
    body: dict[str, object] = {"schema": schema.text}
    if schema.kind != "AVRO":
        body["schemaType"] = schema.kind
    if schema.references:
        body["references"] = [
            {"name": each.name, "subject": each.subject, "version": each.version} for each in schema.references
        ]
    return body


def _body_of_version(entry: RegisteredSchema) -> dict[str, object]:
    named = {"subject": entry.subject, "version": entry.version, "id": entry.schema_id}
    return {**named, **_body(entry.schema)}


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing."""


@contextmanager
def serving(app: "WSGIApplication") -> Iterator[str]:
    """Serve `app` on a free port of 127.0.0.1 from a thread of this process, and give its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, name="development-registry", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
