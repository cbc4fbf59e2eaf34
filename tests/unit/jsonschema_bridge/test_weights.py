"""What a schema asks by itself has its true weight: numbers that are compared slowly count more."""

from typing import Any

import pytest

from jsonschema_bridge.cost import MOST_STEPS, cost_of
from jsonschema_bridge.pattern_weights import PatternWeights
from jsonschema_bridge.weights import Weight, is_long, of, of_number
from tests.compiling import json_schema

LONG = 10**900


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, Weight(1, 0)),
        ({"const": "a"}, Weight(1, 0)),
        ({"const": True}, Weight(1, 0)),
        ({"const": 7}, Weight(1, 1)),
        ({"const": 1.5}, Weight(11, 1)),
        ({"const": [1, 2, 1.5, "a"]}, Weight(11, 1)),
        ({"const": {"a": "b"}}, Weight(2, 0)),
        ({"enum": ["a", None]}, Weight(1, 0)),
        ({"enum": [1, 2, "a"]}, Weight(4, 2)),
        ({"enum": [1.5, [2.5]]}, Weight(23, 2)),
        ({"minimum": 0, "maximum": 18446744073709552000}, Weight(1, 0)),
        ({"minimum": -180.5, "exclusiveMaximum": 180.5}, Weight(1, 2)),
        ({"multipleOf": 5}, Weight(1, 0)),
        ({"multipleOf": 0.01}, Weight(21, 1)),
        ({"multipleOf": 1e-300}, Weight(110, 1)),
    ],
)
def test_comparisons_with_numbers_count(schema: dict[str, Any], expected: Weight) -> None:
    assert of(schema, PatternWeights()) == expected


def test_the_longer_a_number_is_written_out_the_more_it_counts() -> None:
    assert [of_number(number) for number in (7, 7.5, 1e300, 1e-10, 1e-300, 10**20, LONG)] == [0, 10, 10, 13, 109, 4, 27]
    assert [is_long(number) for number in (7, -(2**61), 2**62, -LONG, 1e300)] == [False, False, True, True, False]


CONSTANTS = {"items": {"oneOf": [*({"const": number} for number in range(999)), {"const": 1.5}]}}


@pytest.mark.parametrize(
    ("schema", "number", "most"),
    [
        pytest.param(CONSTANTS, 998, 950, id="integers"),
        pytest.param(CONSTANTS, 1.5, 85, id="fractions"),
        pytest.param(CONSTANTS, 1e-300, 8, id="fractions of many digits"),
        pytest.param({"items": {"enum": [*range(999), 1.5]}}, 1.5, 85, id="fractions in an enum"),
        pytest.param({"items": {"enum": [[number] for number in range(1000)]}}, [1.5], 80, id="fractions in arrays"),
        pytest.param({"items": {"allOf": [{"minimum": -n} for n in range(99)]}}, LONG, 12, id="very long integers"),
    ],
)
def test_slow_comparisons_leave_fewer_numbers(schema: dict[str, Any], number: object, most: int) -> None:
    cost = cost_of(schema, {})

    assert not cost.exceeds([number] * most)
    assert cost.exceeds([number] * (most + most // 2))


def test_a_fraction_between_fractions_counts_where_there_are_very_many() -> None:
    validator = json_schema({"items": {"minimum": -180.0, "maximum": 180.0}})

    assert validator.is_valid([13.4] * 40_000)
    assert not validator.is_valid([13.4] * 60_000)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "number", "minimum": 0, "maximum": 9007199254740991}}},
        {"properties": {"a": {"enum": ["a", "b", None]}, "b": {"const": "x"}}},
    ],
)
def test_without_slow_comparisons_nothing_is_counted(schema: object) -> None:
    assert cost_of(schema, {}).is_free


def test_names_count_as_what_is_judged_below() -> None:
    """Patterns for names are asked about each name of an object."""
    cost = cost_of({"propertyNames": {"allOf": [{"pattern": f"[a-z]{n}$"} for n in range(999)]}}, {})

    assert not cost.exceeds({"a" * 100_000: 1})
    assert cost.exceeds({"a" * 200_000: 1})


def test_a_name_that_stands_in_a_value_twice_counts_twice() -> None:
    name = "a" * 10_000
    cost = cost_of({"items": {"propertyNames": {"allOf": [True] * 999}}}, {})

    assert not cost.exceeds([{name: 1}])
    assert cost.exceeds([{name: 1}] * (2 * MOST_STEPS * 128 // 1000 // len(name)))
