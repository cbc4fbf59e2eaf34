"""A pattern that is given up on a value never lets that value through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.patterns import backtracks
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.validation import JsonSchemaValidator, check_json_schema, compile_json_schema
from tests.compiling import json_schema, no_reference

D6, D7 = (f"http://json-schema.org/draft-0{number}/schema#" for number in (6, 7))
D19, D20 = (f"https://json-schema.org/draft/{name}/schema" for name in ("2019-09", "2020-12"))

ENDLESS = "^((?=a)a+)+$"
TEXT = "a" * 2_000 + "!"
"""What ENDLESS does not match, which it would take for ever to find out."""

GIVEN_UP = {"pattern": ENDLESS}
NO_MATCH = {"not": {"enum": [TEXT, "b"]}}
"""The same verdict on all that is asked here, without a pattern."""


def _compiled(document: object, *names: str, **others: object) -> JsonSchemaValidator:
    def resolve(reference: SchemaReference) -> Schema:
        return Schema(json.dumps(others[reference.subject]), "JSON")

    references = tuple(SchemaReference(name, name, 1) for name in names)
    return compile_json_schema(Schema(json.dumps(document), "JSON", references), resolve)


def test_a_name_of_many_letters_of_any_script_is_a_usual_pattern() -> None:
    names = r"^[\p{L}\s'-]{1,255}$"

    assert _compiled({"pattern": names}).is_valid("Ægir d'Été")
    assert not backtracks(names)


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", r"[^\s\p{Cc}]", "(?<name>x)"])
@pytest.mark.parametrize("draft", [D7, D20])
def test_patterns_that_only_python_does_not_know_can_be_bound(pattern: str, draft: str) -> None:
    check_json_schema(Schema(json.dumps({"$schema": draft, "pattern": pattern}), "JSON"), no_reference)


@pytest.mark.parametrize("draft", [D7, D20])
def test_what_is_no_pattern_cannot(draft: str) -> None:
    text = json.dumps({"$schema": draft, "properties": {"a": {"pattern": "("}}})
    with pytest.raises(SchemaInvalid, match="is not a") as refused:
        check_json_schema(Schema(text, "JSON"), no_reference)
    assert refused.value.pointer == "/properties/a/pattern"


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", r"\ba", r"\\\B", ENDLESS])
def test_look_around_back_references_and_edges_of_words_backtrack(pattern: str) -> None:
    assert backtracks(pattern)


@pytest.mark.parametrize("pattern", ["", "^a+$", "(a+)+$", "(a|a)*b", r"\p{L}{3}", "(?<name>x)", "[a-z&&b]", r"\\b"])
def test_all_else_does_not(pattern: str) -> None:
    assert not backtracks(pattern)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (GIVEN_UP, TEXT),
        ({"not": GIVEN_UP}, TEXT),
        ({"not": {"not": GIVEN_UP}}, TEXT),
        ({"oneOf": [GIVEN_UP, {}]}, TEXT),
        ({"if": GIVEN_UP, "then": False}, TEXT),
        ({"if": GIVEN_UP, "else": False}, TEXT),
        ({"not": {"pattern": r"^(\b|a+)+$"}}, TEXT),
        ({"propertyNames": GIVEN_UP}, {TEXT: 1}),
        ({"patternProperties": {ENDLESS: False}}, {TEXT: 1}),
        ({"patternProperties": {ENDLESS: True}, "additionalProperties": False}, {TEXT: 1}),
        ({"not": {"$ref": "#/definitions/p"}, "definitions": {"p": GIVEN_UP}}, TEXT),
    ],
)
@pytest.mark.parametrize("draft", [D7, D19, D20])
def test_a_value_on_which_a_pattern_is_given_up_is_refused(draft: str, schema: dict[str, Any], value: object) -> None:
    validator = _compiled({"$schema": draft, **schema})

    assert not validator.is_valid(value)
    assert list(validator.violations(value))


def _schemas() -> st.SearchStrategy[Any]:
    """Generate schemas, most of which ask for the pattern somewhere."""
    leaves = st.sampled_from([GIVEN_UP, GIVEN_UP, True, False, {"type": "string"}, {"type": "object"}])

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=1, max_size=2)
        return st.fixed_dictionaries(
            {},
            optional={
                "not": inner,
                "allOf": several,
                "anyOf": several,
                "oneOf": several,
                "if": inner,
                "then": inner,
                "else": inner,
                "items": inner,
                "properties": st.fixed_dictionaries({"a": inner}),
                "additionalProperties": inner,
                "propertyNames": inner,
                "unevaluatedProperties": inner,
            },
        )

    return st.recursive(leaves, grow, max_leaves=6)


VALUES = st.sampled_from([TEXT, "b", 1, [TEXT], ["b", TEXT], {"a": TEXT}, {"b": TEXT}, {TEXT: 1}, {"a": {"a": [TEXT]}}])


@given(st.sampled_from([D6, D7, D19, D20]), _schemas(), st.lists(VALUES, min_size=1, max_size=4))
def test_wherever_a_pattern_is_given_up_nothing_is_admitted_that_does_not_conform(
    draft: str, schema: Any, values: list[object]
) -> None:
    asked = {"$schema": draft, "allOf": [schema]}
    known = json.loads(json.dumps(asked).replace(json.dumps(GIVEN_UP), json.dumps(NO_MATCH)))

    for value in values:
        if _compiled(asked).is_valid(value):
            assert _compiled(known).is_valid(value)


@pytest.mark.parametrize("draft", [D6, D7, D19, D20])
def test_contains_and_a_pattern_that_may_be_given_up_are_refused_together(draft: str) -> None:
    for schema in (
        {"contains": GIVEN_UP},
        {"items": {"contains": {"properties": {"a": {"patternProperties": {ENDLESS: True}}}}}},
        {"contains": {"$ref": "#/definitions/p"}, "definitions": {"p": GIVEN_UP}},
        {"contains": {"pattern": r"^(\b|a+)+$"}},
    ):
        with pytest.raises(SchemaInvalid, match="within contains"):
            _compiled({"$schema": draft, **schema})
    with pytest.raises(SchemaInvalid, match="within contains"):
        _compiled({"$schema": draft, "contains": {"$ref": "other"}}, "other", other=GIVEN_UP)


@pytest.mark.parametrize(
    "schema",
    [
        {"contains": {"pattern": "^a+$"}},
        {"contains": {"const": GIVEN_UP}},
        {"properties": {"contains": GIVEN_UP}},
        {"contains": {"type": "string"}, "items": GIVEN_UP},
        {"contains": {"$ref": "#/definitions/p"}, "definitions": {"p": {"pattern": "(a+)+$"}}},
    ],
)
def test_contains_and_a_pattern_that_cannot_meet_are_taken(schema: object) -> None:
    _compiled(schema)


@pytest.mark.parametrize(
    ("pattern", "text"), [("^[a-z]+-?[a-z]+$", "a"), (r"^\w+\.?\w+$", "a"), ("^b+a*b+$", "b"), ("^a+b*a+c$", "ac")]
)
def test_two_repetitions_with_something_optional_between_them_need_two(pattern: str, text: str) -> None:
    """An engine that can backtrack took the one text for both (fancy-regex in jsonschema-rs 0.60.3)."""
    assert not json_schema({"pattern": pattern}).is_valid(text)
    assert json_schema({"pattern": pattern}).is_valid(text[0] + text)
