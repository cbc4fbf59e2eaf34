"""What a binding in mode `observe` would have said of records that go their way all the same."""

from collections.abc import Mapping
from typing import NamedTuple

_LISTED = 20


class Observation(NamedTuple):
    """The verdict on records that were judged together.

    `rejected` has a reason for each record that would have been refused, by its index in the request, and `unknown` the
    reason why nothing can be said of them.
    """

    records: int
    rejected: Mapping[int, str]
    unknown: str | None = None

    def of(self, record: int) -> str:
        """Say it of one record, in a few words."""
        if self.unknown is not None:
            return f"unknown; {self.unknown}"
        return f"reject; {self.rejected[record]}" if record in self.rejected else "admit"


class Verdicts:
    """The verdicts on all records of a request, for a header and a log line that stay short however many there are."""

    __slots__ = ("_listed", "_rejected", "_unknown", "reason")

    def __init__(self) -> None:
        self._listed: list[int] = []
        self._rejected = 0
        self._unknown = False
        self.reason: str | None = None
        """Why the first record would have been refused."""

    def add(self, observation: Observation) -> None:
        """Take in what was said of further records."""
        self._listed += list(observation.rejected)[: _LISTED - len(self._listed)]
        self._rejected += len(observation.rejected)
        self._unknown = self._unknown or observation.unknown is not None
        self.reason = self.reason or observation.unknown or next(iter(observation.rejected.values()), None)

    @property
    def admits(self) -> bool:
        """Whether every record would have been admitted."""
        return not self._rejected and not self._unknown

    def __str__(self) -> str:
        if not self._rejected:
            return "unknown" if self._unknown else "admit"
        more = self._rejected - len(self._listed)
        return f"reject; records={','.join(map(str, self._listed))}" + (f"; more={more}" if more else "")
