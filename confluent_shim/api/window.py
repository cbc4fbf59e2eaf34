"""What lies between the reading and the writing side of a stream: records that are not answered yet, in their order."""

import threading
from collections import deque
from typing import NamedTuple

from confluent_shim.api.answers_v3 import Pending
from confluent_shim.sinks import Handover


class Unanswered(NamedTuple):
    """Records that are under way: `weight` is their bytes, `end` when, on the monotonic clock, they are given up.

    `sent` says that there may be some among them that were handed over.
    """

    pending: Pending
    records: int
    weight: int
    end: float
    sent: bool


class Window:
    """Bounds the records and the bytes that a stream has under way.

    The reading side makes room for records, hands them over and puts them in; the writing side takes them out, answers
    them, and says so, which is what makes room. Without bounds, neither ever waits for room.
    """

    def __init__(self, records: int | None = None, weight: int | None = None) -> None:
        self._most_records = records
        self._most_weight = weight
        self._changed = threading.Condition()
        self._entries: deque[Unanswered] = deque()
        self._records = 0
        self._weight = 0
        self._sent = 0
        self._read = False
        self._closing = False
        self._closed = False

    def make_room(self, records: int, weight: int) -> bool:
        """Wait until there is room for one more lot, and tell whether it may still be handed over.

        It must then be put in as what was sent. A lot larger than the window has room when nothing else is in it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._records or self._fits(records, weight))
            self._records += records
            self._weight += weight
            may_be_sent = not self._closing and not self._closed
            self._sent += may_be_sent
            return may_be_sent

    def _fits(self, records: int, weight: int) -> bool:
        return (self._most_records is None or self._records + records <= self._most_records) and (
            self._most_weight is None or self._weight + weight <= self._most_weight
        )

    def put(self, entry: Unanswered) -> bool:
        """Put in what there was room made for. Tell whether anybody will still answer it."""
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()
            return not self._closed

    def end(self) -> None:
        """Say that nothing more will be read."""
        with self._changed:
            self._read = True
            self._changed.notify_all()

    def take(self, seconds: float) -> Unanswered | None:
        """Take the next lot out, waiting for it if need be; None when none came in time, or none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._entries or self._read, seconds)
            return self._entries.popleft() if self._entries else None

    def take_ready(self) -> Unanswered | None:
        """Take the next lot out if its answers are known."""
        with self._changed:
            return self._entries.popleft() if self._entries and self._entries[0].pending.handover.ready() else None

    def handovers(self) -> list[Handover]:
        """Return what is waited for."""
        with self._changed:
            return [entry.pending.handover for entry in self._entries]

    def answered(self, entry: Unanswered) -> None:
        """Say that a lot was answered."""
        with self._changed:
            self._records -= entry.records
            self._weight -= entry.weight
            self._sent -= entry.sent
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether nobody answers any more."""
        return self._closed

    @property
    def is_over(self) -> bool:
        """Whether everything was read and taken out."""
        return self._read and not self._entries

    @property
    def is_settled(self) -> bool:
        """Whether all that was handed over, or is being handed over, has been answered."""
        return not self._sent

    def begin_closing(self) -> None:
        """Let nothing more be handed over."""
        with self._changed:
            self._closing = True

    def settle(self) -> None:
        """Wait for what nobody will take out any more, for nobody to hear: it was counted when it was handed over."""
        while (entry := self.take(0.0)) is not None:
            entry.pending.answers(entry.end)
            self.answered(entry)

    def close(self) -> None:
        """Say that nobody will answer any more; the reading side then waits for nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
