"""A stream of records: each has its line of the answer, in order, as soon as Kafka has it.

Two sides share the work. One reads, judges and hands over; the other waits for Kafka and writes. A client that waits
for a line before it sends the next record gets it, and one that does not wait is not held up. Source: rest-proxy
contract, sections 2.1 to 2.4.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from confluent_shim.api.answers_v3 import Fields, Pending, Settled, Target, grouped, hand_over, refused, together
from confluent_shim.api.facts import Facts
from confluent_shim.api.record_stream import RecordSplitter
from confluent_shim.api.window import Unanswered, Window
from confluent_shim.api.wire_v3 import RecordV3, read_record, read_record_loosely, read_together, rejected_record
from confluent_shim.errors import (
    BodyUnreadable,
    EnvelopeRefused,
    PartitionNotFound,
    RecordTooLarge,
    StreamOver,
    TopicUnbound,
)
from confluent_shim.publishing import Publisher
from confluent_shim.settings import Limits
from jsonschema_bridge import JsonUnreadable, read_json
from jsonschema_bridge.waiting import may_wait

ENVELOPE_BYTES = 65_536
"""What the text of a record may have beyond `limits.record_bytes`: its headers, its schema, the names of its fields."""

WINDOW_RECORDS = 2_000
WINDOW_BYTES = 1_048_576

_TOGETHER = 500  # records that are judged and handed over as one
_FLUSH_BYTES = 65_536
_GRACE_SECONDS = 0.5  # for records that are on their way when a stream ends, as in Confluent
_TICK_SECONDS = 0.1
_ASKED_SECONDS = 1.0  # enough for a server to ask; a client that has nothing to send yet is answered then all the same

_WITHIN_A_TOKEN = ("expected ident", "invalid escape", "invalid number", "control character")
"""How the reasons begin that leave no doubt where a record ends."""


class Reader:
    """The side of a stream that reads. With `at_once` it hands nothing over before it has read everything."""

    def __init__(
        self, publisher: Publisher, target: Target, limits: Limits, window: Window, *, at_once: bool = False
    ) -> None:
        self._publisher = publisher
        self._target = target
        self._limits = limits
        self._window = window
        self._at_once = at_once
        self._count = 0
        self._at_end = False
        self._why_over = ""
        self.has_turned_away = False
        """Whether a record came after the stream's time, and was answered so."""

    def stop(self, why: str) -> None:
        """Answer records that come from now on with `why` they are not sent."""
        self._why_over = why
        self._window.begin_closing()

    def run(self, pieces: Iterable[bytes]) -> bool:
        """Hand over the records in `pieces` until they end, or cannot be read on, or nobody answers any more.

        Tell whether it is the first.
        """
        groups = (group for items in self._lots(pieces) for group in grouped(items, _TOGETHER))
        try:
            for group in together(groups) if self._at_once else groups:
                if not self._put(group):
                    return False
        except Exception as error:  # noqa: BLE001 - it is the last line, and logged
            self._put(self._refused(error))
        return self._at_end

    def _put(self, group: Settled | list[RecordV3]) -> bool:
        records = 1 if isinstance(group, Settled) else len(group)
        weight = 0 if isinstance(group, Settled) else sum([record.size for record in group])
        sent = self._window.make_room(records, weight)
        pending: Pending
        if isinstance(group, Settled):
            pending = group
        elif sent:
            pending = hand_over(self._publisher, self._target, group, self._count)
        else:
            pending, self.has_turned_away = self._refused(StreamOver(self._why_over), records), True
        self._count += records
        return self._window.put(Unanswered(pending, records, weight, time.monotonic() + self._limits.deadline, sent))

    def _lots(self, pieces: Iterable[bytes]) -> Iterator[Sequence[RecordV3 | Settled]]:
        """Yield the records of each piece, and what is to be said of those that are none."""
        splitter = RecordSplitter(self._limits.record_bytes + ENVELOPE_BYTES)
        count = 0
        try:
            for texts in self._texts(splitter, pieces):
                usual = [text for text in texts if text is not None]
                if len(texts) > 1 and len(usual) == len(texts) and (read := read_together(usual, self._limits.depth)):
                    yield read
                    count += len(read)
                    continue
                items: list[RecordV3 | Settled] = []
                for text in texts:
                    try:
                        items.append(self._read(text, count))
                    except _Broken as broken:
                        yield [*items, *broken.lines]
                        return
                    count += 1
                yield items
        except JsonUnreadable as error:  # the body is no text
            yield [self._refused(_unprocessable(error))]

    def _texts(self, splitter: RecordSplitter, pieces: Iterable[bytes]) -> Iterator[list[bytes | None]]:
        for piece in pieces:
            yield splitter.feed(piece)
            if self._window.is_closed:
                return
        self._at_end = True
        yield splitter.finish()

    def _read(self, text: bytes | None, index: int) -> RecordV3 | Settled:
        """Read one record. Raises _Broken when nobody can tell where the next one begins."""
        if text is None:
            most = self._limits.record_bytes + ENVELOPE_BYTES
            return self._refused(RecordTooLarge(f"Bad Request: the record has more than {most} bytes", []))
        try:
            try:
                return read_record(text, read_json(text, self._limits.depth))
            except JsonUnreadable as error:
                return self._unreadable(error, text, index)
        except (BodyUnreadable, PartitionNotFound) as error:
            return self._refused(error)
        except EnvelopeRefused as error:
            return self._refused(BodyUnreadable(str(error)))

    def _unreadable(self, error: JsonUnreadable, text: bytes, index: int) -> RecordV3 | Settled:
        """Say why a record has no single reading; or read it as Confluent does, where no binding judges it.

        Where its brackets, commas or colons are wrong it may have ended elsewhere: the stream ends with a second line.
        """
        may_wait()  # what cannot be read is counted, once
        rejection = rejected_record(index, text, error)
        if not self._publisher.enforces(self._target.topic):
            with suppress(JsonUnreadable):
                return read_record_loosely(text, self._limits.depth, rejection)
        with suppress(TopicUnbound):
            self._publisher.count_unreadable(self._publisher.binding(self._target.topic), rejection)
        if error.kind != "syntax" or (text[:1] in b'{["' and error.reason.startswith(_WITHIN_A_TOKEN)):
            return self._refused(rejection)
        last = self._refused(_unprocessable(error))
        raise _Broken([self._refused(rejection), last] if text[:1] in b'{["' else [last])

    def _refused(self, error: Exception, times: int = 1) -> Settled:
        return refused(error, self._target.request_id, times)


class _Broken(Exception):
    """The stream cannot be read on; `lines` are its last ones."""

    def __init__(self, lines: Sequence[Settled]) -> None:
        super().__init__()
        self.lines = lines


def _unprocessable(error: JsonUnreadable) -> BodyUnreadable:
    return BodyUnreadable(f"Bad Request: Error processing message: {error.reason}")


class Writer:
    """The side of a stream that writes. `ending` tells that the process is to end."""

    def __init__(self, reader: Reader, window: Window, limits: Limits, ending: threading.Event, facts: Facts) -> None:
        self._reader = reader
        self._window = window
        self._limits = limits
        self._ending = ending
        self._facts = facts

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the answer, those that are ready together as one piece, until the stream is over."""
        facts, window = self._facts, self._window
        facts.records = 0
        yield b""  # with which a server sends the head
        began = active = time.monotonic()
        over: float | None = None  # when a stream that is being closed ends
        why = ""
        while True:
            entry = window.take(_TICK_SECONDS)
            if entry is not None:
                yield self._answer(entry)
                active = time.monotonic()
            elif window.is_over:
                return
            now = time.monotonic()
            if over is None:
                why = self._why_over(now - began, now - active)
                if why:
                    over = now + _GRACE_SECONDS
                    self._reader.stop(why)
            elif now >= over and window.is_settled:
                if not self._reader.has_turned_away:
                    yield _line(refused(StreamOver(why), facts.request_id).fields[0]).encode()
                return

    def _why_over(self, open_for: float, idle_for: float) -> str:
        if self._ending.is_set():
            return "ended by the server, which is stopping"
        if open_for > self._limits.stream_seconds:
            return "open for longer than allowed"
        if idle_for > self._limits.stream_idle:
            return "idle for longer than allowed"
        return ""

    def _answer(self, first: Unanswered) -> bytes:
        pieces, size = [], 0
        entry: Unanswered | None = first
        while entry is not None:
            fields = entry.pending.answers(entry.end)
            self._facts.observe(entry.pending.observation)
            self._window.answered(entry)
            self._facts.records = (self._facts.records or 0) + len(fields)
            self._facts.failed += sum([not each.written for each in fields])
            pieces.append("".join(map(_line, fields)).encode())
            size += len(pieces[-1])
            entry = self._window.take_ready() if size < _FLUSH_BYTES else None
        return b"".join(pieces)


def _line(fields: Fields) -> str:
    return f'{{"error_code":200,{fields.text}}}\r\n' if fields.written else f"{{{fields.text}}}\r\n"


class StreamAnswer:
    """The body of the answer to a stream: what a server iterates over, and closes.

    The reading side has a thread of its own.
    """

    def __init__(self, reading: "Reading", lines: Iterator[bytes]) -> None:
        self._reading = reading
        self._lines = lines
        self._begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._begin()
        return next(self._lines)

    def ask_for_body(self) -> None:
        """Begin to read ahead of the answer, for a client that sends its body only when it is told to go on.

        A server tells it so (100) when it is first asked for the body, and no longer when the answer has begun.
        """
        self._begin()
        self._reading.arrived.wait(_ASKED_SECONDS)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        # Nobody waits for it at the end of the process: it may be reading what never comes.
        threading.Thread(target=self._reading.run, name="record-stream", daemon=True).start()

    def close(self) -> None:
        """End the writing side; closed already is fine. What was handed over and not answered is settled too."""
        self._reading.window.close()
        if not self._begun:
            self._begun = True
            self._reading.end()
        self._reading.window.settle()


class Reading:
    """The reading side at work on `body`. At its end it calls `leave`, once.

    `arrived` is set when the first of the body is there, or nothing of it comes.
    """

    def __init__(self, reader: Reader, window: Window, body: Iterator[bytes], leave: Callable[[], None]) -> None:
        self.window = window
        self.arrived = threading.Event()
        self._reader = reader
        self._body = self._noticed(body)
        self._leave = leave

    def run(self) -> None:
        """Read until nothing more is to be read."""
        try:
            if not self._reader.run(self._body):
                self.window.end()
                self._take_in_the_rest()
        finally:
            self.end()

    def _noticed(self, body: Iterator[bytes]) -> Iterator[bytes]:
        try:
            first = next(body, b"")
        finally:
            self.arrived.set()
        yield first
        yield from body

    def _take_in_the_rest(self) -> None:
        """Read on, within bounds, behind a record that nobody can read.

        A server that has more of a body than was read closes the connection, and a client that is still sending may
        never see its last lines.
        """
        size = 0
        with suppress(JsonUnreadable):
            for piece in self._body:
                size += len(piece)
                if size > WINDOW_BYTES or self.window.is_closed:
                    return

    def end(self) -> None:
        """Say that nothing is read any more."""
        # In this order: a client that has its last line may come back at once.
        self._leave()
        self.window.end()
        if self.window.is_closed:
            self.window.settle()
