"""What a real Confluent stack answered, and what a shim with the schema bound answers to the same request."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from jsonschema_bridge import Schema
from tests.parts import AVRO, Shim, memory_shim
from tests.shared_data import TRANSCRIPTS


class Difference(NamedTuple):
    """Where a bound topic answers otherwise than Confluent, on purpose."""

    status: int
    code: int | None
    why: str


_NULL_WITHOUT_KEY = "a null value without a key is refused: it deletes nothing (decision 16)"

DIFFERENCES = {
    "B4": Difference(400, 400, _NULL_WITHOUT_KEY),
    "B5": Difference(400, 400, _NULL_WITHOUT_KEY),
    "D32": Difference(400, 400, _NULL_WITHOUT_KEY),
    "X122": Difference(400, 400, _NULL_WITHOUT_KEY),
    "B27": Difference(400, 400, "duplicate keys have two readings; Confluent keeps the last"),
    "X47": Difference(400, 400, "a lone surrogate is no Unicode text; Confluent writes it as a question mark"),
    "X48": Difference(400, 400, "1e400 is beyond a double; Confluent writes the text Infinity"),
    "D33": Difference(200, None, "without value_schema the bound one is taken"),
    "X77": Difference(422, 42294, "a schema that does not compile is refused when it is bound, not at each produce"),
    "X78": Difference(422, 42294, "same"),
    "X126": Difference(422, 42207, "producers never register, so there is nothing to be incompatible with"),
    "X146": Difference(404, 404, "a negative partition in the path is no path; Confluent answers 500"),
    "X301": Difference(200, None, "recorded with the registry down; here it answers"),
}

DEFAULTS_INJECTED = {"D60"}
"""Where Confluent writes the schema's defaults into the value; a bound topic keeps the value's bytes."""


def _exchanges() -> Iterator[dict[str, Any]]:
    for line in TRANSCRIPTS.read_text().splitlines():
        exchange = json.loads(line)
        request, setup = exchange["request"], exchange["setup"]
        if not request["path"].startswith("/topics/{topic}") or request["method"] == "GET":
            continue
        if setup.get("proxy") != "rest" or exchange["id"].startswith("O"):
            continue
        content_type = _content_type(request)
        if content_type is None or "avro" in content_type or "protobuf" in content_type or "binary" in content_type:
            continue
        if "body_gen" in request or "gzip" in request or "accept-encoding" in _headers(request):
            continue
        yield exchange


def _headers(request: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (request.get("headers") or {}).items()}


def _content_type(request: Mapping[str, Any]) -> str | None:
    return _headers(request).get("content-type")


ELSEWHERE = {
    "X55": "the recorded answer is cut",
    "X147": "a partition that is not there: the Kafka sink's contract suite",
}
EXCHANGES = {exchange["id"]: exchange for exchange in _exchanges() if exchange["id"] not in ELSEWHERE}


def _document(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _schema_of(exchange: Mapping[str, Any]) -> str:
    """Return the schema to bind: what the exchange registers for values, else what its request carries."""
    for registered in exchange["setup"].get("register") or ():
        if registered["subject"] == "{topic}-value":
            text: str = registered["schema"]
            return text
    document = _document(exchange["request"].get("body") or "")
    inline = document.get("value_schema") if isinstance(document, dict) else None
    return inline if isinstance(inline, str) else "true"


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        yield shim


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_a_bound_topic_answers_as_confluent_did_or_differs_on_purpose(name: str, shim: Shim) -> None:
    exchange = EXCHANGES[name]
    request, theirs = exchange["request"], exchange["response"]
    bound = shim.admin("PUT", "t", {"schema": _schema_of(exchange)}, query="?create_topic=true")
    if bound.status_code == 200:
        answer = shim.client.open(
            request["path"].replace("{topic}", "t"),
            method=request["method"],
            data=(request.get("body") or "").encode(request.get("encoding", "utf-8")),
            headers=request.get("headers") or {},
        )
    else:
        answer = bound
    ours = answer.get_json(force=True, silent=True)
    code = ours.get("error_code") if isinstance(ours, dict) else None
    difference = DIFFERENCES.get(name)
    if difference is not None:
        assert (answer.status_code, code) == (difference.status, difference.code), answer.text
        return
    expected = _document(theirs["body"])
    assert answer.status_code == theirs["status"], answer.text
    assert code == (expected or {}).get("error_code"), answer.text
    assert answer.headers.get("Content-Type") == theirs["headers"].get("content-type")
    if answer.status_code == 200:
        assert _stable(ours) == _stable(expected)
        if name not in DEFAULTS_INJECTED:
            assert _landed(shim) == _landed_there(exchange)
    elif theirs["status"] != 400 and ours is not None:
        # Behind 400 stands the Java parser's or validator's own text; all others are part of the contract.
        assert ours["message"] == expected["message"].split("\n")[0]


def _keyed() -> dict[str, dict[str, Any]]:
    """Find the exchanges with keys in Avro, in which nothing went wrong."""
    exchanges = [json.loads(line) for line in TRANSCRIPTS.read_text().splitlines()]
    return {
        exchange["id"]: exchange
        for exchange in exchanges
        if exchange["request"]["path"] == "/topics/{topic}"
        and exchange["setup"].get("proxy") == "rest"
        and "avro" in (_content_type(exchange["request"]) or "")
        and exchange["response"]["status"] == 200
        and "key_schema" in (_document(exchange["request"].get("body") or "") or {})
    }


KEYED = _keyed()


@pytest.mark.parametrize("name", sorted(KEYED))
def test_keys_with_a_key_subject_land_as_confluents_did(name: str, shim: Shim) -> None:
    exchange = KEYED[name]
    body = json.loads(exchange["request"]["body"])
    shim.registry.register("t-key", Schema(body["key_schema"], "AVRO"))
    shim.bind("t", body["value_schema"], encoding="avro", key="subject", key_subject="t-key")
    answer = shim.produce("t", body, AVRO)
    assert (answer.status_code, answer.get_json()["key_schema_id"]) == (200, 1)
    ours = sorted(record.key or b"" for record in shim.sink.landed("t"))
    theirs = sorted(bytes.fromhex(record["key_frame"]["payload_hex"]) for record in exchange["landed"])
    assert ours == [b"\0\0\0\0\1" + payload for payload in theirs]


def _stable(answer: Any) -> Any:
    """Leave out what differs from run to run, and the id: a bound topic has one for plain JSON too."""
    volatile = {"partition", "offset"}
    offsets = [{k: v for k, v in offset.items() if k not in volatile} for offset in answer["offsets"]]
    return {**answer, "offsets": offsets, "value_schema_id": None}


def _landed(shim: Shim) -> list[tuple[bytes | None, Any]]:
    landed = shim.sink.landed("t")
    return sorted(((r.key, _parsed(None if r.value is None else r.value[5:])) for r in landed), key=repr)


def _landed_there(exchange: Mapping[str, Any]) -> list[tuple[bytes | None, Any]]:
    found = []
    for record in exchange["landed"]:
        framed = record.get("value_frame")
        payload = framed["payload_hex"] if framed else record["value_hex"]
        key = None if record["key_hex"] is None else bytes.fromhex(record["key_hex"])
        found.append((key, _parsed(None if payload is None else bytes.fromhex(payload))))
    return sorted(found, key=repr)


def _parsed(payload: bytes | None) -> Any:
    return None if payload is None else json.loads(payload)
