"""What Confluent 7.9.9 took and refused under an Avro schema, we take and refuse, and the same bytes land."""

import json
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema as ConfluentSchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from jsonschema_bridge.avro import AvroCodec, compile_avro
from jsonschema_bridge.errors import JsonUnreadable, SchemaInvalid
from jsonschema_bridge.framing import frame
from jsonschema_bridge.json_text import read_json
from jsonschema_bridge.registry.model import Schema
from tests import shared_data
from tests.compiling import no_reference
from tests.contract.deliberate import has_surplus_member


def _compiled(text: str) -> AvroCodec:
    return compile_avro(Schema(text, "AVRO"), no_reference)


def _encoded(codec: AvroCodec, text: str) -> bytes | list[Any]:
    """Encode a JSON text; one that has no reading (1e400) is refused before any schema is asked."""
    try:
        value = read_json(text.encode())
    except JsonUnreadable as error:
        return [error]
    return codec.encode_json(value)


def _rows() -> list[dict[str, Any]]:
    if not shared_data.PAYLOAD_VERDICTS.is_file():
        return []
    rows = map(json.loads, shared_data.PAYLOAD_VERDICTS.read_text().splitlines())
    # A null is a tombstone before any schema is asked.
    return [row for row in rows if row["format"] == "AVRO" and not row["7.9.9"]["tombstone"]]


def _exchanges() -> list[Any]:
    """Collect (schema, value, payload) of every produce request with an inline Avro schema whose records landed."""
    if not shared_data.TRANSCRIPTS.is_file():
        return []
    found = []
    for exchange in map(json.loads, shared_data.TRANSCRIPTS.read_text().splitlines()):
        landed = [kept["value_frame"]["payload_hex"] for kept in exchange.get("landed") or () if "value_frame" in kept]
        sent = _sent(exchange["request"]) if landed else []
        if len(sent) == len(landed):
            cases = zip(sent, landed, strict=True)
            found += [pytest.param(*case, payload, id=exchange["id"]) for case, payload in cases]
    return found


def _sent(request: dict[str, Any]) -> list[tuple[str, object]]:
    """Collect (schema, value) of the records of a v2 request, or of the one record of a v3 request."""
    try:
        body: Any = read_json(str(request.get("body")).encode())
    except JsonUnreadable:
        return []
    if not isinstance(body, dict):
        return []
    if "avro" in str(request.get("headers")) and "value_schema" in body:
        return [(body["value_schema"], record["value"]) for record in body["records"]]
    value = body.get("value")
    if isinstance(value, dict) and value.get("type") == "AVRO" and isinstance(value.get("schema"), str):
        return [(value["schema"], value["data"])]
    return []


def test_the_recorded_verdicts_are_there() -> None:
    assert len(_rows()) == 44, f"no recorded verdicts at {shared_data.PAYLOAD_VERDICTS}"
    assert _exchanges(), f"no recorded exchanges at {shared_data.TRANSCRIPTS}"


@pytest.mark.parametrize(("schema", "value", "payload"), _exchanges())
def test_a_recorded_exchange_lands_the_bytes_that_landed(schema: str, value: object, payload: str) -> None:
    encoded = _compiled(schema).encode_json(value)

    if has_surplus_member(schema, value):
        assert isinstance(encoded, list)
    elif isinstance(encoded, list):
        assert {violation.keyword for violation in encoded} == {"logicalType"}
    else:
        assert encoded == bytes.fromhex(payload)


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"row-{row['row']}")
def test_confluents_deserializer_reads_what_we_frame(row: dict[str, Any]) -> None:
    codec = _compiled(row["schema"])
    encoded = _encoded(codec, row["instance"])
    if isinstance(encoded, list):
        return
    client = SchemaRegistryClient.new_client({"url": f"mock://row-{row['row']}"})
    schema_id = client.register_schema("orders-value", ConfluentSchema(row["schema"], "AVRO"))

    read = AvroDeserializer(client)(frame(schema_id, encoded), SerializationContext("orders", MessageField.VALUE))

    bare = read.decode("latin-1") if isinstance(read, bytes) else read
    assert bare == codec.decode(encoded) or "logicalType" in row["schema"]


def test_a_recorded_schema_that_is_none_is_refused() -> None:
    with pytest.raises(SchemaInvalid):
        _compiled("foobar")
