"""Each limit that the docs tell of is shown: by a whole shim, from HTTP, where its test is not named here."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from confluent_shim.settings import Limits
from tests.contract.test_docs import read, rows, section
from tests.parts import BINARY, JSON, memory_shim

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
Shown = Callable[[], None]

TALL = Limits(body_bytes=64_000_000, record_bytes=64_000_000, bytes=256_000_000)
"""Limits of a request that let the largest values through, to whatever else bounds them."""


def refused_schema(reason: str, schema: object, encoding: str = "json-schema", **fields: object) -> Shown:
    """Show that a schema cannot be bound."""

    def show() -> None:
        with memory_shim() as shim:
            body = {"schema": schema, "encoding": encoding, **fields}
            answer = shim.admin("PUT", "t", body, query="?create_topic=true")
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294), answer.text
        assert reason in answer.get_json()["message"]

    return show


def refused_value(keyword: str, text: str, schema: object = True, **fields: object) -> Shown:
    """Show that a value, given as text, is refused."""

    def show() -> None:
        with memory_shim(limits=TALL) as shim:
            shim.bind("t", schema, **fields)
            answer = shim.produce("t", f'{{"records":[{{"value":{text}}}]}}')
            assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400), answer.text[:300]
            assert keyword in keywords(answer)
            assert shim.landed("t") == []

    return show


def keywords(answer: TestResponse) -> set[str]:
    return {error["keyword"] for error in answer.get_json()["errors"]}


def twice(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {f"d{levels}": {"type": "integer"}}
    for level in range(levels):
        definitions[f"d{level}"] = {"anyOf": [{"$ref": f"#/definitions/d{level + 1}"}] * 2}
    return {"$ref": "#/definitions/d0", "definitions": definitions}


def doubling(levels: int) -> Any:
    inner: Any = "string"
    for number in range(levels):
        again = inner if isinstance(inner, str) else inner["name"]
        default: Any = "x" if number == 0 else {}
        fields = [{"name": "a", "type": inner, "default": default}, {"name": "b", "type": again, "default": default}]
        inner = {"type": "record", "name": f"R{number}", "fields": fields}
    return inner


def wide_record(fields: int) -> dict[str, Any]:
    every = [{"name": f"f{number}", "type": "int", "default": 0} for number in range(fields)]
    return {"type": "array", "items": {"type": "record", "name": "R", "fields": every}}


def show_nothing_is_fetched() -> None:
    with listening() as (address, callers), memory_shim(unbound="pass", producers_may_register=True) as shim:
        for schema in (
            {"$ref": f"{address}/a.json"},
            {"$schema": f"{address}/draft", "type": "object"},
            {"$id": f"{address}/own.json", "$ref": "other.json"},
            {"$schema": DRAFT_2020, "$dynamicRef": f"{address}/a.json#node"},
            {"$schema": DRAFT_2020, "$id": f"{address}/own.json", "$vocabulary": {f"{address}/v": True}},
        ):
            answer = shim.admin("PUT", "t", {"schema": schema}, query="?create_topic=true&replace=true")
            assert answer.status_code in (200, 422), answer.text
            shim.produce("u", {"value_schema": json.dumps(schema), "records": [{"value": {}}]})
        assert callers == []


@contextmanager
def listening() -> Iterator[tuple[str, list[object]]]:
    """Listen, and note who connects."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    connection, address = server.accept()
                    callers.append(address)
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", callers
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def show_request_limits() -> None:
    with memory_shim(limits=Limits(body_bytes=1000, records=2, record_bytes=100)) as shim:
        shim.bind("t")
        assert shim.produce("t", b" " * 1001).status_code == 413
        assert shim.send("t", *[{"id": 1}] * 3).get_json()["error_code"] == 42296
        assert keywords(shim.send("t", {"id": 1, "note": "x" * 100})) == {"record_bytes"}


def show_backtracking() -> None:
    with memory_shim() as shim:
        shim.bind("t", {"pattern": "^(?=(a|a)*$)(a|a)*b?$"})
        assert shim.send("t", "aaa").status_code == 200
        assert keywords(shim.send("t", "a" * 1000 + "c")) == {"pattern"}


def show_wide_avro() -> None:
    with memory_shim() as shim:
        shim.bind("t", wide_record(1000), encoding="avro")
        answer = shim.send("t", [{}] * 1001, content_type=JSON)
        assert keywords(answer) == {"cost"}


def show_items_without_width() -> None:
    with memory_shim() as shim:
        shim.bind("t", {"type": "array", "items": "null"}, encoding="avro")
        answer = shim.send("t", "AAAAAAH+////////////AQA=", content_type=BINARY)
        assert keywords(answer) == {"avro"}


def show_violations() -> None:
    with memory_shim(max_violations=3) as shim:
        shim.bind("t")
        answer = shim.send("t", *[{"id": "x"}] * 5).get_json()
        assert (len(answer["errors"]), answer["errors_cut"]) == (3, True)


def show_large_values_are_explained_by_one_violation() -> None:
    with memory_shim(limits=TALL) as shim:
        shim.bind("t", {"items": {"type": "string"}})
        assert len(shim.send("t", [1] * 50).get_json()["errors"]) == 50
        assert len(shim.send("t", [1] * 10_001).get_json()["errors"]) == 1


A_THOUSAND_BRANCHES = {"items": {"oneOf": [{"const": number} for number in range(1000)]}}
SCHEMAS: dict[str, Shown] = {
    "1,000,000 characters": refused_schema("more than 1000000", {"description": "x" * 1_000_000}),
    "100 levels": refused_schema("100 levels", json.loads('{"items":' * 100 + "{}" + "}" * 100)),
    "10,000 judgements": refused_schema("may be judged", twice(40)),
    "200 in a row": refused_schema("too entangled", twice(300)),
    "10,000 steps back": show_backtracking,
    "32 MiB": refused_schema("regex", {"pattern": "^.{1,65535}$"}),
    "none": refused_schema("contains", {"contains": {"pattern": "^(?=(a|a)*$)"}}),
    "never": show_nothing_is_fetched,
    "1,000,000 steps": refused_schema("defaults take more", doubling(40), "avro"),
    "256 combinations": refused_schema(
        "combinations of alternatives",
        {
            "type": "object",
            "title": "T",
            "allOf": [
                {"anyOf": [{"properties": {f"p{group}{n}": {"type": "string"}}} for n in range(5)]}
                for group in range(4)
            ],
        },
        "avro",
        source_subject="",
    ),
}
VALUES: dict[str, Shown] = {
    "`limits.body_bytes`": show_request_limits,
    "`limits.depth` levels": refused_value("depth", "[" * 300 + "]" * 300),
    "1,000 digits": refused_value("number-range", "1" * 1001),
    "a double": refused_value("number-range", "1e400"),
    "one": refused_value("duplicate-key", '{"a":1,"a":1}'),
    "1,000,000 judgements": refused_value("cost", json.dumps([999] * 1_000), A_THOUSAND_BRANCHES),
    "1,000,000 steps": show_wide_avro,
    "65,536 items": show_items_without_width,
    "1,000 violations": show_violations,
    "10,000 parts": show_large_values_are_explained_by_one_violation,
    "100,000 judgements": refused_value("schema", json.dumps([1999] * 200), A_THOUSAND_BRANCHES),
}
ELSEWHERE = {"0.5 seconds": "tests/unit/confluent_shim/api/test_adversary.py, with a clock of its own"}


@pytest.mark.parametrize(("heading", "shown"), [("## Schemas", SCHEMAS), ("## Values", {**VALUES, **ELSEWHERE})])
def test_every_limit_is_shown_and_what_is_shown_is_told(heading: str, shown: Mapping[str, object]) -> None:
    there = [cells[0] for cells in rows(section(read("limits.md"), heading))]

    assert [row for row in there if sum(row.startswith(begin) for begin in shown) != 1] == []
    assert [begin for begin in shown if sum(row.startswith(begin) for row in there) != 1] == []


@pytest.mark.parametrize("begin", SCHEMAS)
def test_a_limit_of_schemas_holds(begin: str) -> None:
    SCHEMAS[begin]()


SLOW: dict[str, Shown] = {
    "A pattern that can be": refused_value("cost", json.dumps("a" * 610), {"pattern": "^(a?){5000}b"}),
    "Look-around": refused_value("cost", json.dumps("ab" * 7_000), {"pattern": "(?=[ab]*c)d"}),
    "A fraction": refused_value("cost", json.dumps([1.5] * 100), {"items": {"enum": [*range(1000), 1.5]}}),
    "An integer": refused_value("cost", f"[{'9' * 900}]", {"items": {"allOf": [{"minimum": 0}] * 2_000}}),
}


@pytest.mark.parametrize("begin", SLOW)
def test_what_is_slower_than_it_seems_counts(begin: str) -> None:
    assert f"\n- {begin}" in read("limits.md")
    SLOW[begin]()


@pytest.mark.parametrize("begin", VALUES)
def test_a_limit_of_values_holds(begin: str) -> None:
    VALUES[begin]()


NUMBERS = {"multipleOf": 0.01}
LARGE = [
    pytest.param(True, '"' + "x" * 10_000_000 + '"', id="ten megabytes of text"),
    pytest.param({"maxLength": 3}, '"' + "\U0001f600" * 1_000_000 + '"', id="a million faces"),
    pytest.param({"pattern": "^(a+)+$"}, '"' + "a" * 1_000_000 + 'b"', id="a long text and a catastrophic pattern"),
    pytest.param({"uniqueItems": True}, json.dumps([*range(1_000_000)]), id="a million items"),
    pytest.param({"uniqueItems": True}, json.dumps([[n] for n in range(100_000)]), id="a hundred thousand arrays"),
    pytest.param(True, "[" * 10_000 + "]" * 10_000, id="ten thousand levels"),
    pytest.param(NUMBERS, "1e308", id="a huge exponent"),
    pytest.param(NUMBERS, "1e-999999999", id="a tiny number"),
    pytest.param(NUMBERS, "9" * 1000, id="multiples of a long number"),
    pytest.param({"multipleOf": 1e-300}, "1e300", id="multiples of next to nothing"),
    pytest.param({"minLength": 2}, '"\\ud83d\\ude00"', id="a pair of surrogates"),
    pytest.param(True, '"\\u0000"', id="a zero character"),
    pytest.param({"format": "regex"}, '"' + "(" * 100_000 + '"', id="a pattern of parentheses"),
    pytest.param({"format": "email"}, '"' + "a@" * 100_000 + '"', id="a long address"),
]


@pytest.mark.parametrize(("schema", "text"), LARGE)
def test_whatever_a_value_is_there_is_an_answer(schema: object, text: str) -> None:
    with memory_shim(limits=TALL) as shim:
        shim.bind("t", schema)
        answer = shim.produce("t", f'{{"records":[{{"value":{text}}}]}}')

    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("name", ["__proto__", "constructor", "__class__", "$ref", "toString", "", "\u0000", "\u202e"])
def test_names_are_names(name: str) -> None:
    with memory_shim() as shim:
        shim.bind("t", {"type": "object", "properties": {name: {"type": "integer"}}, "additionalProperties": False})
        assert shim.send("t", {name: 1}).status_code == 200
        assert shim.send("t", {name: "x"}).get_json()["errors"][0]["keyword"] == "type"
