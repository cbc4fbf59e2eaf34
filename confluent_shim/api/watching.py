"""What a binding that observes says of requests that are handed on to a REST Proxy as they came."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from confluent_shim.api.answers_v3 import Target, request_of, verdict_field
from confluent_shim.api.batch_v3 import read_batch
from confluent_shim.api.facts import Facts
from confluent_shim.api.negotiation import embedded_format
from confluent_shim.api.record_stream import RecordSplitter
from confluent_shim.api.stream_v3 import ENVELOPE_BYTES
from confluent_shim.api.wire_v2 import read_request
from confluent_shim.api.wire_v3 import RecordV3, read_record, read_record_loosely, rejected_record
from confluent_shim.errors import (
    BodyTooLarge,
    BodyUnreadable,
    EnvelopeRefused,
    PartitionNotFound,
    RecordsRefused,
    ShimError,
)
from confluent_shim.observing import Observation
from confluent_shim.publishing import Publisher
from confluent_shim.records import ProduceRequest
from confluent_shim.settings import Limits
from confluent_shim.sinks.wire import Body
from jsonschema_bridge import JsonUnreadable, read_json
from topic_map import Binding


def observed_request(
    publisher: Publisher, observed: Binding, read: Callable[..., ProduceRequest]
) -> tuple[ProduceRequest, Observation]:
    """Read a v2 request and return it with what `observed` says of it.

    `read` reads it, and without `strict` in Confluent's way, which will do where it has no single reading. Raises what
    that raises.
    """
    unreadable = None
    try:
        request = read()
    except (RecordsRefused, BodyUnreadable) as error:
        request, unreadable = read(strict=False), error
    return request, publisher.observe(observed, request, unreadable)


class Watch(NamedTuple):
    """Judges requests for `target` by `observed`. What is no request counts as one record that is rejected."""

    publisher: Publisher
    observed: Binding
    target: Target
    limits: Limits

    def v2(self, body: bytes, content_type: str | None) -> list[Observation]:
        """Judge a request of the v2 API."""
        try:
            read = partial(read_request, body, self.target.topic, embedded_format(content_type), limits=self.limits)
            return [observed_request(self.publisher, self.observed, read)[1]]
        except ShimError as error:
            return [self.record(error, 0)]

    def batch(self, body: bytes) -> list[Observation]:
        """Judge a batch of the v3 API."""
        try:
            try:
                entries = read_batch(body, self.limits.depth, self.limits.entries)
            except (RecordsRefused, BodyUnreadable):
                entries = read_batch(body, self.limits.depth, self.limits.entries, strict=False)
        except ShimError as error:
            return [self.record(error, 0)]
        return [self.record(entry.record, index) for index, entry in enumerate(entries)]

    def record(self, record: RecordV3 | Exception, index: int) -> Observation:
        """Judge a record of the v3 API, or what is none."""
        if isinstance(record, Exception):
            return self.publisher.observe_unread(self.observed, record, index)
        request = request_of(self.target, [record], index)
        return self.publisher.observe(self.observed, request, record.shape.unreadable)


class StreamWatch:
    """Judges the records of a stream while they go by, and adds the verdicts to the lines of its answer."""

    def __init__(self, watch: Watch, facts: Facts) -> None:
        self._watch = watch
        self._splitter = RecordSplitter(watch.limits.record_bytes + ENVELOPE_BYTES)
        self._count = 0
        self._told: deque[str] = deque()
        self._facts = facts
        self._is_blind = False

    def seeing(self, body: Body) -> Body:
        """Return `body`, which is seen when it is read."""
        read_so_far = 0

        def read(size: int) -> bytes:
            nonlocal read_so_far
            piece = body.read(size)
            read_so_far += len(piece)
            self._see(self._splitter.feed(piece))
            if not piece or read_so_far == body.length:
                self._see(self._splitter.finish())
            return piece

        return Body(read, body.length)

    def change(
        self, headers: list[tuple[str, str]], blocks: Iterator[bytes]
    ) -> tuple[list[tuple[str, str]], Iterator[bytes]]:
        """Return the answer with a verdict in each line."""
        return headers, self._lines(blocks)

    def _see(self, texts: Sequence[bytes | None]) -> None:
        """Judge records."""
        for text in texts:
            if self._is_blind:
                return
            observation = self._watch.record(self._read(text), self._count)
            self._facts.observe(observation)
            self._told.append(verdict_field(observation, self._count))
            self._count += 1

    def _read(self, text: bytes | None) -> RecordV3 | Exception:
        limits = self._watch.limits
        if text is None:
            return BodyTooLarge(limits.record_bytes + ENVELOPE_BYTES)
        try:
            try:
                return read_record(text, read_json(text, limits.depth))
            except JsonUnreadable as error:
                rejection = rejected_record(self._count, text, error)
                with suppress(JsonUnreadable):
                    return read_record_loosely(text, limits.depth, rejection)
                self._is_blind = True  # nobody knows for sure where the next one begins
                return rejection
        except (BodyUnreadable, EnvelopeRefused, PartitionNotFound) as error:
            return error

    def _lines(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        for block in blocks:
            whole, end, held = (held + block).rpartition(b"\n")
            if end:
                yield b"".join([self._line(line) + end for line in whole.split(end)])
        if held:
            yield self._line(held)

    def _line(self, line: bytes) -> bytes:
        body, brace, rest = line.rpartition(b"}")
        if not brace or not self._told:
            return line
        return b"".join((body, self._told.popleft().encode(), brace, rest))
