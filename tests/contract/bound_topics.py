"""Replaying an exchange with its topic bound to the schema that it has for values."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from jsonschema_bridge import Schema
from tests.contract.deliberate import Case
from tests.contract.recorded_setup import TOPIC, Scene, recorded_setup
from tests.contract.transcripts import Answer, Difference, Exchange, answer_of, differences

Setup = Callable[[Exchange, Callable[[Scene], None]], AbstractContextManager[Scene]]


def has_schema(exchange: Exchange) -> bool:
    """Tell whether there is a schema to bind; plain JSON is bound to one that takes anything."""
    if exchange.route != "v2" or not exchange.is_for_its_topic or "sr" in exchange.setup:
        return False
    if exchange.format in ("binary", "protobuf"):
        return False
    return exchange.format != "avro" or _value_schema(exchange) is not None


def bound(exchange: Exchange, setup: Setup = recorded_setup) -> tuple[Case, Sequence[Difference]]:
    """Bind the topic, and its keys if they have a schema, and replay the exchange in what `setup` gives.

    Where the schema cannot be bound, the answer to that is what the exchange is compared with.
    """
    refusals: list[Answer] = []

    def bind(scene: Scene) -> None:
        schema = _value_schema(exchange)
        fields: dict[str, Any] = {"encoding": "avro" if exchange.format == "avro" else "json-schema"}
        if schema is not None or exchange.format != "avro":
            fields["schema"] = "true" if schema is None else schema
        key_schema = _claimed(exchange, "key_schema")
        if key_schema is not None:
            scene.shim.registry.register(f"{TOPIC}-key", Schema(key_schema, "AVRO"))
        if key_schema is not None or _registered(exchange, "key") is not None:
            fields |= {"key": "subject", "key_subject": f"{TOPIC}-key"}
        answer = scene.shim.admin("PUT", TOPIC, fields, query="?create_topic=true")
        if answer.status_code != 200:
            refusals.append(answer_of(answer.status_code, None, answer.text, []))

    with setup(exchange, bind) as scene:
        case = Case(exchange, exchange.theirs(), refusals[0] if refusals else scene.ask())
    return case, list(differences(exchange, case.theirs, case.ours, scene.values))


def _value_schema(exchange: Exchange) -> str | None:
    registered = _registered(exchange, "value")
    return registered if registered is not None else _claimed(exchange, "value_schema")


def _registered(exchange: Exchange, part: str) -> str | None:
    for each in exchange.setup.get("register") or ():
        if each["subject"] == f"{{topic}}-{part}":
            text: str = each["schema"]
            return text
    return None


def _claimed(exchange: Exchange, field: str) -> str | None:
    text = exchange.document.get(field) if isinstance(exchange.document, dict) else None
    return text if isinstance(text, str) else None
