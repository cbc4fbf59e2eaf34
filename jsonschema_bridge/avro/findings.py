"""Where a value does not fit, collected while it is encoded."""

from typing import Any

from jsonschema_bridge.violation import Violation, bounded, pointer
from jsonschema_bridge.waiting import may_wait, waits_here

MAX_VIOLATIONS = 100
"""A value is reported with at most this many violations; the rest is not looked for."""

MOST_STEPS = 1_000_000
"""One value may have so many fields filled in and branches tried; sixteen bytes filled in are a step too."""

_STEPS_AT_ONCE = 10_000  # some milliseconds

BYTES_OF_A_STEP = 16

KEPT_OF_A_STEP = 256
"""So many bytes that a branch gave are a step too: each level of unions keeps all that lies below it once more."""

Path = tuple[Any, ...]
"""A place in a value: () is the whole, else (the place around it, the name or index in there).

Linked, not copied: a place costs one small tuple, and most are never asked for.
"""


class Enough(Exception):
    """No further violation is wanted."""


class TooCostly(Exception):
    """A value needs more than MOST_STEPS."""


class Work:
    """What one value took so far, trials of union branches included; `memo` keeps what those gave."""

    __slots__ = ("left", "memo")

    def __init__(self) -> None:
        self.left = MOST_STEPS if waits_here() else _STEPS_AT_ONCE
        self.memo: dict[tuple[int, int], bytes | None] = {}

    def spend(self, steps: int) -> None:
        """Note what a small value can have much of. Raises TooCostly, or WouldWait where nobody may wait."""
        self.left -= steps
        if self.left < 0:
            may_wait()
            raise TooCostly


class Findings:
    """The violations of one value, and the work on it."""

    __slots__ = ("violations", "work")

    def __init__(self, work: Work | None = None) -> None:
        self.violations: list[Violation] = []
        self.work = work or Work()

    def add(self, path: Path, keyword: str, schema_pointer: str, expected: object, actual: object, text: str) -> None:
        """Note one violation. Raises Enough after the last one that is wanted."""
        self.violations.append(
            Violation(
                pointer=pointer(_tokens(path)),
                keyword=keyword,
                schema_pointer=schema_pointer,
                expected=bounded(expected),
                actual=bounded(actual),
                message=text,
            )
        )
        if len(self.violations) >= MAX_VIOLATIONS:
            raise Enough


class Trial(Findings):
    """Asks only whether a value fits: the first violation ends it, and is not written down."""

    __slots__ = ()

    def add(self, path: Path, keyword: str, schema_pointer: str, expected: object, actual: object, text: str) -> None:
        """Raise Enough."""
        del path, keyword, schema_pointer, expected, actual, text
        raise Enough


def _tokens(path: Path) -> list[str | int]:
    tokens: list[str | int] = []
    while path:
        path, token = path
        tokens.append(token)
    return tokens[::-1]
