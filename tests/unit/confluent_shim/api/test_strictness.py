"""A binding chooses how strictly its JSON Schemas are read."""

from typing import Any

import pytest

from tests.parts import JSON, Shim, memory_shim

OPEN = {"type": "object", "properties": {"a": {}}}
INTEGER = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
BY_VALUE = {"$schema": "https://json-schema.org/draft/2020-12/schema", **INTEGER}
DATED = {"type": "object", "properties": {"a": {"type": "string", "format": "date-time"}}}
LINKED = {"type": "object", "properties": {"a": {"type": "string", "format": "iri"}}}

CHOICES: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("unknown_fields", "refuse", OPEN, {"a": 1, "b": 2}, "unknown_fields"),
    ("whole_floats", "refuse", BY_VALUE, {"a": 1.0}, "type"),
    ("large_integers", "refuse", INTEGER, {"a": 2**53}, "large_integers"),
    ("formats", "assert", LINKED, {"a": "no iri"}, "format"),
]
"""A field, what makes it stricter than Confluent, and a value that is refused then, by this keyword."""

LOOSER: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("whole_floats", "accept", INTEGER, {"a": 1.0}),
    ("formats", "ignore", DATED, {"a": "yesterday"}),
]


@pytest.mark.parametrize(("field", "choice", "schema", "value", "keyword"), CHOICES)
def test_a_stricter_binding_refuses_what_confluent_takes(
    field: str, choice: str, schema: object, value: object, keyword: str
) -> None:
    with memory_shim() as shim:
        shim.bind("plain", schema)
        assert shim.send("plain", value).status_code == 200
        assert shim.bind("t", schema, **{field: choice})[field] == choice

        refused = shim.send("t", value)

        assert (refused.status_code, refused.get_json()["errors"][0]["keyword"]) == (400, keyword)
        assert refused.get_json()["errors"][0]["message"] in refused.get_json()["message"]
        assert shim.send("t", {}).status_code == 200


@pytest.mark.parametrize(("field", "choice", "schema", "value"), LOOSER)
def test_a_looser_binding_takes_what_confluent_refuses(field: str, choice: str, schema: object, value: object) -> None:
    with memory_shim() as shim:
        shim.bind("plain", schema)
        assert shim.send("plain", value).status_code == 400
        shim.bind("t", schema, **{field: choice})

        assert shim.send("t", value).status_code == 200
        assert shim.send("t", 5).status_code == 400


@pytest.mark.parametrize(("field", "choice", "schema", "value", "keyword"), CHOICES)
def test_v3_and_plain_json_are_judged_alike(
    field: str, choice: str, schema: object, value: object, keyword: str
) -> None:
    with memory_shim() as shim:
        shim.bind("t", schema, **{field: choice})

        (line,) = shim.batch("t", {"value": {"data": value}}).get_json()["failures"]
        plain = shim.send("t", value, content_type=JSON)

        assert line["error_code"] == 400
        assert [each["keyword"] for each in line["errors"]] == [keyword]
        assert [each["keyword"] for each in plain.get_json()["errors"]] == [keyword]


def test_keys_that_a_json_schema_judges_are_read_as_strictly() -> None:
    with memory_shim() as shim:
        shim.register("keys", {"type": "integer"})
        shim.bind("t", '"string"', encoding="avro", key="subject", key_subject="keys", large_integers="refuse")

        (error,) = produce_key(shim, 2**53).get_json()["errors"]

        assert (error["part"], error["keyword"]) == ("key", "large_integers")
        assert produce_key(shim, 1).status_code == 200


def produce_key(shim: Shim, key: object) -> Any:
    return shim.produce("t", {"records": [{"key": key, "value": "v"}]}, JSON)


def test_values_that_land_as_derived_avro_are_read_as_strictly() -> None:
    with memory_shim() as shim:
        shim.bind("t", INTEGER, encoding="avro", source_subject="", large_integers="refuse")

        assert shim.send("t", {"a": 2**53}).get_json()["errors"][0]["keyword"] == "large_integers"
        assert shim.send("t", {"a": 2**53 - 1}).status_code == 200


def test_two_topics_may_read_one_schema_differently() -> None:
    with memory_shim() as shim:
        shim.bind("loose", INTEGER, whole_floats="accept")
        shim.bind("strict", INTEGER)

        assert shim.send("loose", {"a": 1.0}).status_code == 200
        assert shim.send("strict", {"a": 1.0}).status_code == 400


def test_a_choice_that_nothing_acts_on_is_refused() -> None:
    with memory_shim() as shim:
        answer = shim.admin("PUT", "t", {"schema": '"string"', "encoding": "avro", "formats": "ignore"})

        assert answer.status_code == 422
        assert "formats" in answer.get_json()["message"]
