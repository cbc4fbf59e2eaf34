"""What a violation says of alternatives, and what an explanation costs at most."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.explaining import MOST_EXPLAINED
from jsonschema_bridge.registry.model import Schema, SchemaReference
from jsonschema_bridge.validation import compile_json_schema
from jsonschema_bridge.violation import Violation
from tests.compiling import json_schema
from tests.unit.jsonschema_bridge.test_validation import BY_TEXT, BY_VALUE, SCHEMAS, VALUES

CARD = {"properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["kind", "number"]}
CASH = {"properties": {"kind": {"const": "cash"}, "sum": {"type": "integer"}}, "required": ["kind"]}
CASH["additionalProperties"] = False  # type: ignore[assignment]
NULL = {"type": "null"}


def _violations(document: object, value: object) -> list[Violation]:
    return list(json_schema(document).violations(value))


def _places(found: list[Violation]) -> list[tuple[str, str, str]]:
    return [(each.pointer, each.keyword, each.schema_pointer) for each in found]


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("branches", "value", "places"),
    [
        ([CARD, CASH], {"kind": "card"}, [("", "required", "/{}/0/required")]),
        ([CARD, CASH], {"kind": "cash", "sum": "5", "x": 1},
         [("", "additionalProperties", "/{}/1/additionalProperties"), ("/sum", "type", "/{}/1/properties/sum/type")]),
        ([NULL, CASH], {"kind": "cash", "sum": "5"}, [("/sum", "type", "/{}/1/properties/sum/type")]),
        ([{"required": ["a", "b"]}, {"required": ["a"]}], {}, [("", "required", "/{}/1/required")]),
        ([{"required": ["a"]}, {"required": ["b"]}], {}, [("", "required", "/{}/0/required")]),
    ],
    ids=["selected by a const", "though more is wrong", "of its type", "with less wrong", "the first of equals"],
)  # fmt: skip
def test_the_nearest_branch_explains(
    keyword: str, branches: list[object], value: object, places: list[tuple[str, str, str]]
) -> None:
    found = _violations({keyword: branches}, value)

    expected = [(place, said, path.format(keyword)) for place, said, path in places]
    assert sorted(_places(found)) == sorted(expected)
    branch = expected[0][2].split("/")[2]
    assert all(each.message.endswith(f"(nearest branch: /{keyword}/{branch})") for each in found)


def test_a_value_of_no_branchs_type_is_told_all_of_them() -> None:
    (found,) = _violations({"properties": {"a": {"anyOf": [NULL, {"type": ["integer", "string"]}]}}}, {"a": 1.5})

    assert _places([found]) == [("/a", "anyOf", "/properties/a/anyOf")]
    assert (found.expected, found.message) == (
        "null or integer or string",
        "the value is not of type null or integer or string",
    )


def test_a_value_that_selects_no_branch_is_told_what_selects_one() -> None:
    several = {"properties": {"kind": {"enum": ["gift", "coupon"]}}}
    (found,) = _violations({"oneOf": [CARD, CASH, several]}, {"kind": "secret"})

    assert _places([found]) == [("/kind", "oneOf", "/oneOf")]
    assert (found.expected, found.actual) == (["card", "cash", "gift", "coupon"], "secret")
    assert found.message == "the value selects none of the 3 branches"


def test_branches_within_branches_end_at_the_innermost() -> None:
    inner = {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]}}}
    (found,) = _violations({"oneOf": [NULL, inner]}, {"a": 1})

    assert (found.pointer, found.keyword) == ("/a", "minimum")
    assert found.message.endswith("(nearest branch: /oneOf/1/properties/a/anyOf/1)")


def test_a_branch_by_reference_is_named_where_it_stands() -> None:
    (found,) = _violations(
        {"oneOf": [{"$ref": "#/definitions/cash"}], "definitions": {"cash": CASH}}, {"kind": "cash", "a": 1}
    )

    assert found.schema_pointer == "/definitions/cash/additionalProperties"
    assert found.message == "unexpected properties: 'a' (nearest branch: /oneOf/0)"


def test_a_value_of_several_branches_is_told_which() -> None:
    (found,) = _violations({"oneOf": [{}, NULL, {"minimum": 0}]}, 1)

    assert (found.keyword, found.expected) == ("oneOf", "one branch only")
    assert found.message == "the value conforms to more than one branch: 0, 2"


@pytest.mark.parametrize("draft", [*BY_TEXT, *BY_VALUE])
def test_what_is_missing_and_what_is_too_much_is_named(draft: str) -> None:
    schema = {"$schema": draft, "properties": {"a": {}}, "patternProperties": {"^x": {}}, "required": ["a", "b"]}
    found = _violations({**schema, "additionalProperties": False}, {"a": 1, "c": 1, "xy": 1})

    assert sorted(each.message for each in found) == [
        "the required property 'b' is missing",
        "unexpected properties: 'c'",
    ]


PADDING = [0] * (MOST_EXPLAINED + 1)


def _large(schema: Any, value: object) -> tuple[Any, object]:
    """Return a schema and a value that is too large to be explained in full; `value` is in it at `/v`."""
    return {"properties": {"v": schema}}, {"v": value, "padding": PADDING}


def test_of_a_large_value_the_first_violation_is_told() -> None:
    (found,) = _violations(*_large({"items": {"type": "string"}}, [1, 2]))

    assert _places([found]) == [("/v/0", "type", "/properties/v/items/type")]


def test_of_a_large_value_branches_are_asked_about_its_small_part() -> None:
    (found,) = _violations(
        *_large({"items": {"oneOf": [CARD, CASH]}}, [{"kind": "card", "number": "1"}, {"kind": "cash", "a": 1}])
    )

    assert _places([found]) == [("/v/1", "additionalProperties", "/properties/v/items/oneOf/1/additionalProperties")]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize("draft", [*BY_TEXT, *BY_VALUE])
def test_about_a_large_value_no_branch_is_asked(draft: str, keyword: str) -> None:
    schema, value = _large({"allOf": [{}], keyword: [{"type": "string"}, {"items": {"type": "string"}}]}, PADDING)
    (found,) = _violations({"$schema": draft, **schema}, value)

    assert _places([found]) == [("/v", keyword, f"/properties/v/{keyword}")]
    assert found.message == "the value conforms to none of the 2 branches"


def test_each_branch_counts_and_so_does_each_value() -> None:
    branches = [{"properties": {"a": {"const": number}}, "required": ["b"]} for number in range(200)]
    items = [{"a": 1} for _ in range(100)]
    found = _violations({"items": {"oneOf": branches}}, items)

    told = [each.message for each in found]
    assert told.count("the required property 'b' is missing (nearest branch: /items/oneOf/1)") == MOST_EXPLAINED // 400
    assert told.count("the value conforms to none of the 200 branches") == 100 - MOST_EXPLAINED // 400


def test_a_schema_that_refers_to_itself_from_many_branches_is_explained_in_no_time() -> None:
    def node(kind: str) -> dict[str, Any]:
        return {"properties": {"kind": {"const": kind}, "below": {"$ref": "#/definitions/node"}}, "required": ["below"]}

    branches = [{"type": "number"}, *({"type": "object", **node(kind)} for kind in "abcdefgh")]
    value: object = "leaf"
    for _ in range(25):
        value = {"kind": "c", "below": value}
    (found,) = _violations({"$ref": "#/definitions/node", "definitions": {"node": {"oneOf": branches}}}, value)

    assert found.pointer == "/below" * 25
    assert found.message == "the value is not of type number or object (nearest branch: /definitions/node/oneOf/3)"


INTO_BRANCHES: list[dict[str, Any]] = [
    {"$ref": "#/definitions/a/oneOf/0"},
    {"$ref": "#/definitions/a/oneOf/0/properties/b/anyOf/1"},
    {"$ref": "#/definitions/a/one%4Ff/0"},
    {"$ref": "other#/definitions/a/oneOf/1"},
]


@pytest.mark.parametrize("identifier", [{}, {"$id": "http://example.org/own/x"}, {"$id": "own/x"}])
@pytest.mark.parametrize("reference", INTO_BRANCHES)
@pytest.mark.parametrize("draft", [*BY_TEXT, *BY_VALUE])
def test_a_reference_into_a_branch_is_followed(
    draft: str, reference: dict[str, Any], identifier: dict[str, str]
) -> None:
    inner = {"properties": {"b": {"anyOf": [{"type": "null"}, {"minimum": 5}]}}, "minimum": 5}
    other = {"definitions": {"a": {"oneOf": [inner, {"minimum": 5}]}}}
    if draft == BY_TEXT[0]:
        identifier = {"id": identifier["$id"]} if identifier else {}
    document = {"$schema": draft, **identifier, **other, "properties": {"v": {"anyOf": [reference, {"type": "null"}]}}}
    schema = Schema(json.dumps(document), "JSON", (SchemaReference("other", "other", 1),))
    validator = compile_json_schema(schema, lambda _: Schema(json.dumps(other), "JSON"))

    assert not list(validator.violations({"v": 5}))
    (found,) = validator.violations({"v": 4})
    assert (found.pointer, found.keyword) == ("/v", "minimum")
    assert found.message.endswith("(nearest branch: /properties/v/anyOf/0)")


@pytest.mark.parametrize("other", [*BY_TEXT, *BY_VALUE])
@pytest.mark.parametrize("draft", [*BY_TEXT, *BY_VALUE])
def test_branches_of_a_schema_in_another_draft_are_asked_too(draft: str, other: str) -> None:
    referred = {"$schema": other, "oneOf": [NULL, {"minimum": 5}]}
    document = {"$schema": draft, "allOf": [{"$ref": "other"}]}
    schema = Schema(json.dumps(document), "JSON", (SchemaReference("other", "other", 1),))
    (found,) = compile_json_schema(schema, lambda _: Schema(json.dumps(referred), "JSON")).violations(4)

    assert (found.keyword, found.schema_pointer) == ("minimum", "/oneOf/1/minimum")


def test_a_refusal_that_no_form_explains_is_still_one() -> None:
    inner = {"$id": "inner", "anyOf": [{"minimum": 5}], "properties": {"a": {"$ref": "#/anyOf/0"}}}
    (found,) = _violations({"properties": {"v": inner}}, {"v": {"a": 4}})

    assert (found.keyword, found.message) == ("schema", "the value does not conform to its schema")


def test_members_that_a_branch_declares_stay_declared_in_a_large_value() -> None:
    branches = [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {}}}]
    schema, value = _large({"anyOf": branches, "unevaluatedProperties": False, "minProperties": 3}, {"a": "x", "b": 1})
    (found,) = _violations({"$schema": BY_VALUE[0], **schema}, value)

    assert found.keyword == "minProperties"


@given(st.sampled_from([*BY_TEXT, *BY_VALUE]), SCHEMAS, st.lists(VALUES, min_size=1, max_size=5))
def test_a_large_value_is_explained_exactly_when_it_is_refused(draft: str, schema: Any, values: list[object]) -> None:
    validator = json_schema({"$schema": draft, **_large(schema, None)[0]})

    for value in values:
        large = {"v": value, "padding": PADDING}
        assert validator.is_valid(large) == (not list(validator.violations(large)))
