"""A whole shim in one process, made of the memory implementations, and a client for it."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from confluent_shim.app import create_app
from confluent_shim.services import Services, assemble, open_upstreams
from confluent_shim.settings import Cluster, RegistryEndpoint, RestProxyEndpoint, Secret, Settings
from confluent_shim.sinks import Sink
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.rest_proxy import RestProxySink
from confluent_shim.telemetry import Metrics
from jsonschema_bridge import RegisteredSchema, Schema
from jsonschema_bridge.registry import CachedRegistry, LoggingObserver, MemoryRegistry
from topic_map import MemoryStore

JSON = "application/vnd.kafka.json.v2+json"
AVRO = "application/vnd.kafka.avro.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"
JSON_SCHEMA = "application/vnd.kafka.jsonschema.v2+json"
V2 = "application/vnd.kafka.v2+json"
TOKEN = "admin-token"

ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "dt": {"type": "string", "format": "date-time"},
        "note": {"type": ["string", "null"]},
    },
    "required": ["id"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Shim:
    """The parts of a shim and a client that talks to it."""

    services: Services
    registry: MemoryRegistry
    sink: MemorySink
    client: FlaskClient

    def register(self, subject: str, schema: object) -> RegisteredSchema:
        """Register a JSON Schema, given as a document or as text."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        return self.registry.register(subject, Schema(text, "JSON"))

    def bind(self, topic: str, schema: object = ORDER, **fields: object) -> dict[str, Any]:
        """Bind `topic` through the admin API, making topic and subject as needed."""
        answer = self.admin("PUT", topic, {"schema": schema, **fields}, query="?create_topic=true")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def admin(self, method: str, topic: str, body: object = None, *, query: str = "") -> TestResponse:
        """Send an authorised request to the admin API."""
        return self.client.open(
            f"/-/bindings/{topic}{query}",
            method=method,
            data=json.dumps(body) if body is not None else None,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    def produce(
        self, topic: str, body: bytes | str | Mapping[str, object], content_type: str = JSON_SCHEMA, **headers: str
    ) -> TestResponse:
        """POST `body` to the topic."""
        data = json.dumps(body) if isinstance(body, Mapping) else body
        return self.client.post(
            f"/topics/{topic}",
            data=data,
            headers={"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )

    def send(self, topic: str, *values: object, content_type: str = JSON_SCHEMA) -> TestResponse:
        """POST one record per value."""
        return self.produce(topic, {"records": [{"value": value} for value in values]}, content_type)

    def batch(self, topic: str, *records: Mapping[str, object], **headers: str) -> TestResponse:
        """POST one batch of the v3 API with an entry per record, whose ids are "0", "1" and so on."""
        entries = [{"id": str(index), **record} for index, record in enumerate(records)]
        return self.client.post(
            f"/v3/clusters/c/topics/{topic}/records:batch",
            data=json.dumps({"entries": entries}),
            headers={"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        )

    def stream(self, topic: str, body: bytes | str, **headers: str) -> TestResponse:
        """POST a stream of the v3 API, whose length is declared."""
        return self.client.post(
            f"/v3/clusters/c/topics/{topic}/records",
            data=body,
            headers={"Content-Type": "application/json", **headers},
            buffered=True,  # else the client never closes the answer, as a server does
        )

    @contextmanager
    def open_stream(self, topic: str, read: Callable[[int], bytes], **environ: str) -> Iterator[Iterator[bytes]]:
        """POST a stream whose body comes in chunks, and give the pieces of its answer as they are flushed."""
        with open_stream(self.client.application.wsgi_app, topic, read, **environ) as answer:
            yield answer

    def landed(self, topic: str) -> list[bytes | None]:
        """Return the values that are in the topic."""
        return [record.value for record in self.sink.landed(topic)]


@contextmanager
def open_stream(app: Any, topic: str, read: Callable[[int], bytes], **environ: str) -> Iterator[Iterator[bytes]]:
    """POST a stream to the WSGI application `app` whose body comes in chunks, and give the pieces of its answer."""
    told: list[str] = []
    answer = app(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/v3/clusters/c/topics/{topic}/records",
            "CONTENT_TYPE": "application/json",
            "wsgi.input": SimpleNamespace(read=read),
            **environ,
        },
        lambda status, *_: told.append(status),
    )
    assert told == ["200 OK"]
    try:
        yield (piece for piece in answer if piece)
    finally:
        answer.close()


def arriving(shim: Shim, body: io.IOBase, path: str = "/topics/orders", **environ: str) -> TestResponse:
    """POST a body as it arrives; without CONTENT_LENGTH its length is not declared."""
    overrides = {"CONTENT_TYPE": JSON_SCHEMA, "CONTENT_LENGTH": "", **environ, "wsgi.input": body}
    return shim.client.application.test_client().post(path, environ_overrides=overrides)


def ask(shim: Shim, method: str, target: str, *, server_tells: bool = True, **options: Any) -> TestResponse:
    """Send a request as a server hands it over that tells the target as it was sent, or that only decodes its path."""
    path, _, query = target.partition("?")
    raw = target if server_tells else ""
    environ = {"PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query, "RAW_URI": raw, "REQUEST_URI": raw}
    return shim.client.open("/", method=method, environ_overrides=environ, buffered=True, **options)


@contextmanager
def memory_shim(
    others: Mapping[str, MemorySink] | None = None,
    sink: MemorySink | None = None,
    registry: MemoryRegistry | None = None,
    proxy_url: str = "",
    ttl: float = 0.0,
    **changes: Any,
) -> Iterator[Shim]:
    """Build a shim with the cluster `default`, and `others` at its side; `changes` are settings.

    What its registry answers is remembered for `ttl` seconds. With `proxy_url` its sink is the REST Proxy there, and
    `sink` what lies behind that.
    """
    sink, registry = sink or MemorySink(), registry or MemoryRegistry()
    sinks: dict[str, Sink] = {"default": sink, **(others or {})}
    if proxy_url:
        endpoint = RestProxyEndpoint(url=proxy_url)
        changes["sink"] = "rest-proxy"
        changes["clusters"] = {"default": Cluster(registry=RegistryEndpoint(url="memory:"), rest_proxy=endpoint)}
    settings = Settings(
        store="memory:",
        admin_token=changes.pop("admin_token", Secret(TOKEN)),
        clusters=changes.pop(
            "clusters", {name: Cluster(registry=RegistryEndpoint(url=f"memory:{name}")) for name in sinks}
        ),
        **changes,
    )
    with ExitStack() as opened:
        cached = CachedRegistry(registry, ttl=ttl, observer=LoggingObserver(registry.identity))
        store = MemoryStore(settings.registries())
        metrics = Metrics()
        opened.callback(metrics.close)
        upstreams = open_upstreams(settings)
        for upstream in upstreams.values():
            opened.callback(upstream.close)
        if proxy_url:
            sinks["default"] = RestProxySink(upstreams["default"], lambda _: None)
        services = assemble(settings, store, dict.fromkeys(sinks, cached), sinks, upstreams, metrics, opened.pop_all())
        with create_app(settings, services).test_client() as client:
            yield Shim(services, registry, sink, client)
        services.close()
