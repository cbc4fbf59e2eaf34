"""What a real Confluent stack answered, how it is asked of a shim, and where two answers differ.

How to read the recordings, and what of them changes from run to run, is told in the README beside them.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from tests.shared_data import TRANSCRIPTS

Route = Literal["v2", "v3", "batch", "metadata"]
Version = Literal["7.9.9", "8.3.1"]

ADDED = {"errors", "errors_cut", "outcome", "retryable"}
"""Fields that our answers have beside Confluent's."""

_PLACES = {"partition", "offset", "partition_id", "timestamp", "cluster_id"}
_IDS = {"value_schema_id", "key_schema_id", "schema_id"}
_CUT = "…"


class Landed(NamedTuple):
    """A record as it lies in Kafka: payloads without their frames, and the ids in those."""

    key: bytes | None
    value: bytes | None
    key_id: int | None = None
    value_id: int | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Answer(NamedTuple):
    """What came back: a document where the body is one, else its text."""

    status: int | None
    content_type: str | None
    body: Any
    landed: Sequence[Landed] | None = None


class Difference(NamedTuple):
    """Where two answers differ: `status`, `content-type`, `body/offsets/0/error`, `landed/0/value`."""

    where: str
    theirs: object
    ours: object


@dataclass(frozen=True)
class Exchange:
    """One recorded request with what came of it."""

    recorded: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The stable name of the exchange."""
        return str(self.recorded["id"])

    @property
    def setup(self) -> Mapping[str, Any]:
        """What had been done before."""
        found: Mapping[str, Any] = self.recorded["setup"]
        return found

    @property
    def phase(self) -> str:
        """What was broken at the time; empty where nothing was."""
        return self.setup.get("phase") or ""

    @property
    def request(self) -> Mapping[str, Any]:
        """The request, with placeholders."""
        found: Mapping[str, Any] = self.recorded["request"]
        return found

    @property
    def path(self) -> str:
        """The path, with placeholders."""
        return str(self.request["path"])

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, by their names in small letters."""
        return {name.lower(): value for name, value in (self.request.get("headers") or {}).items()}

    @property
    def route(self) -> Route:
        """Which part of the API was asked."""
        path = unquote(self.path.partition("?")[0])
        if path.endswith("/records:batch"):
            return "batch"
        if path.endswith("/records"):
            return "v3"
        produces = self.request["method"] == "POST" and path.startswith("/topics/") and not path.endswith("/partitions")
        return "v2" if produces else "metadata"

    @property
    def format(self) -> str:
        """The embedded format of a v2 request; binary where it names none."""
        found = re.search(r"vnd\.kafka\.(\w+)\.v2", self.headers.get("content-type", "").lower())
        return found[1] if found else "binary"

    @property
    def is_protobuf(self) -> bool:
        """Whether the request names a schema of protobuf, or means one that was registered."""
        registered = {each.get("schemaType") for each in self.setup.get("register") or ()}
        return self.format == "protobuf" or "PROTOBUF" in registered or '"PROTOBUF"' in str(self.request.get("body"))

    @property
    def is_cut(self) -> bool:
        """Whether the answer was recorded by its beginning."""
        return str(self.recorded["response"]["body"]).endswith(_CUT)

    @cached_property
    def document(self) -> Any:
        """The request's body as a document; None where it is none, a list where it is several."""
        return _document(self.request.get("body") or "", None)

    @cached_property
    def body(self) -> bytes:
        """The request's body as it was sent, with placeholders."""
        if "body_b64" in self.request:
            return b64decode(self.request["body_b64"])
        text = "".join(piece for _, piece in self.request.get("slow") or ()) or self.request.get("body") or ""
        for name, (kind, size) in (self.request.get("body_gen") or {}).items():
            filler = "x" * size if kind == "x" else b64encode(b"x" * size).decode()
            text = text.replace(f"{{{name}}}", filler)
        return text.encode(self.request.get("encoding", "utf-8"))

    @property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """The records of a request, as far as there are any."""
        document = self.document
        records = (
            document.get("entries" if self.route == "batch" else "records") if isinstance(document, dict) else None
        )
        if self.route == "v3":
            records = document if isinstance(document, list) else [document]
        return [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []

    @property
    def is_for_its_topic(self) -> bool:
        """Whether the request is for the topic that was made for it."""
        return "/topics/{topic}" in self.path

    @property
    def lands_json(self) -> bool:
        """Whether values land as JSON."""
        if self.route == "v2":
            return self.format in ("json", "jsonschema")
        return "JSON" in str(self.request.get("body"))

    @property
    def placed(self) -> bool:
        """Whether the client said for every record into which partition it goes."""
        numbers = [record.get("partition", record.get("partition_id")) for record in self.records]
        return "/partitions/" in self.path or (bool(numbers) and all(number not in (None, "") for number in numbers))

    @property
    def differs_in_8(self) -> bool:
        """Whether 8.3.1 answered otherwise than 7.9.9."""
        other = self.recorded.get("v8_3_1")
        return other is not None and not other.get("same")

    def theirs(self, version: Version = "7.9.9") -> Answer:
        """Return what Confluent answered."""
        response, landed = self.recorded["response"], self.recorded["landed"]
        if version == "8.3.1" and self.differs_in_8:
            other = self.recorded["v8_3_1"]
            response, landed = other["response"], other.get("landed", landed)
        return Answer(
            response["status"],
            response["headers"].get("content-type"),
            _document(response["body"], response["body"]),
            None if landed is None else [_landed(each) for each in landed],
        )


@cache
def exchanges() -> Sequence[Exchange]:
    """Return all that was recorded, in order."""
    return [Exchange(json.loads(line)) for line in TRANSCRIPTS.read_text().splitlines()]


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put what they stand for in the place of placeholders; the suffix that keeps names apart may be left out."""
    for name, value in {"-{sfx}": "", "{sfx}": ""}.items() if "sfx" not in values else ():
        text = text.replace(name, value)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def answer_of(status: int, content_type: str | None, text: str, landed: Sequence[Landed] | None) -> Answer:
    """Return what a shim answered."""
    return Answer(status, content_type, _document(text, text), landed)


def differences(exchange: Exchange, theirs: Answer, ours: Answer, values: Mapping[str, str]) -> Iterator[Difference]:
    """Yield where our answer is not Confluent's: partitions, offsets, times and ids change from run to run.

    Of those it only counts whether they are there; but a partition counts where the client chose it, and where a key
    did that is not framed with an id. What landed is compared by its bytes, JSON by what it means. `values` are those
    of the placeholders.
    """
    volatile = (_PLACES | _IDS) - ({"partition", "partition_id"} if exchange.placed else set())
    if exchange.records and all(record.get("timestamp") for record in exchange.records):
        volatile -= {"timestamp"}
    if theirs.status != ours.status:
        yield Difference("status", theirs.status, ours.status)
    if theirs.content_type != ours.content_type:
        yield Difference("content-type", theirs.content_type, ours.content_type)
    body = json.loads(filled(json.dumps(theirs.body), values))
    told = ours.body
    if exchange.is_cut and isinstance(body, list) and isinstance(told, list):
        told = told[: len(body)]
    yield from _in_body("body", body, told, volatile)
    if theirs.landed is not None and ours.landed is not None:
        yield from _in_kafka(exchange, theirs.landed, ours.landed)


def _in_body(where: str, theirs: Any, ours: Any, volatile: set[str]) -> Iterator[Difference]:
    if where.rpartition("/")[2] in volatile and theirs is not None and ours is not None:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in [*theirs, *(name for name in ours if name not in theirs and name not in ADDED)]:
            yield from _in_body(f"{where}/{name}", theirs.get(name), ours.get(name), volatile)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from _in_body(f"{where}/{index}", one, other, volatile)
    elif isinstance(theirs, str) and theirs.endswith(_CUT) and not isinstance(ours, str):
        written = json.dumps(ours, separators=(",", ":"))
        if not written.startswith(theirs.removesuffix(_CUT)):
            yield Difference(where, theirs, written)
    elif type(theirs) is not type(ours) or theirs != ours:
        yield Difference(where, theirs, ours)


def _in_kafka(exchange: Exchange, theirs: Sequence[Landed], ours: Sequence[Landed]) -> Iterator[Difference]:
    if len(theirs) != len(ours):
        yield Difference("landed", theirs, ours)
        return
    for index, (one, other) in enumerate(zip(_sorted(theirs), _sorted(ours), strict=True)):
        for name in ("key", "value", "headers"):
            sent, found = getattr(one, name), getattr(other, name)
            alike = exchange.lands_json and name == "value" and json_of(sent) == json_of(found)
            if sent != found and not alike:
                yield Difference(f"landed/{index}/{name}", sent, found)
        for name in ("key_id", "value_id"):
            if (getattr(one, name) is None) != (getattr(other, name) is None):
                yield Difference(f"landed/{index}/{name}", getattr(one, name), getattr(other, name))
        fixed = exchange.placed or (one.key is not None and one.key_id is None)
        if fixed and one.partition != other.partition:
            yield Difference(f"landed/{index}/partition", one.partition, other.partition)


def _sorted(landed: Sequence[Landed]) -> list[Landed]:
    """Bring records into an order that does not hang on their partitions: chance chooses those of unkeyed records."""
    return sorted(landed, key=lambda each: (each.key or b"", json_of(each.value), repr(each.headers)))


def json_of(payload: bytes | None) -> str:
    """Return a text that two spellings of one JSON value share; the payload itself where it is none."""
    if payload is None:
        return ""
    try:
        return json.dumps(json.loads(payload), sort_keys=True)
    except (ValueError, RecursionError):
        return payload.hex()


def _document(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return lines_of(text) or otherwise


def lines_of(text: str) -> list[Any]:
    """Return the documents that stand one behind the other in a stream, as far as they are whole."""
    return taken_apart(text)[0]


def taken_apart(text: str) -> tuple[list[Any], str]:
    """Return the documents that stand one behind the other in a text, and from where on it holds none."""
    found, decoder = [], json.JSONDecoder()
    try:
        while text := text.lstrip():
            document, end = decoder.raw_decode(text)
            found.append(document)
            text = text[end:]
    except ValueError:
        pass
    return found, text


def _landed(record: Mapping[str, Any]) -> Landed:
    key, key_id = _payload(record, "key")
    value, value_id = _payload(record, "value")
    headers = tuple((name, None if sent is None else bytes.fromhex(sent)) for name, sent in record["headers"])
    return Landed(key, value, key_id, value_id, record["partition"], headers)


def _payload(record: Mapping[str, Any], part: str) -> tuple[bytes | None, int | None]:
    frame, whole = record.get(f"{part}_frame"), record.get(f"{part}_hex")
    if frame:
        return bytes.fromhex(frame["payload_hex"]), frame["schema_id"]
    if whole is None:
        return None, None
    payload = bytes.fromhex(whole)
    missing = record.get(f"{part}_len", len(payload)) - len(payload)
    return payload + payload[-1:] * missing, None  # a filler is recorded by its beginning
