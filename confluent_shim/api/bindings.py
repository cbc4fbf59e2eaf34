"""`/-/bindings` and `/-/history`: the topic map over HTTP."""

import hmac
import json
import re
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from confluent_shim.administration import Administration, Author
from confluent_shim.api.answers import encode
from confluent_shim.api.facts import facts_of
from confluent_shim.api.negotiation import PLAIN_JSON, embedded_format
from confluent_shim.api.wire_v2 import read_request
from confluent_shim.errors import AdminSwitchedOff, AdminTokenMissing, BodyUnreadable
from confluent_shim.records import EmbeddedFormat
from confluent_shim.services import Services
from confluent_shim.settings import Secret
from jsonschema_bridge import JsonUnreadable, read_json, utf8
from topic_map import Binding, binding_from_mapping

_MAX_HISTORY = 1000
_NUMBER = re.compile(r"[0-9]{1,18}")
_ENTITY_TAG = re.compile(rf'("?)({_NUMBER.pattern})\1')


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
        found = msgspec.to_builtins(services.inventory.absences()) if _flag("check") else {}
        answer = _json({"revision": table.revision, "bindings": rows, **found})
        answer.set_etag(str(table.revision))  # what If-Match takes
        return answer

    @routes.get("/bindings/<topic>")
    def one(topic: str) -> Response:
        return _json(_plain(administration.binding(topic)))

    @routes.get("/bindings/<topic>/versions")
    def versions(topic: str) -> Response:
        return _json(administration.versions(topic).told())

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
        incoming = read_request(request.get_data(), topic, _format_to_validate())
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

    _derivation(routes, administration, token)
    return routes


def _derivation(routes: Blueprint, administration: Administration, token: Secret | None) -> None:
    """Add the routes of what is derived for a topic."""

    @routes.get("/bindings/<topic>/derivation")
    def look(topic: str) -> Response:
        return _json(administration.derivation(topic).told())

    @routes.post("/bindings/<topic>/derivation")
    def register(topic: str) -> Response:
        _author(token)
        return _json(administration.derive(topic).told())


def _author(token: Secret | None) -> Author:
    """Check that the request may change the table, and tell on whose behalf it does."""
    if token is None:
        raise AdminSwitchedOff
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token.reveal().encode()):
        raise AdminTokenMissing
    return Author(request.args.get("who") or f"http {request.remote_addr or 'unknown'}", request.args.get("why", ""))


def _fields(topic: str) -> dict[str, Any]:
    """Read the fields of a binding; a body that got lost on the way is no binding with defaults."""
    try:
        fields = read_json(utf8(request.get_data()))
    except JsonUnreadable as error:
        raise BodyUnreadable(f"The body must be a JSON object with the fields of a binding: {error}") from error
    if not isinstance(fields, dict):
        raise BodyUnreadable("The body must be a JSON object with the fields of a binding")
    if fields.setdefault("topic", topic) != topic:
        raise BodyUnreadable(f"topic: the path says {topic}, the body says {fields['topic']}")
    return fields


def _schema(value: object) -> str | None:
    """Take a schema as text or as a JSON object."""
    if value is None or isinstance(value, str):
        return value
    # The standard library writes every number as it was read; msgspec has none beyond 64 bits.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _format_to_validate() -> EmbeddedFormat:
    """Return the embedded format of what is to be judged: `application/json`, or no type at all, is plain JSON."""
    content_type = request.content_type
    if not content_type or content_type.partition(";")[0].strip().lower() == PLAIN_JSON:
        return "json"
    return embedded_format(content_type)


def _flag(name: str) -> bool:
    value = request.args.get(name, "false")
    if value not in ("true", "false", ""):
        raise BodyUnreadable(f"{name}: must be true or false, not {value}")
    return value != "false"


def _limit() -> int:
    value = request.args.get("limit", "100")
    if not _NUMBER.fullmatch(value):
        raise BodyUnreadable(f"limit: must be a number of entries, not {value}")
    return min(int(value), _MAX_HISTORY)


def _expected_revision() -> int | None:
    """Read the table's revision that the client saw, from `If-Match: "7"`."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    found = _ENTITY_TAG.fullmatch(header.strip())
    if found is None:
        raise BodyUnreadable(f"If-Match: must be a revision of the table, not {header}")
    return int(found[2])


def _plain(binding: Binding) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(binding)
    return plain


def _json(document: dict[str, Any]) -> Response:
    return Response(encode(document), content_type=PLAIN_JSON)
