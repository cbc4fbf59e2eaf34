"""curl and the v3 API."""

import json
import uuid
from typing import NamedTuple

import pytest

from tests.e2e.clients.curl import Curl
from tests.e2e.server import Server
from tests.stack import Stack

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


class Target(NamedTuple):
    """A topic bound to a JSON Schema, and where its records go."""

    topic: str
    records: str


@pytest.fixture
def target(curl: Curl, server: Server, stack: Stack) -> Target:
    """Find the address as the API's user does: the only cluster, and its topics."""
    topic = f"curled-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic, partitions=4)
    server.bind(topic, schema=SCHEMA)
    (cluster,) = curl(f"{server.url}/v3/clusters").document["data"]
    return Target(topic, f"{cluster['topics']['related']}/{topic}/records")


def _record(number: object, **others: object) -> dict[str, object]:
    return {"value": {"type": "JSON", "data": {"id": number}}, **others}


def _text(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def test_a_batch_is_written_but_for_what_does_not_conform(curl: Curl, stack: Stack, target: Target) -> None:
    entries = [_record(7, id="good", partition_id=3), _record("8", id="bad")]
    ran = curl("--json", "@-", f"{target.records}:batch", stdin=_text({"entries": entries}))
    (success,), (failure,) = ran.document["successes"], ran.document["failures"]
    assert ran.facts["http_code"] == 207
    assert (success["id"], failure["id"], failure["error_code"]) == ("good", "bad", 400)
    assert "/id" in failure["message"]
    (record,) = stack.read_all(target.topic)
    assert (record.partition, record.offset) == (success["partition_id"], success["offset"]) == (3, 0)
    assert record.value == b"\0" + success["value"]["schema_id"].to_bytes(4, "big") + b'{"id":7}'
