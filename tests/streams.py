"""What tests say to the streams of the v3 API, and how they read the answers."""

import json
from typing import Any

from tests.parts import Shim

GOOD = '{"value":{"type":"JSONSCHEMA","data":{"id":1}}}'
BAD = '{"value":{"data":{"id":"x"}}}'
URL = "/v3/clusters/c/topics/orders/records"


def parsed(answer: bytes | str) -> list[dict[str, Any]]:
    """Return the lines of an answer, each of which ends with CR and LF."""
    text = answer if isinstance(answer, str) else answer.decode()
    assert not text or text.endswith("\r\n")
    return [json.loads(line) for line in text.split("\r\n")[:-1]]


def lines(shim: Shim, body: str | bytes) -> list[dict[str, Any]]:
    """Send a stream and return its lines."""
    answer = shim.stream("orders", body)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return parsed(answer.data)


def codes(shim: Shim, body: str | bytes) -> list[int]:
    return [line["error_code"] for line in lines(shim, body)]
