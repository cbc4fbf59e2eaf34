"""What a real Confluent stack told of its Kafka, and what a shim answers to the same request."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.transcripts import exchanges
from tests.parts import Shim, memory_shim

CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ"

ADMINISTRATION = "topics are neither created nor deleted over HTTP without an upstream"
EXCHANGES = {
    each.id: each.recorded for each in exchanges() if each.route == "metadata" and each.setup["proxy"] == "rest"
}
"""What was asked of a proxy with a usual configuration, and does not produce."""
DIFFERENCES = {
    "X189": (405, 405, ADMINISTRATION),
    "X191": (405, 405, ADMINISTRATION),
}


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        yield shim


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_metadata_is_told_as_confluent_told_it_or_differs_on_purpose(name: str, shim: Shim) -> None:
    """Status, type and body are theirs; names, addresses and the keys of a configuration are our own."""
    exchange = EXCHANGES[name]
    request, theirs = exchange["request"], exchange["response"]
    for topic, _ in exchange["setup"].get("topics") or ():
        shim.sink.create_topic(topic.replace("{topic}", "t"))
    if name.startswith("O"):
        shim.sink.close()
    answer = shim.client.open(
        request["path"].replace("{topic}", "t").replace("{cluster}", "memory"),
        method=request["method"],
        data=request.get("body"),
        headers=request["headers"],
    )
    if name in DIFFERENCES:
        status, code, _ = DIFFERENCES[name]
        assert (answer.status_code, answer.get_json(force=True)["error_code"]) == (status, code)
        return
    assert answer.status_code == theirs["status"], answer.text
    assert answer.headers.get("Content-Type") == theirs["headers"].get("content-type")
    assert answer.headers.get("Allow") == theirs["headers"].get("allow")
    assert _document(answer.text, name) == _document(theirs["body"], name)


def test_enough_is_compared() -> None:
    """A path that is spelt otherwise in the recordings must not empty this file."""
    assert len(EXCHANGES) > 35


def _document(body: str, name: str) -> Any:
    """Read an answer, and leave out what no two clusters have in common."""
    if not body.startswith(("{", "[")):
        return body
    text = body.replace("{topic}", "t").replace("{host}", "localhost").replace(CLUSTER, "memory")
    try:
        document = json.loads(text)
    except json.JSONDecodeError:  # a list of topics that was cut when it was recorded
        return list
    if isinstance(document, list):
        return list
    if "configs" in document and "name" in document:
        # Which keys there are depends on the version of Kafka; the memory sink's topics have one partition more.
        document["configs"] = set(map(type, document["configs"].values()))
        document["partitions"] = document["partitions"][:3]
    if "partitions_count" in document:
        document["partitions_count"] = 3
    if name.startswith("O"):
        document.pop("message", None)  # Confluent's client says what it waited for
    return document
