"""How schemas that hold at once are merged, and schemas of which one holds are told apart."""

from typing import Any

import pytest

from tests.derivations import avro, back, derived, refusals, rules

A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
B = {"properties": {"b": {"type": "boolean"}}}


def fields(schema: object, **options: Any) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in avro(schema, **options)["fields"]}


def test_all_of_is_one_record_with_the_members_of_all() -> None:
    schema = {"allOf": [A, B], "properties": {"c": {"type": "null"}}, "required": ["b"]}

    assert fields(schema) == {"a": "string", "b": "boolean", "c": "null"}
    assert rules(derived(schema)) == [("", "extra")]


def test_a_member_that_several_declare_satisfies_all_of_them() -> None:
    parts = [{"properties": {"m": {"type": kinds}}} for kinds in (["string", "integer", "null"], ["integer", "null"])]

    assert fields({"type": "object", "allOf": parts, "required": ["m"]}) == {"m": ["null", "long"]}


def test_a_part_that_is_closed_closes_all() -> None:
    schema = {"allOf": [{**A, "additionalProperties": False}, B]}

    assert fields(schema) == {"a": "string"}
    assert rules(derived(schema)) == []


def test_enums_that_hold_at_once_leave_what_they_share() -> None:
    schema = {"title": "T", "allOf": [{"enum": ["a", "b", 1, True]}, {"enum": ["b", "c", True]}], "type": "string"}

    assert avro(schema) == {"type": "enum", "name": "T", "symbols": ["b"]}


def test_what_stands_beside_a_reference_counts_since_2019_only() -> None:
    schema = {"$ref": "#/definitions/A", "properties": {"b": {"type": "boolean"}}, "definitions": {"A": A}}

    assert set(fields(schema)) == {"a"}
    draft = "https://json-schema.org/draft/2019-09/schema"
    assert set(fields({"$schema": draft, **schema})) == {"a", "b"}


def test_a_type_beside_alternatives_that_have_it_changes_nothing() -> None:
    schema = {"title": "T", "type": "object", "oneOf": [{"$ref": "#/definitions/A"}], "definitions": {"A": A}}

    assert avro(schema)["name"] == "T_A"


def test_alternatives_of_one_kind_are_merged_where_avro_has_one_type_for_them() -> None:
    lists = [{"type": "array", "items": {"type": kind}} for kind in ("string", "boolean")]
    maps = [{"type": "object", "additionalProperties": {"type": kind}} for kind in ("string", "boolean")]
    enums = [{"enum": ["a"]}, {"enum": ["b"]}]

    assert avro({"anyOf": lists}) == {"type": "array", "items": ["boolean", "string"]}
    assert avro({"anyOf": maps}) == {"type": "map", "values": ["boolean", "string"]}
    assert avro({"anyOf": enums}) == {"type": "enum", "name": "Value_anyOf_0_or_Value_anyOf_1", "symbols": ["a", "b"]}
    assert avro({"anyOf": [*enums, {"type": "string"}]}) == "string"


@pytest.mark.parametrize(
    "narrowing",
    [
        {"anyOf": [{"required": ["b"]}, {"required": ["c"]}]},
        {"not": {"required": ["z"]}},
        {"if": {"required": ["b"]}, "then": {"required": ["c"]}},
        {"minProperties": 1, "propertyNames": {"maxLength": 9}, "dependencies": {"b": ["c"]}},
    ],
)
def test_keywords_that_only_narrow_leave_the_form_alone(narrowing: dict[str, Any]) -> None:
    assert avro({**A, **narrowing}) == avro(A)


def test_an_alternative_that_takes_anything_takes_all() -> None:
    assert avro({"anyOf": [A, {}]}, untyped="json") == "string"
    assert [each.reason for each in refusals({"anyOf": [A, True]})] == [
        'it gives no type; untyped = "json" would carry it as JSON text'
    ]


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"allOf": [A, B]}, True),
        ({**A, "anyOf": [{**B, "type": "object"}]}, True),
        ({"allOf": [A, {"if": A, "then": B}]}, False),
        ({"allOf": [A, {"patternProperties": {"^x": {"type": "null"}}}]}, False),
        ({**A, "anyOf": [B, True]}, False),
    ],
)
def test_unevaluated_properties_close_an_object_when_nothing_else_can_bring_in_members(
    schema: dict[str, Any], closed: bool
) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "unevaluatedProperties": False, **schema}

    assert ([rule for _, rule in rules(derived(schema))] == []) is closed


@pytest.mark.parametrize("draft", ["draft/2019-09", "draft/2020-12"])
def test_a_tuple_is_an_array_of_what_stands_anywhere_in_it(draft: str) -> None:
    head, rest = ("prefixItems", "items") if draft == "draft/2020-12" else ("items", "additionalItems")
    schema = {
        "$schema": f"https://json-schema.org/{draft}/schema",
        "type": "array",
        head: [{"type": "string"}, {"type": "boolean"}],
    }

    assert avro({**schema, rest: {"type": "null"}}) == {"type": "array", "items": ["null", "boolean", "string"]}
    assert avro({**schema, rest: False}) == {"type": "array", "items": ["boolean", "string"]}
    assert avro({**schema, "maxItems": 1}) == {"type": "array", "items": "string"}
    assert refusals(schema)


def test_keywords_of_other_drafts_mean_nothing() -> None:
    draft_4 = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "string", "const": "a"}

    assert avro(draft_4) == "string"
    assert avro({"type": "array", "prefixItems": [{"type": "null"}], "items": {"type": "string"}}) == {
        "type": "array",
        "items": "string",
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"allOf": [{"$ref": "#/definitions/D"}], "definitions": {"D": {"allOf": [{"$ref": "#/definitions/D"}]}}},
    ],
)
def test_a_schema_that_leads_back_to_itself_is_refused(schema: object) -> None:
    assert [each.reason for each in refusals(schema)] == ["the schema leads back to itself with nothing in between"]


def test_recursion_without_an_object_in_between_is_json_text_by_option() -> None:
    tree = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]}

    assert [each.pointer for each in refusals(tree)] == ["/anyOf/1"]
    assert avro(tree, untyped="json") == ["string", {"type": "array", "items": "string"}]
    value = ["a", ["b", ["c"]]]
    assert back(derived(tree, untyped="json"), value) == value


def test_too_many_combinations_are_refused() -> None:
    groups = [{"anyOf": [{"properties": {f"{one}{two}": {"type": "null"}}} for two in range(5)]} for one in range(4)]

    assert "more than 256 combinations of alternatives" in refusals({"type": "object", "allOf": groups})[0].reason


def test_what_many_references_lead_to_is_looked_at_once() -> None:
    definitions: dict[str, Any] = {"D0": A}
    for number in range(1, 12):
        twice = [{"$ref": f"#/definitions/D{number - 1}"}] * 2
        definitions[f"D{number}"] = {"anyOf": twice} if number % 2 else {"allOf": twice}

    assert set(fields({"$ref": "#/definitions/D11", "definitions": definitions})) == {"a"}
