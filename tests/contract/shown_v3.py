"""Each difference that the docs tell of in the v3 API and in metadata, shown: see `test_compatibility`."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from werkzeug.test import TestResponse

from confluent_shim.settings import Limits
from confluent_shim.sinks.memory import MemorySink
from tests.doubles import ArrivingBody
from tests.parts import ORDER, Shim, memory_shim

Shown = Callable[[], None]
Line = dict[str, Any]

GOOD = {"value": {"type": "JSON", "data": {"id": 1}}}
AVRO = '{"type":"record","name":"P","fields":[{"name":"id","type":"int"}]}'


def lines(answer: TestResponse) -> list[Line]:
    """Return the lines of a stream's answer."""
    assert answer.status_code == 200, answer.text
    return _parsed(answer.data)


def _parsed(body: bytes) -> list[Line]:
    return [json.loads(line) for line in body.splitlines()]


def streamed(sent: str | Mapping[str, object], *codes: int, schema: object = ORDER, **settings: Any) -> Sequence[Line]:
    """Send records to a bound topic, and return the lines, which must have these codes."""
    with memory_shim(**settings) as shim:
        shim.bind("t", schema)
        told = lines(shim.stream("t", sent if isinstance(sent, str) else json.dumps(sent)))
        assert [line["error_code"] for line in told] == list(codes)
        assert len(shim.landed("t")) == codes.count(200)
    return told


def value(data: object, **said: object) -> dict[str, object]:
    return {"value": {"data": data, **said}}


def refused(sent: str | Mapping[str, object]) -> Shown:
    """Show that a record has a line with 400, and is not written."""
    return lambda: _ignore(streamed(sent, 400))


def _ignore(_: object) -> None:
    """Have a lambda return nothing."""


def show_errors() -> None:
    (line,) = streamed(value({"id": "x"}, type="JSON"), 400)
    assert (line["outcome"], line["retryable"], line["errors"][0]["pointer"]) == ("not_written", False, "/id")


def show_judged() -> None:
    for data, kind in (({"id": "x"}, "JSON"), ("text", "STRING"), ("AAAA", "BINARY")):
        streamed(value(data, type=kind), 400)


def show_strings() -> None:
    for schema, lands in (({"type": "string"}, b'\0\0\0\0\1"x"'), ('"string"', b"\0\0\0\0\1\2x")):
        with memory_shim() as shim:
            shim.bind("t", schema, encoding="avro" if isinstance(schema, str) else "json-schema")
            lines(shim.stream("t", json.dumps(value("x", type="STRING"))))
            assert shim.landed("t") == [lands]


def show_schema_told() -> None:
    (line,) = streamed(GOOD, 200)
    assert (line["value"]["subject"], line["value"]["schema_id"], line["value"]["schema_version"]) == ("t-value", 1, 1)


def show_bound_schema_taken() -> None:
    streamed(value({"id": 1}, type="JSONSCHEMA"), 200)
    with memory_shim() as shim:
        shim.bind("t", AVRO, encoding="avro")
        (line,) = lines(shim.stream("t", json.dumps(value({"id": 1}, type="AVRO"))))
        assert line["error_code"] == 200


def show_latest() -> None:
    for version in ("latest", -1):
        (line,) = streamed(value({"id": 1}, schema_version=version), 200)
        assert line["value"]["schema_version"] == 1


def show_protobuf() -> None:
    (line,) = streamed(value({}, type="PROTOBUF", schema="message M {}"), 422)
    assert line["message"].startswith("Error: 42290 : ")


def show_before_1970() -> None:
    streamed({**GOOD, "timestamp": "1960-01-01T00:00:00Z"}, 400)
    streamed("null", 400)


def open_stream(**limits: float) -> Iterator[tuple[Shim, ArrivingBody, Iterator[bytes]]]:
    body = ArrivingBody()
    with memory_shim(limits=Limits(**limits)) as shim:  # type: ignore[arg-type]  # each is a number
        shim.bind("t")
        with shim.open_stream("t", body.read) as answer:
            yield shim, body, answer
            body.end()


def show_over() -> None:
    for shim, body, answer in open_stream(stream_seconds=0.05):
        told: list[Line] = []
        while not told or told[-1]["error_code"] == 200:
            body.send(json.dumps(GOOD).encode())
            told += _parsed(next(answer))
        told += _parsed(b"".join(answer))
        late = [line for line in told if line["error_code"] == 408]
        assert {line["outcome"] for line in late} == {"not_written"}
        assert len(shim.landed("t")) == len(told) - len(late)


def show_idle() -> None:
    for _, _, answer in open_stream(stream_idle=0.05):
        (line,) = _parsed(b"".join(answer))
        assert line["error_code"] == 408


def show_too_large() -> None:
    large = json.dumps(value({"id": 1, "note": "x" * 80_000}, type="JSON"))
    streamed(large + json.dumps(GOOD), 413, 200, limits=Limits(record_bytes=1_000))


def show_broken() -> None:
    good = json.dumps(GOOD)
    for broken in ('{"value" 1}', '{"value":[1}', '{,"value":1}'):
        streamed(broken + good, 400, 400)
    for broken in ('{"value":nul}', "[1]", '{"a":1,"a":2}', '{"foo":1}'):
        streamed(broken + good, 400, 200)


def show_encoded_colon() -> None:
    with memory_shim() as shim:
        shim.bind("t")
        body = {"entries": [{"id": "1", **GOOD}]}
        answer = shim.client.post("/v3/clusters/c/topics/t/records%3Abatch", json=body)
        assert (answer.status_code, len(answer.get_json()["successes"])) == (207, 1)


SHOWN_V3: Mapping[str, Shown] = {
    "an error line has": show_errors,
    "`JSON`, `STRING` and `BINARY` are written": show_judged,
    "a `STRING` value lands": show_strings,
    "the answer to `JSON` has no schema": show_schema_told,
    "`AVRO` and `JSONSCHEMA` need": show_bound_schema_taken,
    "`schema_version` `latest` is refused": show_latest,
    "`type` `PROTOBUF` is written": show_protobuf,
    "a record before 1970": show_before_1970,
    "after the end of its time": show_over,
    "an idle stream": show_idle,
    "a stream ends at a record that is larger": show_too_large,
    "which broken records end a stream": show_broken,
    "a record with the time 1970-01-01T00:00:00Z": refused({**GOOD, "timestamp": "1970-01-01T00:00:00Z"}),
    "a header with a NUL": refused({**GOOD, "headers": [{"name": "a\0b", "value": None}]}),
    "base64 of a header may have white space": refused({**GOOD, "headers": [{"name": "a", "value": "Zm9v\nZm9v"}]}),
    "`records%3Abatch` is no path": show_encoded_colon,
}


def asked(path: str, *expected: object, method: str = "GET") -> Shown:
    """Show the status and, unless there is none, the code with which a question about memory is answered."""

    def show() -> None:
        with memory_shim() as shim:
            shim.bind("t")
            answer = shim.client.open(path, method=method)
            assert (answer.status_code, answer.get_json(force=True)["error_code"]) == expected

    return show


def show_kafka_down() -> None:
    with memory_shim() as shim:
        shim.sink.metadata.close()
        answer = shim.client.get("/topics")
    assert (answer.status_code, answer.get_json()["error_code"]) == (500, 50003)


def show_clusters() -> None:
    gone = MemorySink(cluster_id="third")
    gone.metadata.close()
    with memory_shim({"analytics": MemorySink(cluster_id="second"), "away": gone}) as shim:
        listed = shim.client.get("/v3/clusters").get_json()["data"]
    assert [cluster["cluster_id"] for cluster in listed] == ["memory", "second"]


def show_order() -> None:
    names = ["b", "c", "a"]
    with memory_shim(sink=MemorySink(names)) as shim:
        assert shim.client.get("/topics").get_json() == sorted(names)


def show_links() -> None:
    for url, begins in (("", "http://localhost/v3/"), ("https://events.example", "https://events.example/v3/")):
        with memory_shim(public_url=url) as shim:
            assert shim.client.get("/v3/clusters/memory").get_json()["metadata"]["self"].startswith(begins)


def show_not_for_producers() -> None:
    for path in ("brokers", "broker-configs", "consumer-groups", "acls", "topics/t/configs"):
        asked(f"/v3/clusters/memory/{path}", 404, 404)()
    asked("/v3/clusters/memory/topics", 405, 405, method="POST")()
    asked("/v3/clusters/memory/topics/t", 405, 405, method="DELETE")()


def show_head() -> None:
    with memory_shim() as shim:
        whole, head = (shim.client.open("/topics", method=method) for method in ("GET", "HEAD"))
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(whole.data)))


def show_consumers() -> None:
    asked("/consumers/g/instances/i/records", 404, 404)()
    asked("/consumers/g", 405, 405, method="POST")()


SHOWN_METADATA: Mapping[str, Shown] = {
    "Kafka is down": show_kafka_down,
    "one cluster": show_clusters,
    "`GET /topics` in the order": show_order,
    "links begin with": show_links,
    "brokers, configurations": show_not_for_producers,
    "a HEAD is answered": show_head,
    "consumers": show_consumers,
}
