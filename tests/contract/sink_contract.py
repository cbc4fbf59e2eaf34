"""What every sink promises, told once; a subclass brings the sink and a way to read what landed."""

import threading
import time
import uuid
from collections.abc import Callable

import pytest

from confluent_shim.errors import SinkUnavailable
from confluent_shim.records import AdmittedRecord, Extras
from confluent_shim.sinks import Sink

Landed = tuple[int, int, bytes | None, bytes | None]
ReadAll = Callable[[str], list[Landed]]
ReadExtras = Callable[[str], list[Extras]]


class SinkContract:
    """Subclasses give the fixtures `sink`, `make_topic`, `read_all` (partition, offset, key, value), `read_extras`."""

    tells_times = True
    is_waited_for = False
    """Whether a handover is on its way only while somebody waits for it."""

    @pytest.fixture
    def topic(self, make_topic: Callable[[str], None]) -> str:
        name = f"sink-{uuid.uuid4().hex[:8]}"
        make_topic(name)
        return name

    def test_each_record_is_where_its_delivery_says(self, sink: Sink, topic: str, read_all: ReadAll) -> None:
        records = [AdmittedRecord(b"key %d" % n, b"value %d" % n) for n in range(50)]
        deliveries = sink.send(topic, records)
        landed = {(partition, offset): (key, value) for partition, offset, key, value in read_all(topic)}
        assert len(landed) == len(records)
        for record, delivery in zip(records, deliveries, strict=True):
            assert delivery.partition is not None
            assert delivery.offset is not None
            assert delivery.outcome == "written"
            assert delivery.error_code is None
            assert landed[delivery.partition, delivery.offset] == (record.key, record.value)

    def test_records_of_one_partition_keep_their_order(self, sink: Sink, topic: str, read_all: ReadAll) -> None:
        deliveries = sink.send(topic, [AdmittedRecord(None, b"%d" % n, 0) for n in range(100)])
        assert [delivery.offset for delivery in deliveries] == list(range(100))
        assert [value for *_, value in read_all(topic)] == [b"%d" % n for n in range(100)]

    def test_a_named_partition_is_kept(self, sink: Sink, topic: str) -> None:
        (delivery,) = sink.send(topic, [AdmittedRecord(b"k", b"v", 1)])
        assert delivery.partition == 1

    def test_equal_keys_go_to_one_partition(self, sink: Sink, topic: str) -> None:
        deliveries = sink.send(topic, [AdmittedRecord(b"same", b"%d" % n) for n in range(20)])
        assert len({delivery.partition for delivery in deliveries}) == 1

    def test_null_and_empty_are_kept_apart(self, sink: Sink, topic: str, read_all: ReadAll) -> None:
        records = [AdmittedRecord(b"", b"", 0), AdmittedRecord(b"k", None, 0), AdmittedRecord(None, b"v", 0)]
        sink.send(topic, records)
        assert [(key, value) for *_, key, value in read_all(topic)] == [(b"", b""), (b"k", None), (None, b"v")]

    def test_headers_keep_their_order_their_repeats_and_their_nulls(
        self, sink: Sink, topic: str, read_extras: ReadExtras
    ) -> None:
        headers = (("b", b"1"), ("a", None), ("b", b"1"), ("", b""), ("\u00e9", b"\0\xff"))
        sink.send(topic, [AdmittedRecord(b"k", b"v", 0, Extras(headers)), AdmittedRecord(None, b"v", 0)])
        assert [tuple(extras.headers) for extras in read_extras(topic)] == [headers, ()]

    def test_a_record_has_the_time_that_it_was_given(self, sink: Sink, topic: str, read_extras: ReadExtras) -> None:
        given = [AdmittedRecord(None, b"v", 0, Extras(timestamp=timestamp)) for timestamp in (1_612_552_482_123, 1)]
        sink.send(topic, given)
        assert [extras.timestamp for extras in read_extras(topic)] == [1_612_552_482_123, 1]

    def test_a_delivery_tells_the_time_of_its_record(self, sink: Sink, topic: str) -> None:
        if not self.tells_times:
            pytest.skip("librdkafka's mock cluster tells the same time for every record")
        before = int(time.time() * 1000)
        extras = (None, Extras(timestamp=1_612_552_482_123), Extras((("a", b"1"),)))
        now, given, with_header = sink.send(topic, [AdmittedRecord(None, b"v", 0, each) for each in extras])
        assert given.timestamp == 1_612_552_482_123
        for delivery in (now, with_header):
            assert delivery.timestamp is not None
            assert before <= delivery.timestamp <= time.time() * 1000

    def test_a_handover_is_ready_once_something_was_heard_of_every_record(self, sink: Sink, topic: str) -> None:
        handover = sink.hand_over(topic, [AdmittedRecord(None, b"v")] * 3)
        deliveries = handover.wait(time.monotonic() + 15)
        assert handover.ready()
        assert [delivery.outcome for delivery in deliveries] == ["written"] * 3

    def test_who_is_to_be_told_is_told_at_once_or_later_and_then_nobody_waits_but_where_somebody_has_to(
        self, sink: Sink, topic: str
    ) -> None:
        """A time that is over already is enough for `wait` then, unless records are on their way only through it."""
        handover = sink.hand_over(topic, [AdmittedRecord(None, b"v")] * 3)
        told = threading.Event()
        handover.tell(told.set)
        assert told.wait(15)
        assert handover.ready() is not self.is_waited_for
        deliveries = handover.wait(time.monotonic() + (15 if self.is_waited_for else 0))
        assert [delivery.outcome for delivery in deliveries] == ["written"] * 3
        assert handover.ready()

    def test_who_asks_late_is_told_at_once(self, sink: Sink, topic: str) -> None:
        """On the thread that asks: there may be no other any more."""
        handover = sink.hand_over(topic, [AdmittedRecord(None, b"v")] * 3)
        handover.wait(time.monotonic() + 15)
        told: list[int] = []
        handover.tell(lambda: told.append(threading.get_ident()))
        assert set(told) == {threading.get_ident()}

    def test_of_records_that_are_refused_at_once_nobody_waits_to_hear(self, sink: Sink) -> None:
        handover = sink.hand_over("a b", [AdmittedRecord(None, b"v")])
        told = threading.Event()
        handover.tell(told.set)
        assert told.is_set()
        assert [each.error_code for each in handover.wait(time.monotonic() + 15)] == [50002]

    def test_a_topic_that_is_there_is_known(self, sink: Sink, topic: str) -> None:
        assert sink.has_topic(topic)
        assert not sink.has_topic(f"absent-{uuid.uuid4().hex}")

    @pytest.mark.parametrize("name", ["a b", "t\u00e9", "x" * 250])
    def test_what_can_be_no_topic_is_refused_as_often_as_it_is_named(self, sink: Sink, name: str) -> None:
        for _ in range(2):
            (delivery,) = sink.send(name, [AdmittedRecord(None, b"v")])
            assert (delivery.error_code, delivery.outcome, delivery.retryable) == (50002, "not_written", False)

    def test_it_answers_a_ping(self, sink: Sink) -> None:
        sink.warm_up(1.0)
        sink.ping()

    def test_a_closed_sink_takes_nothing(self, sink: Sink, topic: str, read_all: ReadAll) -> None:
        sink.close()
        sink.close()
        with pytest.raises(SinkUnavailable):
            sink.send(topic, [AdmittedRecord(None, b"v")])
        assert read_all(topic) == []
