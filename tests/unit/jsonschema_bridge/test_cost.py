"""How long judging may take is known before it begins."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jsonschema_bridge import JsonSchemaValidator, Schema, SchemaInvalid, compile_json_schema
from jsonschema_bridge.cost import MOST_JUDGEMENTS, MOST_STEPS, Cost, cost_of
from jsonschema_bridge.references import BASE
from jsonschema_bridge.strictness import Strictness
from tests.compiling import json_schema, no_reference

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def judgements(document: object, **known: object) -> list[int]:
    return list(cost_of(document, {f"{BASE}{name}": other for name, other in known.items()}).judgements)


def twice(levels: int, keyword: str) -> dict[str, Any]:
    """Return a schema in which each of `levels` definitions refers to the next one twice."""
    definitions: dict[str, Any] = {f"d{levels}": {"type": "integer"}}
    for level in range(levels):
        definitions[f"d{level}"] = {keyword: [{"$ref": f"#/definitions/d{level + 1}"}] * 2}
    return {"$ref": "#/definitions/d0", "definitions": definitions}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"properties": {"a": {"items": {"type": "string"}}}}, id="each part by one schema"),
        pytest.param({"properties": {f"p{n}": {} for n in range(1000)}}, id="many members"),
        pytest.param({"enum": [*map(str, range(1000)), None, True]}, id="an enum of texts"),
        pytest.param({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, id="declared and others"),
    ],
)
def test_what_most_schemas_ask_is_asked_once_of_each_part(document: object) -> None:
    assert judgements(document) == [1]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({"oneOf": [{}, {"allOf": [{}, {}]}]}, [5], id="branches, and branches in them"),
        pytest.param({"items": {"anyOf": [{}] * 9}}, [1, 10], id="branches of items"),
        pytest.param({"not": {"if": {}, "then": {}, "else": {}}}, [5], id="conditions"),
        pytest.param({"enum": [[], "a"]}, [3], id="an enum with containers"),
        pytest.param({"enum": [1, 2, "a"]}, [4], id="an enum with numbers"),
        pytest.param({"allOf": [True, False]}, [3], id="schemas that are no objects"),
        pytest.param({"patternProperties": {"a": {}, "b": {}}}, [1, 4], id="patterns, tested and asked"),
        pytest.param({"propertyNames": {}, "properties": {"a": {}}}, [1, 2], id="names"),
        pytest.param({"dependencies": {"a": {}, "b": ["c"]}}, [4], id="dependencies"),
        pytest.param({"$schema": DRAFT_2020, "dependentRequired": {"a": ["b"], "c": []}}, [3], id="required names"),
        pytest.param({"$ref": "#/definitions/a", "anyOf": [{}] * 9, "definitions": {"a": {}}}, [2], id="only a $ref"),
        pytest.param({"$schema": DRAFT_2020, "allOf": [{}], "unevaluatedProperties": False}, [3], id="what is left"),
        pytest.param({"properties": {"next": {"$ref": "#"}}}, [2], id="a list that refers to itself"),
        pytest.param({"allOf": [{"$ref": "#"}]}, [4], id="itself, without a way down"),
    ],
)
def test_all_that_is_asked_of_a_part_counts(document: object, expected: list[int]) -> None:
    assert judgements(document) == expected


def test_it_grows_with_the_levels_as_long_as_no_schema_is_met_again() -> None:
    row: dict[str, Any] = {"items": {}}
    for _ in range(3):
        row = {"allOf": [{"items": row}, {"items": row}]}

    assert judgements(row) == [3, 6, 12]


def test_it_does_not_grow_for_ever_where_a_schema_is_met_again() -> None:
    assert judgements({"allOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}) == [6]


def test_other_documents_and_dynamic_anchors_count() -> None:
    assert judgements({"$ref": "other"}, other={"allOf": [{}, {}]}) == [4]
    tree = {"$schema": DRAFT_2020, "$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}}
    assert judgements(tree) == [2]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_an_exponential_graph_of_references_is_refused(keyword: str) -> None:
    with pytest.raises(SchemaInvalid, match=f"may be judged 10\\^18 times, more than {MOST_JUDGEMENTS}"):
        json_schema(twice(59, keyword))


def test_so_is_an_enum_of_too_many_containers() -> None:
    with pytest.raises(SchemaInvalid, match="may be judged 10001 times"):
        json_schema({"enum": [[number] for number in range(MOST_JUDGEMENTS)]})


def test_so_is_what_is_left_over_again_and_again() -> None:
    schema: dict[str, Any] = {}
    for _ in range(20):
        schema = {"allOf": [schema], "unevaluatedProperties": False}
    with pytest.raises(SchemaInvalid, match="may be judged"):
        json_schema({**schema, "$schema": DRAFT_2020})


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(twice(250, "allOf"), id="references in a long row"),
        pytest.param({"items": {"anyOf": [{"$ref": "#"}] * 40_000}}, id="very many references"),
    ],
)
def test_a_schema_that_is_too_entangled_to_tell_is_refused(document: object) -> None:
    with pytest.raises(SchemaInvalid, match="too entangled"):
        json_schema(document)


def test_a_value_of_too_many_parts_is_refused_before_it_is_judged() -> None:
    validator = json_schema({"items": {"oneOf": [{"const": number} for number in range(1000)]}})

    assert validator.is_valid([999] * (MOST_STEPS // 1001 - 1))
    assert not validator.is_valid([999] * (MOST_STEPS // 1001 + 1))
    [violation] = validator.violations([999] * (MOST_STEPS // 1001 + 1))
    assert violation.keyword == "cost"


def test_long_texts_count_where_they_are_looked_at_often() -> None:
    validator = json_schema({"allOf": [{"pattern": f"[a-z]{number}$"} for number in range(1000)] + [True]})
    plain = json_schema({"pattern": "a$"})

    assert "cost" not in keywords(validator, "a" * 100_000)
    assert keywords(validator, "a" * 200_000) == ["cost"]
    assert keywords(validator, {"a" * 200_000: 1}) == ["cost"]
    assert plain.is_valid("a" * 1_000_000)


def keywords(validator: JsonSchemaValidator, value: object) -> list[str]:
    return [violation.keyword for violation in validator.violations(value)]


def test_a_pattern_that_may_look_at_all_of_a_text_from_each_place_takes_short_ones_only() -> None:
    validator = json_schema({"properties": {"a": {"pattern": "(?=[ab]*c)d"}}})

    assert keywords(validator, {"a": "ab" * 5_000}) == ["pattern"]
    assert keywords(validator, {"a": "ab" * 100_000}) == ["cost"]


def test_unique_items_may_be_many_but_for_long_integers() -> None:
    validator = json_schema({"uniqueItems": True})

    assert validator.is_valid([*range(200_000)])
    assert validator.is_valid([10**25 + number for number in range(500)])
    assert keywords(validator, [[10**25 + number] for number in range(1000)]) == ["cost"]


def nested(levels: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


def test_a_schema_that_refers_to_itself_in_many_ways_judges_deep_values_in_no_time() -> None:
    """The validator remembers what it said of a part by which schema; without that this would not end."""
    operand = {"anyOf": [{"type": "number"}, {"$ref": "#/definitions/expression"}]}
    forms = {
        f"form{n}": {"properties": {"right": operand, "left": operand, "op": {"const": n}}, "required": ["op"]}
        for n in range(8)
    }
    branches = [{"$ref": f"#/definitions/{name}"} for name in forms]
    expression = {"type": "object", "oneOf": branches}
    validator = json_schema({"$ref": "#/definitions/expression", "definitions": {"expression": expression, **forms}})

    assert validator.is_valid(nested(60, lambda value: {"op": 7, "left": value, "right": 1}))
    assert not validator.is_valid(nested(60, lambda value: {"left": value, "right": 1}))


TWO_WAYS = [{"properties": {"n": {"$ref": "#"}}, "required": ["n"]}] * 2


def test_a_deep_value_of_a_schema_that_refers_to_itself_twice_is_not_looked_through_for_unknown_fields() -> None:
    """Nothing is remembered there: each level would double the work."""
    schema = Schema(json.dumps({"anyOf": [*TWO_WAYS, {"type": "integer"}]}), "JSON")
    validator = compile_json_schema(schema, no_reference, Strictness(unknown_fields="refuse"))
    shallow, deep = (nested(levels, lambda value: {"n": value}) for levels in (10, 60))

    assert validator.is_valid(shallow)
    assert not validator.is_valid(deep)
    assert keywords(validator, deep) == ["cost"]


def test_nor_is_it_explained_where_both_ways_hold() -> None:
    validator = json_schema({"allOf": [{"properties": {"n": {"$ref": "#"}}}] * 2, "type": "object"})
    shallow, deep = (nested(levels, lambda value: {"n": value}) for levels in (2, 60))

    assert set(keywords(validator, shallow)) == {"type"}
    assert keywords(validator, deep) == ["schema"]


def test_where_one_way_leads_back_depth_multiplies_nothing() -> None:
    tree = {"properties": {"n": {"$ref": "#"}}, "type": ["object", "integer"]}
    validator = compile_json_schema(Schema(json.dumps(tree), "JSON"), no_reference, Strictness(unknown_fields="refuse"))

    assert validator.is_valid(nested(150, lambda value: {"n": value}))


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_ring_of_schemas_that_doubles_at_every_step_is_refused(keyword: str) -> None:
    names = [f"d{number}" for number in range(30)]
    definitions = {
        name: {keyword: [{"items": {"$ref": f"#/definitions/{after}"}}] * 2}
        for name, after in zip(names, [*names[1:], names[0]], strict=True)
    }
    with pytest.raises(SchemaInvalid, match="may be judged"):
        json_schema({"$ref": "#/definitions/d0", "definitions": definitions})


def test_parts_are_counted_only_where_one_is_judged_twice() -> None:
    assert Cost([1]).is_free
    assert not Cost([1]).exceeds([1] * 2 * MOST_STEPS)
    assert not Cost([1, 2]).is_free
    assert Cost([1, 2]).exceeds([1, 2, {"a": [3]}], steps=10)
    assert not Cost([1, 2]).exceeds([1, 2, {"a": [3]}], steps=11)


def test_multiples_of_a_fraction_count_more_than_once() -> None:
    assert judgements({"multipleOf": 0.01}) == [21]
    assert judgements({"multipleOf": 5}) == [1]


def test_a_long_line_on_a_map_is_no_large_value() -> None:
    """Eight kinds of geometry are alternatives, and a line has many points."""
    point = {"type": "array", "items": {"type": "number"}, "minItems": 2}
    kinds = [("Point", point), ("LineString", {"type": "array", "items": point})]
    kinds += [(f"Other{number}", {"type": "array"}) for number in range(6)]
    geometry = [{"properties": {"type": {"const": kind}, "coordinates": where}} for kind, where in kinds]
    validator = json_schema({"type": "object", "oneOf": geometry})

    assert validator.is_valid({"type": "LineString", "coordinates": [[13.4, 52.5]] * 25_000})
