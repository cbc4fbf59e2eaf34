"""`/-/bindings` and `/-/history`: the topic map over HTTP."""

import hmac
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from confluent_shim.administration import Author
from confluent_shim.api.answers import encode
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import PLAIN_JSON, embedded_format
from confluent_shim.api.wire_v2 import read_request
from confluent_shim.errors import AdminSwitchedOff, AdminTokenMissing, BodyUnreadable
from confluent_shim.services import Services
from confluent_shim.settings import Secret
from topic_map import Binding, binding_from_mapping

_MAX_HISTORY = 1000
_V2_TYPE = "application/vnd.kafka.jsonschema.v2+json"


def blueprint(services: Services) -> Blueprint:
    """Return the routes of the topic map; those that change it need the admin token."""
    routes = Blueprint("bindings", __name__, url_prefix="/-")
    administration, token = services.administration, services.settings.admin_token

    @routes.before_request
    def note() -> None:
        facts_of(request.environ).route = "bindings"

    @routes.get("/bindings")
    def every() -> Response:
        table = administration.table()
        rows = [_plain(binding) for _, binding in sorted(table.bindings.items())]
        return _json({"revision": table.revision, "bindings": rows})

    @routes.get("/bindings/<topic>")
    def one(topic: str) -> Response:
        return _json(_plain(administration.binding(topic)))

    @routes.put("/bindings/<topic>")
    def bind(topic: str) -> Response:
        author = _author(token)
        fields = _fields(topic)
        binding = administration.bind(
            binding_from_mapping({name: value for name, value in fields.items() if name != "schema"}),
            author,
            schema=_schema(fields.get("schema")),
            create_topic=_flag("create_topic"),
            replace_existing=_flag("replace"),
            expected_revision=_expected_revision(),
        )
        return _json(_plain(binding))

    @routes.delete("/bindings/<topic>")
    def unbind(topic: str) -> Response:
        revision = administration.unbind(topic, _author(token), expected_revision=_expected_revision())
        return _json({"topic": topic, "revision": revision})

    @routes.get("/bindings/<topic>/history")
    def history(topic: str) -> Response:
        entries = administration.history(topic, _limit())
        return _json({"topic": topic, "history": msgspec.to_builtins(entries)})

    @routes.get("/history")
    def whole_history() -> Response:
        return _json({"history": msgspec.to_builtins(administration.history(None, _limit()))})

    @routes.post("/bindings/<topic>/validate")
    def validate(topic: str) -> Response:
        content_type = request.content_type or _V2_TYPE
        incoming = read_request(
            request.get_data(),
            topic,
            embedded_format(_V2_TYPE if content_type == PLAIN_JSON else content_type),
        )
        verdict = administration.validate(incoming)
        return _json(
            {
                "topic": topic,
                "records": len(incoming.records),
                "subject": verdict.binding.subject,
                "version": verdict.schema.version,
                "value_schema_id": verdict.schema.schema_id,
            }
        )

    return routes


def _author(token: Secret | None) -> Author:
    """Check that the request may change the table, and tell on whose behalf it does."""
    if token is None:
        raise AdminSwitchedOff
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(sent, token.reveal().encode()):
        raise AdminTokenMissing
    return Author(request.args.get("who") or f"http {request.remote_addr or 'unknown'}", request.args.get("why", ""))


def _fields(topic: str) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(request.get_data() or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise BodyUnreadable(f"The body must be a JSON object with the fields of a binding: {error}") from error
    if fields.setdefault("topic", topic) != topic:
        raise BodyUnreadable(f"topic: the path says {topic}, the body says {fields['topic']}")
    return fields


def _schema(value: object) -> str | None:
    """Take a schema as text or as a JSON object."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _flag(name: str) -> bool:
    value = request.args.get(name, "false")
    if value not in ("true", "false", ""):
        raise BodyUnreadable(f"{name}: must be true or false, not {value}")
    return value != "false"


def _limit() -> int:
    value = request.args.get("limit", "100")
    if not value.isascii() or not value.isdigit():
        raise BodyUnreadable(f"limit: must be a number of entries, not {value}")
    return min(int(value), _MAX_HISTORY)


def _expected_revision() -> int | None:
    """Read the table's revision that the client saw, from `If-Match: "7"`."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    try:
        return int(header.strip('" '))
    except ValueError as error:
        raise BodyUnreadable(f"If-Match: must be a revision of the table, not {header}") from error


def _plain(binding: Binding) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(binding)
    return plain


def _json(document: dict[str, Any]) -> Response:
    return Response(encode(document), content_type=PLAIN_JSON)
