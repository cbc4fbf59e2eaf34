"""What Confluent's REST Proxy answered, as it was recorded."""

import json
from typing import Any, NamedTuple

from tests.shared_data import TRANSCRIPTS

# The recorded requests name other types that the proxy does not have; the types of v1 are to it what those are.
_UNKNOWN_CONTENT_TYPE = "X17"
_NOTHING_ACCEPTED = "C10"


class Answer(NamedTuple):
    status: int
    document: Any


def to_a_content_type_it_does_not_have() -> Answer:
    """Return what a produce request in a type of nobody's is answered with."""
    return _recorded(_UNKNOWN_CONTENT_TYPE)


def to_an_accept_header_without_v2() -> Answer:
    """Return what a GET is answered with whose Accept has no type that the proxy can answer in."""
    return _recorded(_NOTHING_ACCEPTED)


def _recorded(name: str) -> Answer:
    exchanges = (json.loads(line) for line in TRANSCRIPTS.read_text().splitlines())
    response = next(exchange["response"] for exchange in exchanges if exchange["id"] == name)
    return Answer(response["status"], json.loads(response["body"]))
