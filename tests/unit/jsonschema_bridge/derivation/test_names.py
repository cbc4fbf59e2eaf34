"""Avro names: legal, stable, and made of a schema's own place and title."""

from typing import Any

import pytest

from tests.derivations import avro, refusals

EMPTY: dict[str, Any] = {"type": "object", "additionalProperties": False}


def named(schema: Any, **options: Any) -> list[str]:
    """Return the names of the named types, in the order in which they stand in the text."""
    names: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            names.extend([part["name"]] if part.get("type") in ("record", "enum") else [])
            part = list(part.values())
        for below in part if isinstance(part, list) else []:
            walk(below)

    walk(avro(schema, **options))
    return names


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Order", "Order"),
        ("mediawiki/recentchange", "mediawiki_recentchange"),
        ("2nd order", "_2nd_order"),
        ("größe", "gr__e"),
        ("string", "string_"),
        ("", "Value"),
        (None, "Value"),
    ],
)
def test_the_root_is_called_by_its_title(title: str | None, name: str) -> None:
    schema = EMPTY if title is None else {**EMPTY, "title": title}

    assert named(schema) == [name]


def test_a_title_that_had_to_change_stands_in_the_doc() -> None:
    assert avro({**EMPTY, "title": "a/b", "description": "What it is."})["doc"] == "JSON Schema 'a/b'. What it is."
    assert avro({**EMPTY, "title": "ab", "description": "What it is."})["doc"] == "What it is."


def test_name_and_namespace_may_be_chosen() -> None:
    schema = {**EMPTY, "title": "T", "properties": {"a": EMPTY}}

    assert named(schema, name="Order", namespace="org.shop") == ["org.shop.Order", "org.shop.Order_a"]
    assert [each.reason for each in refusals(schema, name="an order", namespace="a-b.c")] == [
        "'an order' is not an Avro name",
        "'a-b' is not an Avro name",
    ]


def test_other_types_are_called_by_their_place_whatever_their_title() -> None:
    schema = {
        "title": "T",
        "type": "object",
        "properties": {
            "a": {**EMPTY, "title": "Other"},
            "list": {"type": "array", "items": EMPTY},
            "map": {"type": "object", "additionalProperties": EMPTY},
            "properties": EMPTY,
            "ref": {"$ref": "#/definitions/D%20e%20f"},
            "state": {"enum": ["on", "off"]},
            "alias": {"allOf": [{"$ref": "#/definitions/Known"}], "description": "only annotated"},
            "either": {"oneOf": [EMPTY, {"type": "string"}]},
        },
        "definitions": {"D e f": EMPTY, "Known": EMPTY},
    }

    assert named(schema) == [
        "T",
        "T_a",
        "T_list_items",
        "T_map_additionalProperties",
        "T_properties",
        "T_D_e_f",
        "T_state",
        "T_Known",
        "T_either_oneOf_0",
    ]


def test_a_merged_object_is_called_by_the_place_where_it_is_merged() -> None:
    part = {"type": "object", "properties": {"meta": {"type": "object", "properties": {"a": {"type": "null"}}}}}
    inner = {"type": "object", "properties": {"b": {"type": "null"}}}
    schema = {"title": "T", "allOf": [{"$ref": "#/definitions/P"}], "properties": {"meta": inner}}

    assert named({**schema, "definitions": {"P": part}}) == ["T", "T_meta"]


def test_an_object_that_two_merged_schemas_declare_is_called_by_both() -> None:
    part = {"type": "object", "properties": {"meta": EMPTY}}
    schema = {"title": "T", "allOf": [{"$ref": "#/definitions/P"}, {"$ref": "#/definitions/Q"}]}

    assert named({**schema, "definitions": {"P": part, "Q": part}}) == ["T", "T_P_meta_and_T_Q_meta"]


def test_the_alternatives_of_an_object_are_called_by_their_places() -> None:
    kinds = [{"properties": {"kind": {"const": kind}}} for kind in ("cat", "dog")]
    schema = {"title": "T", "type": "object", "properties": {"kind": {"type": "string"}}, "oneOf": kinds}

    assert named(schema) == ["T_oneOf_0", "T_oneOf_0_kind", "T_oneOf_1", "T_oneOf_1_kind"]


def test_a_member_whose_name_is_no_avro_name_keeps_it_in_the_doc() -> None:
    schema = {**EMPTY, "properties": {"$id": {"type": "null", "description": "Which."}, "1st": {"type": "null"}}}

    assert [(field["name"], field["doc"]) for field in avro(schema)["fields"]] == [
        ("_id", 'JSON name "$id". Which.'),
        ("_1st", 'JSON name "1st".'),
    ]


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        (
            {"type": "object", "properties": {"a-b": {"type": "null"}, "a_b": {"type": "null"}}},
            "/properties/a_b",
            "the Avro name would be 'a_b', which is the name of /properties/a-b",
        ),
        (
            {"type": "object", "properties": {"a": {**EMPTY, "properties": {"b": EMPTY}}, "a_b": EMPTY}},
            "/properties/a/properties/b",
            "the Avro name would be 'Value_a_b', which is the name of /properties/a_b",
        ),
        (
            {"title": "x", "type": "object", "properties": {"additionalProperties": {"type": "null"}}},
            "",
            "a member has the name 'additionalProperties', which Avro needs for the others",
        ),
    ],
)
def test_a_name_that_two_would_have_is_refused(schema: object, pointer: str, reason: str) -> None:
    assert [(each.pointer, each.reason) for each in refusals(schema, extra="map")] == [(pointer, reason)]


def test_a_schema_that_is_referred_to_is_called_by_its_title_or_its_reference() -> None:
    others = {"titled.json": {**EMPTY, "title": "Known"}, "dir/plain.json": {**EMPTY, "properties": {"in": EMPTY}}}
    schema = {"title": "T", "type": "object", "properties": {name[0]: {"$ref": name} for name in others}}

    fields = avro(schema, others)["fields"]
    assert [field["type"][1]["name"] for field in fields] == ["Known", "dir_plain_json"]
    assert fields[1]["type"][1]["fields"][0]["type"][1]["name"] == "dir_plain_json_in"
