"""What a real Confluent stack answered on the v3 API, and what a shim answers to the same when the topic is bound.

A topic is bound to the subject that the exchange itself means, keys included; where it means none, to a schema that
takes everything. Where an answer differs, one of DIFFERENCES must say so, by what was sent and what came back.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, NamedTuple, get_args

import pytest

from confluent_shim.settings import Limits
from jsonschema_bridge import Schema
from jsonschema_bridge.registry import SchemaKind
from tests.contract.transcripts import lines_of
from tests.parts import Shim, memory_shim
from tests.rest_proxy import rest_proxy
from tests.shared_data import TRANSCRIPTS

Document = dict[str, Any]
Behind = Literal["Kafka", "REST Proxy"]
"""Where admitted records go."""

KINDS: Mapping[str, SchemaKind] = {"AVRO": "AVRO", "JSON": "JSON", "JSONSCHEMA": "JSON"}
PARTS = ("key", "value")
CUT = "\u2026"
"""How a recorded answer ends that is not whole."""


class Case(NamedTuple):
    """A record that was sent, and both answers to it."""

    sent: Document
    key_subject: bool
    theirs: Document
    ours: Document

    def said(self, part: str) -> Document:
        """Return what was sent as key or value; nothing where there was none."""
        found = self.sent.get(part) if isinstance(self.sent, dict) else None
        return found if isinstance(found, dict) else {}

    def keyword(self) -> object:
        """Return the first reason that we give."""
        return (self.ours.get("errors") or [{}])[0].get("keyword")


class Difference(NamedTuple):
    """Where a bound topic answers otherwise than Confluent, on purpose."""

    why: str
    applies: Callable[[Case], bool]


def _names_a_schema(said: Document) -> bool:
    return bool(said) and said.get("type") not in ("JSON", "BINARY", "STRING")


DIFFERENCES = (
    Difference(
        "a null value without a key is refused: it deletes nothing",
        lambda case: (
            case.theirs["error_code"] == 200 and case.keyword() == "nulls" and case.said("key").get("data") is None
        ),
    ),
    Difference(
        "with a key subject a record needs a key",
        lambda case: case.theirs["error_code"] == 200 and case.keyword() == "key" and case.said("key")["data"] is None,
    ),
    Difference(
        "bytes need the frame of the bound subject",
        lambda case: (
            case.theirs["error_code"] == 200 and case.keyword() == "frame" and case.said("value")["type"] == "BINARY"
        ),
    ),
    Difference(
        "what Confluent answers with 500 is the client's fault",
        lambda case: (case.theirs["error_code"], case.ours["error_code"]) == (500, 400),
    ),
    Difference(
        "a topic that is bound has a schema",
        lambda case: (
            "Error when fetching latest schema version" in case.theirs.get("message", "")
            and case.ours["error_code"] == 200
        ),
    ),
    Difference(
        "without a key subject no schema judges keys, and none can be named",
        lambda case: (
            not case.key_subject
            and _names_a_schema(case.said("key"))
            and case.ours.get("message", "").startswith(("Error: 42291 : ", "Error: 42201 : "))
        ),
    ),
    Difference(
        "`latest` is a version",
        lambda case: case.said("value").get("schema_version") == "latest" and case.ours["error_code"] == 200,
    ),
)

ELSEWHERE: Mapping[str, Callable[[Document], bool]] = {
    "configurations that a shim does not offer, and outages": lambda exchange: (
        exchange["setup"].get("proxy") != "rest" or "phase" in exchange["setup"]
    ),
    "protobuf, which a bound topic refuses": lambda exchange: (
        "PROTOBUF" in json.dumps([exchange["setup"], exchange["request"]])
    ),
    "what Kafka itself refuses: the Kafka sink's contract suite": lambda exchange: (
        "topic_config" in exchange["setup"] or '"partition_id":99' in (exchange["request"].get("body") or "")
    ),
    "topics that are not bound": lambda exchange: "{topic}" not in exchange["request"]["path"],
    "a percent-encoded colon, which WSGI does not tell from a plain one": lambda exchange: (
        "%3A" in exchange["request"]["path"]
    ),
}


def _exchanges() -> Iterator[Document]:
    for line in TRANSCRIPTS.read_text().splitlines():
        exchange = json.loads(line)
        path = exchange["request"]["path"]
        if path.startswith("/v3/") and "/records" in path:
            yield exchange


EVERY = {exchange["id"]: exchange for exchange in _exchanges()}
REPLAYED = {name: each for name, each in EVERY.items() if not any(applies(each) for applies in ELSEWHERE.values())}
used: set[str] = set()
"""The differences that were met."""


class Scene:
    """A shim with what an exchange needs, and the texts of the exchange with its placeholders filled in."""

    def __init__(self, shim: Shim, exchange: Document) -> None:
        self._shim = shim
        self._filled = {"{topic}": "t", "{cluster}": "c", "-{sfx}": "", "{sfx}": ""}
        self.fields: dict[str, Any] = {}
        meant: dict[str, str] = {}
        for each in exchange["setup"].get("register") or ():
            subject = self.fill(each["subject"])
            found = self._register(subject, self.fill(each["schema"]), KINDS[each["schemaType"]])
            part = {"k": "key", "v": "value"}.get(each.get("as"), "")
            self._filled |= {f"{{{part[:1]}id}}": str(found.schema_id), f"{{{part[:1]}ver}}": str(found.version)}
            meant[part] = subject
        self.body = self._body(exchange["request"])
        records = self.records()
        for part in PARTS:
            blocks = [each[part] for each in records if isinstance(each, dict) and isinstance(each.get(part), dict)]
            self._bind_part(part, blocks[0] if blocks else {}, meant.get(part))
        answer = shim.admin("PUT", "t", self.fields, query="?create_topic=true")
        assert answer.status_code == 200, answer.text

    def fill(self, text: str) -> str:
        for name, value in self._filled.items():
            text = text.replace(name, value)
        return text

    def _body(self, request: Document) -> bytes:
        if "body_b64" in request:
            return base64.b64decode(request["body_b64"])
        text = "".join(piece for _, piece in request.get("slow") or ()) or request.get("body") or ""
        for name, (character, count) in (request.get("body_gen") or {}).items():
            text = text.replace(f"{{{name}}}", character * count)
        return self.fill(text).encode()

    def records(self) -> list[Any]:
        """Return the records that were sent."""
        found = lines_of(self.body.decode())
        entries = found[0].get("entries") if len(found) == 1 and isinstance(found[0], dict) else None
        return entries if isinstance(entries, list) else found

    def _bind_part(self, part: str, block: Document, meant: str | None) -> None:
        """Bind to the subject that the request means; a schema that it carries is registered there first."""
        text, kind = block.get("schema"), KINDS.get(str(block.get("type")))
        by_name = block.get("subject_name_strategy") == "RECORD_NAME"
        subject = block.get("subject") or (meant if by_name else None) or f"t-{part}"
        if text and kind:
            try:
                document = json.loads(text)
            except ValueError:
                document = None
            if (
                block.get("subject_name_strategy") == "RECORD_NAME"
                and isinstance(document, dict)
                and "name" in document
            ):
                subject = document["name"]
            if document is not None and not self._kind(subject):
                self._register(subject, text, kind)
        found = self._kind(subject)
        if part == "value":
            if not found:  # there is none, or none that can be read
                found = "AVRO" if kind == "AVRO" else "JSON"
                self._register(subject, '"bytes"' if found == "AVRO" else "true", found)
            self.fields |= {"subject": subject, "encoding": "avro" if found == "AVRO" else "json-schema"}
        elif found:
            self.fields |= {"key": "subject", "key_subject": subject}

    def _register(self, subject: str, text: str, kind: SchemaKind) -> Any:
        return self._shim.registry.register(subject, Schema(text, kind))

    def _kind(self, subject: str) -> SchemaKind | None:
        try:
            versions = self._shim.registry.versions(subject)
        except Exception:  # noqa: BLE001 - it has none
            return None
        return self._shim.registry.registered(subject, versions[-1]).schema.kind


@contextmanager
def played(exchange: Document, behind: Behind) -> Iterator[tuple[Shim, Scene]]:
    with ExitStack() as running:
        parts: dict[str, Any] = {"limits": Limits(record_bytes=2_000_000)}
        if behind == "REST Proxy":
            proxy, kafka = running.enter_context(rest_proxy(limits=Limits(record_bytes=4_000_000)))
            kafka.create_topic("t")  # which a REST Proxy may not do
            parts |= {"proxy_url": proxy.url, "sink": kafka}
        shim = running.enter_context(memory_shim(**parts))
        yield shim, Scene(shim, exchange)


@pytest.mark.parametrize("behind", get_args(Behind))
@pytest.mark.parametrize("name", sorted(REPLAYED))
def test_a_bound_topic_answers_as_confluent_did_or_differs_on_purpose(name: str, behind: Behind) -> None:
    exchange = REPLAYED[name]
    request, response = exchange["request"], exchange["response"]
    with played(exchange, behind) as (shim, scene):
        answer = shim.client.open(
            scene.fill(request["path"]),
            method=request["method"],
            data=scene.body,
            headers=request.get("headers") or {},
            buffered=True,
        )
        landed = shim.sink.landed("t")
    assert answer.status_code == response["status"], answer.text
    assert answer.headers.get("Content-Type") == response["headers"].get("content-type")
    theirs, ours = told(scene.fill(response["body"] or "")), told(answer.text)
    if (response["body"] or "").endswith(CUT):
        ours = ours[: len(theirs)]
    assert len(ours) == len(theirs), answer.text
    sent = scene.records()
    differs = False
    for index, (there, here) in enumerate(zip(theirs, ours, strict=True)):
        record = sent[index] if index < len(sent) else {}
        case = Case(record, "key_subject" in scene.fields, there, here)
        found = [each.why for each in DIFFERENCES if there["error_code"] != here["error_code"] and each.applies(case)]
        used.update(found[:1])
        differs = differs or bool(found)
        if not found:
            assert here["error_code"] == there["error_code"], (here, there)
            assert stable(here, case) == stable(there, case)
    if not differs and not any("value_len" in each for each in exchange["landed"] or ()):
        assert sorted(map(_landed_here, landed), key=repr) == sorted(
            map(_landed_there, exchange["landed"] or ()), key=repr
        )


def told(body: str) -> list[Document]:
    """Return the answers in a body, one per record, in order; a batch's entries get the code of a line."""
    found = lines_of(body)
    if len(found) != 1 or "successes" not in found[0]:
        return found
    successes = [{"error_code": 200, **each} for each in found[0]["successes"]]
    return sorted([*successes, *found[0]["failures"]], key=lambda each: int(each["id"]))


def stable(answer: Document, case: Case) -> Document:
    """Leave out what differs from run to run, and what the page on compatibility says of success and of messages."""
    if answer["error_code"] != 200:
        kept = {"error_code": answer["error_code"], "id": answer.get("id")}
        message = answer["message"]
        if answer["error_code"] == 422:
            # The reason behind the code is ours where it tells of the binding.
            return {**kept, "message": message[: len("Error: 42207 : Error serializing message.")]}
        return kept if answer["error_code"] == 400 else {**kept, "message": message}
    volatile = {"cluster_id", "topic_name", "offset", "timestamp", "partition_id"}
    stays = {field: value for field, value in answer.items() if field not in volatile}
    if isinstance(case.sent, dict) and "partition_id" in case.sent and case.sent["partition_id"] is not None:
        stays["partition_id"] = answer["partition_id"]
    if isinstance(case.sent, dict) and case.sent.get("timestamp") is not None:
        stays["timestamp"] = answer["timestamp"]
    for part in PARTS:
        if part in stays:
            stays[part] = _block(part, stays[part], case)
    return stays


def _block(part: str, block: Document, case: Case) -> Document:
    if part == "value" and block["type"] in ("JSON", "STRING"):
        return {"type": block["type"]}  # a plain value is framed, and the answer tells by which schema
    stays = {field: value for field, value in block.items() if field != "schema_id"}
    if case.said(part).get("schema_version") == -1:
        del stays["schema_version"]  # which is answered as the number that it stands for
    return stays


Landed = tuple[Any, Any, Sequence[tuple[str, bytes | None]]]


def _landed_here(record: Any) -> Landed:
    headers = tuple(record.extras.headers) if record.extras else ()
    return _payload(record.key), _payload(record.value), headers


def _landed_there(record: Document) -> Landed:
    headers = tuple(
        (name, None if value is None else bytes.fromhex(value)) for name, value in record.get("headers") or ()
    )
    return _recorded(record, "key"), _recorded(record, "value"), headers


def _recorded(record: Document, part: str) -> Any:
    text = record.get(f"{part}_hex")
    return None if text is None else _payload(bytes.fromhex(text))


def _payload(landed: bytes | None) -> Any:
    """Return what is behind the frame, JSON as what it says: a shim keeps its bytes, and writes plain texts as JSON."""
    if landed is None:
        return None
    payload = landed[5:] if landed[:1] == b"\0" and len(landed) >= 5 else landed
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode() if payload.isascii() else payload


def test_every_difference_is_met() -> None:
    """A reason that nothing needs any more goes."""
    for name in REPLAYED:
        test_a_bound_topic_answers_as_confluent_did_or_differs_on_purpose(name, "Kafka")
    assert used == {difference.why for difference in DIFFERENCES}


def test_what_is_not_replayed_is_so_for_a_reason_that_applies() -> None:
    """Most exchanges are replayed, and each reason has its exchanges."""
    assert len(REPLAYED) > len(EVERY) * 0.6
    for why, applies in ELSEWHERE.items():
        assert any(map(applies, EVERY.values())), why
