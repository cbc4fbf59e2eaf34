"""What is read of a pattern is what the engine matches, and what is written out of it has the sets it can meet."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonschema_bridge.automaton import Automaton, places
from jsonschema_bridge.pattern_reading import Characters, Choice, Group, Look, Node, Place, Repetition, Row, read
from tests.compiling import json_schema

ATOMS = [
    "a",
    "b",
    "-",
    r"\-",
    r"\.",
    ".",
    r"\d",
    r"\W",
    r"\n",
    r"\x61",
    r"\u0062",
    "[ab]",
    "[^a-c]",
    r"[\d.-]",
    r"[^\]\\]",
]
ATOMS += ["[a-]", "[-a]", r"\b", "^", "$"]
TIMES = ["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{1,2}?"]
TEXTS = st.text("abc1-.]\\ \n\u00e9", max_size=6)


def _longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.builds("{}{}){}".format, st.sampled_from(["(", "(?:", "(?<n>"]), inner, st.sampled_from(TIMES))
    looks = st.builds("({}{})".format, st.sampled_from(["?=", "?!"]), inner)
    return st.one_of(groups, looks, st.builds("{}{}".format, inner, inner), st.builds("{}|{}".format, inner, inner))


def _atom(atom: str, times: str) -> str:
    return atom if atom in ("^", "$", r"\b") else atom + times


PATTERNS = st.recursive(st.builds(_atom, st.sampled_from(ATOMS), st.sampled_from(TIMES)), _longer, max_leaves=6)


def written(node: Node) -> str:
    """Write what was read as a pattern of Python's."""
    if isinstance(node, Characters):
        ranges = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in node.ranges)
        return f"[{'^' * node.others}{ranges}]"
    if isinstance(node, Row):
        return "".join(map(written, node.parts))
    if isinstance(node, Choice):
        return f"(?:{'|'.join(map(written, node.parts))})"
    if isinstance(node, Repetition):
        most = "" if node.most is None else node.most
        return f"(?:{written(node.part)}){{{node.least},{most}}}{'' if node.greedy else '?'}"
    if isinstance(node, Group):
        return f"(?:{written(node.part)})"
    if isinstance(node, Look):
        raise TypeError(node)
    return {"^": "^", "$": r"\Z", "b": r"\b"}[node.which]


@given(
    PATTERNS.filter(lambda pattern: "?=" not in pattern and "?!" not in pattern and pattern.count("?<n>") < 2), TEXTS
)
def test_what_is_read_matches_what_the_engine_matches(pattern: str, text: str) -> None:
    assert bool(re.search(written(read(pattern)), text)) == json_schema({"pattern": pattern}).is_valid(text)


@given(PATTERNS)
def test_all_usual_ways_of_writing_are_read(pattern: str) -> None:
    assert places(read(pattern)) >= 1


@pytest.mark.parametrize(
    ("pattern", "different"),
    [
        pytest.param("^abc", 3, id="one place after the other"),
        pytest.param("^a*b", 1, id="a repetition"),
        pytest.param("^(a|b)c$", 3, id="a choice"),
        pytest.param("^[ab]*a[ab]{3}[c-z]", 2**4, id="a choice that is remembered"),
        pytest.param(r"^\p{L}{3}\d$", 5, id="sets of which only the names are known"),
    ],
)
def test_sets_of_places_are_counted(pattern: str, different: int) -> None:
    sets = Automaton(read(pattern)).sets(10_000)

    assert (sets.different, sets.complete) == (different + 1, True)  # and where nothing can follow


def test_counting_ends_where_there_are_too_many() -> None:
    assert not Automaton(read("[ab]*a[ab]{50}c")).sets(10_000).complete
    assert not Automaton(read("[" + "ac" * 500 + "]" + "b" * 500)).sets(100).complete
    assert places(read("a" + "{1000}")) == 1000
    assert places(Place("^")) == 1
