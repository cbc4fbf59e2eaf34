"""Which draft a schema is read in, and what Confluent makes of it."""

import jsonschema_rs
import pytest

from jsonschema_bridge import drafts
from jsonschema_bridge.strictness import Strictness

CONFLUENT = drafts.rewriting({}, Strictness())

SPELLINGS = [
    ("json-schema.org/draft-04/schema", jsonschema_rs.Draft4Validator),
    ("json-schema.org/draft-06/schema", jsonschema_rs.Draft6Validator),
    ("json-schema.org/draft-07/schema", jsonschema_rs.Draft7Validator),
    ("json-schema.org/draft/2019-09/schema", jsonschema_rs.Draft201909Validator),
    ("json-schema.org/draft/2020-12/schema", jsonschema_rs.Draft202012Validator),
]


@pytest.mark.parametrize("scheme", ["http://", "https://"])
@pytest.mark.parametrize("fragment", ["", "#"])
@pytest.mark.parametrize(("name", "validator"), SPELLINGS)
def test_a_draft_is_known_in_every_spelling(scheme: str, fragment: str, name: str, validator: drafts.Draft) -> None:
    schema = {"$schema": f"{scheme}{name}{fragment}"}

    assert drafts.dialect(schema) == name
    assert drafts.validator_class(schema) is validator
    assert drafts.normal(schema) in [{"$schema": f"http://{name}#"}, {"$schema": f"https://{name}"}]


@pytest.mark.parametrize("schema", [{}, {"$schema": "http://example.org/own"}, {"$schema": 4}, True, False])
def test_a_schema_that_names_no_known_draft_is_read_in_draft_7(schema: object) -> None:
    assert drafts.validator_class(schema) is jsonschema_rs.Draft7Validator


def test_a_schema_that_names_no_draft_takes_the_one_of_the_schema_that_refers() -> None:
    assert drafts.normal({}, "json-schema.org/draft/2020-12/schema") == {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }


@pytest.mark.parametrize("integer", [drafts.BY_TEXT, drafts.BY_VALUE, None])
@pytest.mark.parametrize(
    "schema",
    [
        {"const": {"type": "integer", "format": "uuid"}},
        {"enum": [{"type": "integer", "contentEncoding": "base64"}]},
        {"properties": {"integer": {"type": "number"}}, "required": ["type"], "dependencies": {"a": ["type"]}},
        {"type": ["integer", "number"]},
        {"type": "integer", "allOf": 5, "format": ["date"]},
    ],
)
def test_what_is_data_or_no_schema_is_left_as_it_is(schema: dict[str, object], integer: str | None) -> None:
    assert drafts.rewrite(schema, CONFLUENT._replace(integer=integer)) == schema


def test_a_schema_is_rewritten_without_touching_the_original() -> None:
    schema = {"type": "integer", "allOf": [{"minimum": 1}], "format": "uuid"}

    rewritten = drafts.rewrite(schema, CONFLUENT)

    assert rewritten == {"allOf": [{"minimum": 1}, {"$ref": drafts.BY_TEXT}]}
    assert schema == {"type": "integer", "allOf": [{"minimum": 1}], "format": "uuid"}


def test_names_of_the_schemas_own_are_never_taken_for_keywords() -> None:
    names = ("type", "enum", "const", "format", "contentEncoding", "default", "$ref", "properties")
    schema = {"properties": {name: {"type": "integer"} for name in names}}

    assert drafts.rewrite(schema, CONFLUENT) == {
        "properties": {name: {"allOf": [{"$ref": drafts.BY_TEXT}]} for name in names}
    }
