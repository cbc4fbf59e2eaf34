"""Patterns that people write cost nothing for a character; those that take long count for every one."""

from collections.abc import Callable

import pytest

from jsonschema_bridge.cost import cost_of
from jsonschema_bridge.pattern_reading import Unreadable, read
from jsonschema_bridge.pattern_weights import PatternWeight, PatternWeights
from tests.compiling import json_schema

HEX = "[0-9a-fA-F]"
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
NUMBER = "(0|[1-9][0-9]*)"
BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
USUAL = [
    r"^[^/]+$",
    r"^[\d\w-]+$",
    r"^\d{1,2}\/\d{1,7}\/\d{1,7}$",
    f"^{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}$",
    f"({HEX}{{1,4}}:){{7}}{HEX}{{1,4}}",
    f"^({BYTE}\\.){{3}}{BYTE}$",
    r"^[\p{L} ]{1,255}$",
    r"^[\p{L}\s'-]{1,255}$",
    r"^\p{L}+([ '-]\p{L}+)*$",
    r"^\p{Lu}\p{Ll}*( \p{Lu}\p{Ll}*)*$",
    r"^[\u0400-\u04ff -]{2,40}$",
    r"^\d{4}-\d{2}-\d{2}$",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$",
    r"^([01]\d|2[0-3]):[0-5]\d$",
    r"\d{4}-\d{2}-\d{2}",
    r"^P(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$",
    r"^[^\s@]+@[^\s@]+\.[^\s@]+$",
    r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$",
    f"^[a-z0-9._%+-]{{1,64}}@({LABEL}\\.)+[a-z]{{2,63}}$",
    f"^{LABEL}(\\.{LABEL})*$",
    r"https?://\S+",
    r"^(https?|ftp)://[\w.-]+(:\d{1,5})?(/[^?#]*)?(\?[^#]*)?(#.*)?$",
    r"^s3://[^/]+/.+$",
    f"^{NUMBER}\\.{NUMBER}\\.{NUMBER}(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$",
    r"^[A-Z]{2}\d{2}[A-Z0-9]{1,30}$",
    f"^#({HEX}{{3}}|{HEX}{{6}})$",
    r"^\+?[1-9]\d{1,14}$",
    r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    r"^[a-z]{0,5000}$",
    r"^.{1,1000}$",
    r"^\S+(\s\S+)*$",
    r"^\s*\S[\s\S]*$",
    r"\.(jpg|png|gif)$",
    r"^x-",
    "error|warn(ing)?|fatal",
    "^(" + "|".join(a + b for a in "ABCDEFGHIJKLM" for b in "NOPQRSTUVWXYZABCDEF") + ")$",
    r"^(?!\s*$).+",
    r"^(?=.*[a-z])(?=.*\d)[a-z\d]{8,64}$",
]
MANY = "(a?){5000}[c-z]"
WIDE = "[ab]*a[ab]{50}[c-z]"
"""There are 2^50 sets of places at which a text of a and b may be."""


def weight(pattern: str) -> PatternWeight:
    return PatternWeights().of(pattern)


@pytest.mark.parametrize("pattern", USUAL)
def test_usual_patterns_weigh_nothing(pattern: str) -> None:
    assert weight(pattern) == (0, 0)
    assert cost_of({"properties": {"a": {"pattern": pattern}}}, {}).is_free


@pytest.mark.parametrize(
    ("pattern", "characters"),
    [
        pytest.param(WIDE, 3 + 55 // 6, id="a choice that is remembered"),
        pytest.param("^" + MANY, 3 + 10_002 // 6, id="many optional parts"),
        pytest.param("^" + "a?" * 2000 + "[c-z]$", 3 + 4003 // 6, id="the same, written out"),
        pytest.param("^(x{0,1}y{0,1}){2000}[c-f]", 3 + 8002 // 6, id="several optional parts"),
        pytest.param("[a-z]{0,5000}[0-9]", 3 + 10_001 // 6, id="a long class that may begin anywhere"),
        pytest.param("a.{1000}[0-9]", 3 + 1002 // 6, id="any characters after one"),
        pytest.param(r"a\p{L}{100}[0-9]", 3 + 102 // 6, id="letters of any script after one"),
        pytest.param("(" + "|".join(f"[ab]{{{n}}}c" for n in range(90)) + ")$", 3 + 4097 // 6, id="alternatives"),
        pytest.param("(a?){30000}[c-z]", 3 + 60_001 // 6, id="more than is written out"),
    ],
)
def test_patterns_with_many_open_places_weigh_what_they_take(pattern: str, characters: int) -> None:
    assert weight(pattern) == (characters, 0)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(r"^(?!\s*$)(?=.*[a-z]).{1,20}$", (0, 0), id="ahead, at the start only"),
        pytest.param(r"^(?=.{0,1000}[ab]{3}.{1000}x)", (3 + 3006 // 6, 0), id="something slow at the start"),
        pytest.param("^((?!foo).)*$", (0, 1), id="from each place"),
        pytest.param(f"^\\b|{WIDE}", (0, 1 + 128 * (3 + 58 // 6)), id="something slow where the first way may fail"),
        pytest.param("(?=a)b|(?=c)d", (0, 2), id="two from each place"),
        pytest.param("(?<!a)b", (0, 1), id="behind"),
        pytest.param(r"^\bab*c", (0, 1), id="the edge of a word"),
        pytest.param(r"^(a)\1", (0, 48), id="what a group took"),
        pytest.param("(?=([a-z]+))b", (0, 48), id="a group that is remembered"),
        pytest.param(f"(?={MANY})a", (0, 48 + 128 * (3 + 10_002 // 6)), id="something slow from each place"),
    ],
)
def test_look_around_counts_by_where_it_stands(pattern: str, expected: tuple[int, int]) -> None:
    assert weight(pattern) == expected


@pytest.mark.parametrize(
    "pattern", ["[[]", "[a&&b]", r"\cA", r"\u{61}", "(?i:a)", "(" * 101 + ")" * 101, "(", ")", "*"]
)
def test_what_is_rare_is_not_read(pattern: str) -> None:
    with pytest.raises(Unreadable):
        read(pattern)


def test_what_is_not_read_weighs_by_its_size() -> None:
    assert weight("[[]") == (3 + 2**12 // 64 // 6, 0)
    assert weight(r"(\cA?){5000}").characters > weight(r"(\x01?){5000}").characters / 2
    assert weight(r"(?!\cA)(\cA?){5000}").pairs > 128 * 300


def test_where_there_are_too_many_patterns_to_look_at_the_rest_counts_as_slow() -> None:
    patterns = PatternWeights()
    for number in range(11):
        patterns.of(WIDE + str(number))

    assert weight("^[a-z]{1,20}$").characters == 0
    assert patterns.of("^[a-z]{1,20}$").characters > 0


@pytest.mark.parametrize(
    ("schema", "wrap"),
    [
        pytest.param({"pattern": "^" + MANY}, lambda text: text, id="a text"),
        pytest.param({"items": {"pattern": "^" + MANY}}, lambda text: [text], id="an item"),
        pytest.param({"propertyNames": {"pattern": "^" + MANY}}, lambda text: {text: 1}, id="a name"),
        pytest.param({"patternProperties": {"^" + MANY: True}}, lambda text: {text: 1}, id="a name to tell by"),
    ],
)
def test_long_texts_are_not_matched_with_slow_patterns(schema: object, wrap: Callable[[str], object]) -> None:
    validator = json_schema(schema)

    assert "cost" not in {violation.keyword for violation in validator.violations(wrap("a" * 100))}
    assert {violation.keyword for violation in validator.violations(wrap("a" * 1000))} == {"cost"}


def test_many_short_texts_are_one_long_one() -> None:
    cost = cost_of({"items": {"pattern": "^[ab]{0,127}a[ab]{0,127}[c-z]$"}}, {})

    assert not cost.exceeds(["ab" * 100] * 50)
    assert cost.exceeds(["ab" * 100] * 100)


def test_characters_that_take_several_bytes_count_as_several() -> None:
    cost = cost_of({"pattern": "a.{1000}[0-9]"}, {})

    assert not cost.exceeds("a" * 5_000)
    assert cost.exceeds("\U0001f600" * 5_000)
    assert cost.exceeds("\ud83d" * 5_000)


def test_all_patterns_for_one_text_count() -> None:
    cost = cost_of({"allOf": [{"pattern": WIDE}] * 10}, {})

    assert cost.slow.characters == 10 * weight(WIDE).characters
