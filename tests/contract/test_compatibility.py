"""Each difference that the docs tell of is one: ours is shown row by row, here, in `shown_v3` and `shown_upstream`."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from confluent_shim.settings import Limits
from jsonschema_bridge import RegistryUnauthorized, RegistryUnavailable, Schema
from tests.contract.deliberate import BOUND, UNBOUND, VERSION_8
from tests.contract.recorded_setup import RecordedKafka, RecordedRegistry
from tests.contract.shown_upstream import SHOWN_BEFORE, SHOWN_BEHIND
from tests.contract.shown_v3 import SHOWN_METADATA, SHOWN_V3, Shown, lines
from tests.contract.test_docs import read, rows, section
from tests.parts import AVRO, BINARY, JSON, JSON_SCHEMA, ORDER, Shim, memory_shim

PROTOBUF = "application/vnd.kafka.protobuf.v2+json"
POINT = {
    "type": "record",
    "name": "P",
    "fields": [
        {"name": "x", "type": "int"},
        {"name": "b", "type": "bytes", "default": ""},
        {"name": "f", "type": "float", "default": 0},
        {"name": "m", "type": {"type": "map", "values": "int"}, "default": {}},
        {"name": "u", "type": ["null", "string"], "default": None},
    ],
}
FULL = {"x": 1, "b": "", "f": 0.5, "m": {}, "u": None}


def told(answer: TestResponse) -> tuple[int, int | None]:
    body = answer.get_json(force=True, silent=True) or {}
    return answer.status_code, body.get("error_code")


def bound(
    body: str | Mapping[str, object],
    expected: tuple[int, int | None],
    keyword: str | None = None,
    *,
    schema: object = ORDER,
    content_type: str = JSON_SCHEMA,
    lands: list[bytes | None] | None = None,
    **fields: object,
) -> Shown:
    """Show how a topic that is bound to `schema` answers, and what lands."""

    def show() -> None:
        with memory_shim() as shim:
            shim.bind("t", schema, **fields)
            _check(shim, shim.produce("t", body, content_type), expected, keyword, lands)

    return show


def unbound(
    body: str | Mapping[str, object],
    expected: tuple[int, int | None],
    keyword: str | None = None,
    *,
    content_type: str = JSON,
    lands: list[bytes | None] | None = None,
    path: str = "t",
    **settings: Any,
) -> Shown:
    """Show the same of a topic without a binding."""

    def show() -> None:
        with memory_shim(**{"unbound": "pass", "producers_may_register": True, **settings}) as shim:
            _check(shim, shim.produce(path, body, content_type), expected, keyword, lands)

    return show


def _check(
    shim: Shim,
    answer: TestResponse,
    expected: tuple[int, int | None],
    keyword: str | None,
    lands: list[bytes | None] | None,
) -> None:
    assert told(answer) == expected, answer.text
    if keyword is not None:
        assert keyword in [error["keyword"] for error in answer.get_json()["errors"]]
    if lands is not None:
        assert shim.landed("t") == lands
    elif expected[0] >= 400:
        assert shim.landed("t") == []


def one(value: object, **more: object) -> dict[str, Any]:
    return {"records": [{"value": value}], **more}


def avro(keyword: str, **wrong: object) -> Shown:
    body = one({**FULL, **wrong}, value_schema=json.dumps(POINT))
    return unbound(body, (400, 400), keyword, content_type=AVRO)


def show_messages() -> None:
    with memory_shim() as shim:
        shim.bind("t")
        answer = shim.send("t", {"id": "x", "note": 1}).get_json()
    assert answer["message"].startswith("Bad Request: record 0, ")
    assert len(answer["errors"]) == 2
    assert {error["retryable"] for error in answer["errors"]} == {False}


def show_no_data_in_messages() -> None:
    with memory_shim(unbound="pass") as shim:
        answer = shim.produce("t", one("fooba"), BINARY).get_json()
    assert "fooba" not in answer["message"]
    assert answer["errors"][0]["actual"] == "fooba"


def show_registry_down() -> None:
    registry = RecordedRegistry()
    with memory_shim(unbound="pass", registry=registry) as shim:
        registry.failure = RegistryUnavailable("gone")
        answer = shim.produce("t", one(1, value_schema_id=1), AVRO)
    assert told(answer) == (503, 50391)
    assert answer.headers["Retry-After"]


def show_registry_forbids(expected: tuple[int, int], claims: Mapping[str, object], **settings: Any) -> Shown:
    """Show the answer, or the line of a stream with the code in it, when the registry refuses whoever asks it."""

    def show() -> None:
        registry = RecordedRegistry()
        with memory_shim(registry=registry, **settings) as shim:
            if not settings:
                shim.bind("t")
            registry.failure = RegistryUnauthorized("HTTP 403")
            if claims:
                (line,) = lines(shim.stream("t", json.dumps({"value": {"data": 1, **claims}})))
                assert line["error_code"] == expected[1]
            else:
                assert told(shim.send("t", {"id": 1})) == expected

    return show


def show_kafka(**state: object) -> Shown:
    """Show the error of a record that Kafka did not take."""

    def show() -> None:
        kafka = RecordedKafka(creates_topics=False)
        for name, value in state.items():
            setattr(kafka, name, value)
        with memory_shim(unbound="pass", sink=kafka) as shim:
            (offset,) = shim.produce("missing", one(1), JSON).get_json()["offsets"]
        assert (offset["error_code"], offset["retryable"]) == (50003, True)
        assert offset["error"]
        assert offset["outcome"] == ("unknown" if state else "not_written")

    return show


def show_too_large() -> None:
    with memory_shim(unbound="pass", limits=Limits(record_bytes=10)) as shim:
        assert told(shim.produce("t", one("x" * 11), JSON)) == (413, 413)
        assert shim.landed("t") == []


def show_never_compressed() -> None:
    with memory_shim(unbound="pass") as shim:
        answer = shim.produce("t", one(1), JSON, Accept_Encoding="gzip")
    assert "Content-Encoding" not in answer.headers


def show_no_limits_of_rate() -> None:
    with memory_shim(unbound="pass") as shim:
        assert {shim.produce("t", one(n), JSON).status_code for n in range(50)} == {200}


def show_does_not_compile() -> None:
    with memory_shim() as shim:
        answer = shim.admin("PUT", "t", {"schema": {"type": "frob"}}, query="?create_topic=true")
        assert told(answer) == (422, 42294)


def show_protobuf_and_avro() -> None:
    for content_type, schema in ((PROTOBUF, "message M {}"), (AVRO, json.dumps(POINT))):
        for claims in ({}, {"value_schema": schema}):
            bound(one({"id": 1}, **claims), (422, 42290), content_type=content_type)()


def show_binary_claims() -> None:
    bound(one("AAAAAAF7ImlkIjoxfQ==", value_schema_id=9), (422, 42207), content_type=BINARY)()


def show_keys(key: object, schema: str, lands: bytes | None) -> Shown:
    def show() -> None:
        with memory_shim() as shim:
            shim.register("k", schema)
            shim.bind("t", key="subject", key_subject="k")
            answer = shim.produce("t", {"records": [{"key": key, "value": {"id": 1}}]}, JSON_SCHEMA)
            assert (answer.status_code == 200) == (lands is not None)
            assert [record.key for record in shim.sink.landed("t")] == ([] if lands is None else [lands])

    return show


def show_key_schemas_refused() -> None:
    bound(one({"id": 1}, key_schema="{}"), (422, 42291))()
    show_keys("a", '{"type":"string"}', b'\0\0\0\0\1"a"')()


def show_unbound_refused() -> None:
    with memory_shim() as shim:
        assert told(shim.send("t", 1)) == (404, 40401)
        assert not shim.sink.has_topic("t")


def show_named_twice() -> None:
    unbound(one(1, value_schema="{}", value_schema_id=1), (422, 422), content_type=JSON_SCHEMA)()
    with memory_shim(unbound="pass") as shim:
        shim.registry.register("t-value", Schema('"int"', "AVRO"))
        assert told(shim.produce("t", one(1, value_schema_id=1), JSON_SCHEMA)) == (422, 42207)


def show_no_record() -> None:
    value = {"type": "JSONSCHEMA", "schema": "{}", "subject_name_strategy": "RECORD_NAME", "data": 1}
    with memory_shim(unbound="pass", producers_may_register=True) as shim:
        (line,) = lines(shim.stream("t", json.dumps({"value": value})))
    assert line["message"].startswith("Error: 42207 : Error serializing message. RECORD_NAME names a subject")


def show_subject_deleted() -> None:
    with memory_shim(unbound="pass") as shim:
        shim.registry.register("t-value", Schema('"int"', "AVRO"))
        shim.registry.delete("t-value")
        assert told(shim.produce("t", one(1, value_schema_id=1), AVRO)) == (422, 42207)


def show_conflict(contract: str, number: str) -> Shown:
    def show() -> None:
        with memory_shim(
            unbound="pass", producers_may_register=True, contract=contract, registry=RecordedRegistry()
        ) as shim:
            shim.registry.register("t-value", Schema('{"type":"string"}', "JSON"))
            answer = shim.produce("t", one(1, value_schema='{"type":"integer"}'), JSON_SCHEMA)
        assert told(answer) == (422, 42207)
        assert answer.get_json()["message"].split("\n")[1].endswith(f"error code: {number}")

    return show


SHOWN: Mapping[str, Mapping[str, Shown]] = {
    "## Producing, whatever the topic": {
        "a message of 400 is": show_messages,
        "a message may repeat the data": show_no_data_in_messages,
        "errors have `error_code`": show_messages,
        "a client's fault is answered": unbound({"records": [{"value": 1, "partition": -1}]}, (400, 400)),
        "a value is parsed and written again": unbound('{"records":[{"value":1.10}]}', (200, None), lands=[b"1.10"]),
        "the registry is down": show_registry_down,
        "a topic or partition that Kafka lacks": show_kafka(),
        "Kafka is down": show_kafka(error=-192),
        "a record that is too large": show_too_large,
        "nesting up to": unbound('{"records":[{"value":' + "[" * 300 + "]" * 300 + "}]}", (400, 400)),
        "the error of a record is": show_kafka(),
        "answers are compressed": show_never_compressed,
        "rate limits": show_no_limits_of_rate,
    },
    "## Avro": {
        "members that no field has": avro("unknown", other=1),
        "`1.5` for an int": avro("type", x=1.5),
        "a character above U+00FF": avro("range", b="Ā"),
        "a number that only becomes infinite": avro("range", f=1e300),
        "a value that its logical type forbids": unbound(
            one("no uuid", value_schema='{"type":"string","logicalType":"uuid"}'),
            (400, 400),
            "logicalType",
            content_type=AVRO,
        ),
        "map entries land": unbound(
            one({"b": 1, "a": 2}, value_schema='{"type":"map","values":"int"}'),
            (200, None),
            content_type=AVRO,
            lands=[b"\0\0\0\0\1\4\2b\2\2a\4\0"],
        ),
    },
    "## A bound topic": {
        "a null value without a key": bound(one(None), (400, 400), "nulls"),
        "of duplicate keys": bound('{"records":[{"value":{"id":1,"id":2}}]}', (400, 400), "duplicate-key"),
        "a lone surrogate": bound(r'{"records":[{"value":{"id":1,"note":"\ud800"}}]}', (400, 400), "encoding"),
        "`1e400` is written": bound('{"records":[{"value":{"id":1e400}}]}', (400, 400), "number-range"),
        "`jsonschema` without": bound(one({"id": 1}), (200, None)),
        "plain `json` is written": bound(
            one({"id": 1}), (200, None), content_type=JSON, lands=[b'\0\0\0\0\1{"id": 1}']
        ),
        "plain `json` to a topic of Avro": bound(
            one({"x": 1}),
            (200, None),
            content_type=JSON,
            schema=json.dumps(POINT),
            encoding="avro",
            lands=[b"\0\0\0\0\1\2\0\0\0\0\0\0\0"],
        ),
        "a schema that does not compile": show_does_not_compile,
        "a producer may register": bound(one({"id": 1}, value_schema="{}"), (422, 42207)),
        "`protobuf` is written": show_protobuf_and_avro,
        "`binary` takes": bound(one("AAAA"), (400, 400), "frame", content_type=BINARY),
        "`binary` ignores": show_binary_claims,
        "a key schema is registered": show_key_schemas_refused,
        "an object as key": show_keys({"b": 1, "a": 2}, "{}", b'\0\0\0\0\1{"b":1,"a":2}'),
        "with a key schema": show_keys(None, '{"type":"string"}', None),
        "the registry forbids what is asked": show_registry_forbids((503, 50391), {}),
        "a topic that Kafka lacks": show_unbound_refused,
    },
    "## A topic without a binding": {
        "any producer may register": unbound(
            one(1, value_schema="{}"), (422, 42207), content_type=JSON_SCHEMA, producers_may_register=False
        ),
        "a schema named by text and by id": show_named_twice,
        "`1e400` lands": unbound('{"records":[{"value":1e400}]}', (200, None), lands=[b"1e400"]),
        "half of a surrogate pair": unbound(
            r'{"value_schema":"{}","records":[{"value":"\ud800"}]}', (400, 400), content_type=JSON_SCHEMA
        ),
        "`protobuf` is written": unbound(one({}), (422, 42290), content_type=PROTOBUF),
        "the id of a schema whose subject": show_subject_deleted,
        "the second line of a 42207": show_conflict("7.9", "409"),
        "the registry forbids asking for a version": show_registry_forbids(
            (200, 40301), {"schema_version": 1}, unbound="pass"
        ),
        "a strategy that names no subject": show_no_record,
        "a name with `%2F`": unbound(one(1), (404, 404), path="a%2Fb"),
    },
    "## Version 8": {
        "a null value, or key": unbound(
            one(None, value_schema='{"type":"string"}'), (400, 400), "type", content_type=JSON_SCHEMA, contract="8"
        ),
        "the registry's code for": show_conflict("8", "40901"),
        "a null that a type of Avro takes": unbound(
            one(None, value_schema='["null","string"]'),
            (200, None),
            content_type=AVRO,
            contract="8",
            lands=[b"\0\0\0\0\1\0"],
        ),
        "a path that 8's server finds ambiguous": unbound(one(1), (200, None), path="%2E", contract="8"),
    },
    "## Behind a REST Proxy": SHOWN_BEHIND,
    "## The v3 API": SHOWN_V3,
    "## Metadata": SHOWN_METADATA,
    "## Before a REST Proxy": SHOWN_BEFORE,
}


@pytest.mark.parametrize(("heading", "row"), [(heading, row) for heading, found in SHOWN.items() for row in found])
def test_a_row_is_what_happens(heading: str, row: str) -> None:
    SHOWN[heading][row]()


def test_every_table_of_differences_is_shown() -> None:
    text = read("compatibility.md")
    headings = re.findall("^## .*$", text, re.MULTILINE)
    assert [each for each in headings if "| theirs | ours | why |" in section(text, each)] == list(SHOWN)


@pytest.mark.parametrize("heading", SHOWN)
def test_every_row_is_shown_and_every_example_has_its_row(heading: str) -> None:
    there = [cells[0] for cells in rows(section(read("compatibility.md"), heading)) if cells[0] != "7.9"]
    shown = list(SHOWN[heading])
    assert [row for row in there if sum(row.startswith(begin) for begin in shown) != 1] == []
    assert [begin for begin in shown if sum(row.startswith(begin) for row in there) != 1] == []


@pytest.mark.parametrize("known", sorted({each.row for each in (*UNBOUND, *VERSION_8, *BOUND)}))
def test_a_class_of_recorded_differences_has_its_row(known: str) -> None:
    assert any(cells[0].startswith(known) for cells in rows(read("compatibility.md")))
