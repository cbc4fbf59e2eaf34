"""What a pattern is made of, as far as that tells how long matching it takes.

Only what patterns usually are is read. Anything else is unreadable, and may be so: a pattern that is not read counts as
the slowest of its size. Nothing that the engine repeats may be read as less than it is, so in doubt nothing is read.
"""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[pP]\{[\w=:-]*\}|.))"
    r"|(?P<set>\[\^?(?:[^\][\\]|\\.)*\])"
    r"|(?P<group>\((?:\?(?:[:=!]|<[=!]|<\w+>))?)"
    r"|(?P<times>(?:[*+?]|\{\d{1,6}(?:,\d{0,6})?\})\??)"
    r"|(?P<other>[^\\\[\]({*+?])",
    re.DOTALL,
)
_IN_SET = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[pP]\{[\w=:-]*\}|.)|.", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_DEEPEST = 100  # groups within each other


class Unreadable(ValueError):
    """A pattern has something in it that is not read here."""


class Characters(NamedTuple):
    """A set of characters: ranges of code points, and sets by name, of which more is not known."""

    ranges: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[str, bool], ...] = ()
    """A name, and whether all others are meant."""

    others: bool = False
    """Whether all characters are meant that are in none of these."""


class Row(NamedTuple):
    """One after the other."""

    parts: tuple["Node", ...]


class Choice(NamedTuple):
    """One of several."""

    parts: tuple["Node", ...]


class Repetition(NamedTuple):
    """One of these `least` times or more often, at most `most` times."""

    part: "Node"
    least: int
    most: int | None
    greedy: bool


class Group(NamedTuple):
    """What is remembered of a text once it is matched."""

    part: "Node"


class Look(NamedTuple):
    """What is looked for, but not taken, after a place or before it."""

    part: "Node"
    ahead: bool


class Place(NamedTuple):
    """The start (^) or end ($) of a text, the edge of a word (b), or once more what a group took (1)."""

    which: str


LINE = Characters(((10, 10),), others=True)
_NAMED = {"d": ((48, 57),), "w": ((48, 57), (65, 90), (95, 95), (97, 122))}
Node = Characters | Row | Choice | Repetition | Group | Look | Place


def read(pattern: str) -> Node:
    """Read a pattern. Raises Unreadable."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise Unreadable
        tokens.append((str(token.lastgroup), token[0]))
        at = token.end()
    tokens.reverse()
    node = _choice(tokens, 0)
    if tokens:
        raise Unreadable  # a parenthesis too many
    return node


def _choice(tokens: list[tuple[str, str]], depth: int) -> Node:
    """Read up to the end of a group, or of all; `tokens` has what comes next at its end."""
    if depth > _DEEPEST:
        raise Unreadable
    branches: list[Node] = []
    parts: list[Node] = []
    while tokens and tokens[-1][1] != ")":
        kind, text = tokens.pop()
        if (kind, text) == ("other", "|"):
            branches.append(Row(tuple(parts)))
            parts = []
        elif kind == "group":
            parts.append(_group(tokens, text, depth + 1))
        elif kind != "times":
            parts.append(_single(kind, text))
        elif parts:
            parts[-1] = _repeated(parts[-1], text)
        else:
            raise Unreadable
    branches.append(Row(tuple(parts)))
    return branches[0] if len(branches) == 1 else Choice(tuple(branches))


def _group(tokens: list[tuple[str, str]], begin: str, depth: int) -> Node:
    inner = _choice(tokens, depth)
    if not tokens:
        raise Unreadable
    tokens.pop()
    if begin[-1] in "=!":
        return Look(inner, ahead="<" not in begin)
    return inner if begin == "(?:" else Group(inner)


def _repeated(node: Node, text: str) -> Repetition:
    greedy = len(text) == 1 or text[-1] != "?"
    text = text if greedy else text[:-1]
    if text in ("*", "+", "?"):
        return Repetition(node, int(text == "+"), 1 if text == "?" else None, greedy)
    least, comma, most = text[1:-1].partition(",")
    return Repetition(node, int(least), int(most) if most else None if comma else int(least), greedy)


def _single(kind: str, text: str) -> Node:
    if kind == "set":
        return _set(text)
    if kind == "escape":
        place = "b" if text[1] in "bB" else "1" if text[1] in "123456789k" else ""
        return Place(place) if place else _escaped(text)
    if text in ("^", "$"):
        return Place(text)
    return LINE if text == "." else Characters(((ord(text), ord(text)),))


def _escaped(text: str) -> Characters:
    name = text[1]
    if name in "dDwW":
        return Characters(_NAMED[name.lower()], others=name.isupper())
    if name in "pPsS":
        return Characters(names=((name.lower() + text[2:], name.isupper()),))
    code = _code(text)
    return Characters(((code, code),))


def _code(text: str) -> int:
    """Return the code point of a character that may be escaped."""
    if len(text) == 1:
        return ord(text)
    name, digits = text[1], text[2:]
    if name in "xu" and digits:
        return int(digits, base=16)
    if name.isalnum() and name not in _CONTROLS:
        raise Unreadable
    return ord(_CONTROLS.get(name, name))


def _set(text: str) -> Characters:
    others = text.startswith("[^")
    items = _IN_SET.findall(text[1 + others : -1])
    if not items or any(sign * 2 in text for sign in "&-~"):
        raise Unreadable  # sets of sets
    ranges: list[tuple[int, int]] = []
    names: list[tuple[str, bool]] = []
    while items:
        item = items.pop(0)
        if len(item) > 1 and item[1] in "dDwWsSpP":
            named = _escaped(item)
            if named.others:
                raise Unreadable
            ranges += named.ranges
            names += named.names
        elif len(items) > 1 and items[0] == "-":
            ranges.append((_code(item), _code(items[1])))
            del items[:2]
        else:
            ranges.append((_code(item), _code(item)))
    return Characters(tuple(sorted(set(ranges))), tuple(sorted(set(names))), others)
