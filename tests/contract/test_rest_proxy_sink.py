"""The sink on a REST Proxy: what it sends, what it makes of each answer, and what it never does."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from confluent_shim.errors import MetadataForbidden, MetadataUnavailable, SinkUnavailable, TopicNotHosted
from confluent_shim.records import AdmittedRecord, Client, Delivery, Extras
from confluent_shim.settings import RestProxyEndpoint, Secret
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.rest_proxy import RestProxySink
from confluent_shim.sinks.upstream import Upstream
from tests.contract.metadata_contract import MetadataContract
from tests.contract.sink_contract import ReadAll, ReadExtras, SinkContract
from tests.rest_proxy import rest_proxy
from tests.upstream import Handler, Proxy, echoing
from tests.waiting import eventually

Play = Callable[[Handler], None]
RECORD = AdmittedRecord(b"k", b"\0\0\0\0\1{}")
TIMED = AdmittedRecord(b"k", b"v", None, Extras((("h", b"1"),), 1_612_552_482_123))


def sink_at(url: str, on_refusal: Callable[[int], None] = lambda _: None, **settings: Any) -> RestProxySink:
    """Make a sink on the proxy at `url`; `settings` are those of its endpoint."""
    endpoint = RestProxyEndpoint(url=url, **settings)
    return RestProxySink(Upstream(endpoint), on_refusal, forward_authorization=endpoint.forward_authorization)


class _OnDouble:
    @pytest.fixture
    def behind(self) -> Iterator[tuple[Proxy, MemorySink]]:
        with rest_proxy() as behind:
            yield behind

    @pytest.fixture
    def sink(self, behind: tuple[Proxy, MemorySink]) -> Iterator[RestProxySink]:
        sink = sink_at(behind[0].url)
        yield sink
        sink.close()

    @pytest.fixture
    def make_topic(self, behind: tuple[Proxy, MemorySink]) -> Callable[[str], None]:
        return behind[1].create_topic


class TestRestProxySink(_OnDouble, SinkContract):
    @pytest.fixture
    def read_all(self, behind: tuple[Proxy, MemorySink]) -> ReadAll:
        return lambda topic: [
            (partition, offset, record.key, record.value) for partition, offset, record in behind[1].read(topic)
        ]

    @pytest.fixture
    def read_extras(self, behind: tuple[Proxy, MemorySink]) -> ReadExtras:
        return lambda topic: [record.extras or Extras() for record in behind[1].landed(topic)]

    def test_all_requests_of_one_client_share_a_connection(
        self, behind: tuple[Proxy, MemorySink], sink: RestProxySink
    ) -> None:
        for _ in range(5):
            sink.send("orders", [RECORD, TIMED])
        assert behind[0].connections == 1

    def test_handovers_are_written_in_the_order_in_which_they_are_waited_for(
        self, sink: RestProxySink, topic: str, read_all: ReadAll
    ) -> None:
        handovers = [sink.hand_over(topic, [AdmittedRecord(None, b"%d" % n, 0)]) for n in range(10)]
        for handover in handovers:
            handover.wait(time.monotonic() + 15)
        assert [value for *_, value in read_all(topic)] == [b"%d" % n for n in range(10)]


class TestRestProxyMetadata(_OnDouble, MetadataContract):
    def test_a_topic_that_is_not_there_is_not_told(self, sink: RestProxySink) -> None:
        with pytest.raises(TopicNotHosted):
            sink.metadata.offsets("absent", 0)
        with pytest.raises(TopicNotHosted):
            sink.metadata.configs("absent")

    def test_the_configuration_of_a_topic_is_told(self, sink: RestProxySink, topic: str) -> None:
        assert sink.metadata.configs(topic) == {"cleanup.policy": "delete"}


class Story:
    """A sink before a stand-in that answers as a test says, and what it counted."""

    def __init__(self, proxy: Proxy, **settings: Any) -> None:
        self.proxy = proxy
        self.refusals: list[int] = []
        self.sink = sink_at(proxy.url, self.refusals.append, **settings)

    def posts(self) -> int:
        """Return how many requests came that would produce."""
        return sum(received.method == "POST" for received in self.proxy.received)


@contextmanager
def playing(play: Play, **settings: Any) -> Iterator[Story]:
    with echoing() as proxy:
        proxy.play = play
        story = Story(proxy, **settings)
        try:
            yield story
        finally:
            story.sink.close()


def answering(status: int, document: object) -> Play:
    """Answer each POST so; whatever else is asked, tell of a cluster."""

    def play(handler: Handler) -> None:
        reading = handler.receive().method == "GET"
        handler.answer(200 if reading else status, {"data": [{"cluster_id": "c/1"}]} if reading else document)

    return play


def told(deliveries: list[Delivery]) -> list[tuple[int | None, str, bool]]:
    return [(int(each.error_code or 0), each.outcome, each.retryable) for each in deliveries]


def place(**changes: object) -> Mapping[str, object]:
    return {"partition": 1, "offset": 7, "error_code": None, "error": None, **changes}


def failure(code: int) -> Mapping[str, object]:
    return place(partition=None, offset=None, error_code=code, error=f"why {code}")


def test_records_without_headers_and_times_go_as_v2_binary_and_nothing_else() -> None:
    with playing(answering(200, {"offsets": [place(), place()]})) as story:
        story.sink.send("a b", [AdmittedRecord(b"\xff", None, 3), AdmittedRecord(None, b"")])
        (received,) = story.proxy.received
    assert received.target == "/topics/a%20b"
    assert received.header("Content-Type") == "application/vnd.kafka.binary.v2+json"
    assert received.header("Accept") == "application/vnd.kafka.v2+json"
    assert received.body == b'{"records":[{"key":"/w==","partition":3},{"value":""}]}'


def test_one_record_with_headers_or_a_time_takes_them_all_through_v3() -> None:
    with playing(answering(200, {"partition_id": 1, "offset": 2})) as story:
        story.sink.send("orders", [AdmittedRecord(None, b"v", 2), TIMED])
        received = story.proxy.received[-1]
    assert received.target == "/v3/clusters/c%2F1/topics/orders/records"
    assert received.header("Content-Type") == "application/json"
    assert received.body.split(b"\n") == [
        b'{"value":{"data":"dg==","type":"BINARY"},"partition_id":2}',
        b'{"key":{"data":"aw==","type":"BINARY"},"value":{"data":"dg==","type":"BINARY"},"headers":[%b],"timestamp":"%b"}'
        % (b'{"name":"h","value":"MQ=="}', b"2021-02-05T19:14:42.123000Z"),
    ]


def test_a_client_of_v3_is_answered_by_v3_which_has_codes_and_times_of_its_own() -> None:
    with playing(answering(200, {"error_code": 413, "message": "too large"})) as story:
        deliveries = story.sink.hand_over("orders", [RECORD], Client(api="v3")).wait(time.monotonic() + 5)
        assert story.proxy.received[-1].target.startswith("/v3/")
    assert told(deliveries) == [(413, "not_written", False)]


def test_the_cluster_is_asked_for_once() -> None:
    with playing(answering(200, {"partition_id": 1, "offset": 2})) as story:
        for _ in range(3):
            story.sink.send("orders", [TIMED])
        assert [received.target for received in story.proxy.received].count("/v3/clusters") == 1


@pytest.mark.parametrize("status", [200, 401, 403])
def test_each_record_has_the_error_that_the_proxy_gave_it(status: int) -> None:
    codes = (40101, 40301, 50002, 50003)
    offsets = [place(), *map(failure, codes), place(offset=-1)]
    with playing(answering(status, {"offsets": offsets})) as story:
        deliveries = story.sink.send("orders", [RECORD] * 6)
    assert (deliveries[0].partition, deliveries[0].offset, deliveries[0].outcome) == (1, 7, "written")
    assert told(deliveries[1:]) == [
        (40101, "not_written", False),
        (40301, "not_written", False),
        (50002, "not_written", False),
        (50003, "unknown", True),
        (50003, "unknown", True),
    ]
    assert [each.error for each in deliveries[1:5]] == [f"why {code}" for code in codes]
    assert story.refusals == []


def test_each_line_of_v3_is_the_answer_to_its_record_and_a_missing_one_is_unknown() -> None:
    codes = (413, 429, 40401, 408, 500)

    def lines(handler: Handler) -> None:
        if handler.receive().method == "GET":
            handler.answer(200, {"data": [{"cluster_id": "c"}]})
            return
        handler.begin_chunks()
        handler.chunk(b'{"error_code":200,"partition_id":1,"offset":2,"timestamp":"2021-02-05T19:14:42.123Z"}\r\n')
        for code in codes:
            handler.chunk(b'{"error_code":%d,"message":"why"}\r\n' % code)
        handler.chunk(b"")

    with playing(lines) as story:
        deliveries = story.sink.send("orders", [TIMED] * 7)
    assert deliveries[0] == Delivery(1, 2, timestamp=1_612_552_482_123)
    assert told(deliveries[1:]) == [
        (413, "not_written", False),
        (429, "not_written", True),
        (40401, "not_written", True),
        (408, "unknown", True),
        (500, "unknown", True),
        (50003, "unknown", True),
    ]


@pytest.mark.parametrize("record", [RECORD, TIMED], ids=["v2", "v3"])
@pytest.mark.parametrize(
    ("status", "code", "outcome", "retryable"),
    [
        (400, 400, "not_written", False),
        (401, 401, "not_written", False),
        (404, 40401, "not_written", False),
        (413, 413, "not_written", False),
        (422, 42207, "not_written", False),
        (429, 429, "not_written", True),
        (408, 40801, "unknown", True),
        (500, 50002, "unknown", True),
        (503, 50392, "unknown", True),
    ],
)
def test_a_refusal_of_the_whole_request_is_every_records_and_counted_and_not_tried_again(
    record: AdmittedRecord, status: int, code: int, outcome: str, retryable: bool
) -> None:
    with playing(answering(status, {"error_code": code, "message": "no"})) as story:
        deliveries = story.sink.send("orders", [record] * 2)
        assert told(deliveries) == [(code, outcome, retryable)] * 2
        assert deliveries[0].error == f"the REST Proxy answered {status}: no"
        assert (story.refusals, story.posts()) == ([status], 1)


def test_a_refusal_that_is_no_json_is_told_by_its_status() -> None:
    def page(handler: Handler) -> None:
        handler.receive()
        handler.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>")

    with playing(page) as story:
        (delivery,) = story.sink.send("orders", [RECORD])
    assert told([delivery]) == [(502, "unknown", True)]
    assert delivery.error == "the REST Proxy answered 502: Bad Gateway"


@pytest.mark.parametrize("document", [{}, {"offsets": []}, {"offsets": [{"partition": "x"}]}, [], None])
def test_a_success_that_does_not_say_where_the_records_are_is_unknown(
    document: object, caplog: pytest.LogCaptureFixture
) -> None:
    with playing(answering(200, document)) as story:
        assert told(story.sink.send("orders", [RECORD] * 2)) == [(50003, "unknown", True)] * 2
    assert "answered something else" in caplog.text


@pytest.mark.parametrize("record", [RECORD, TIMED], ids=["v2", "v3"])
def test_a_proxy_that_is_down_has_been_sent_nothing(record: AdmittedRecord) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sink = sink_at(f"http://127.0.0.1:{port}")
    with pytest.raises(SinkUnavailable, match="nothing was sent"):
        sink.hand_over("orders", [record])
    for asked in (sink.ping, lambda: sink.has_topic("t"), lambda: sink.create_topic("t")):
        with pytest.raises(SinkUnavailable):
            asked()
    sink.close()


def test_a_start_without_a_proxy_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    sink = sink_at("http://127.0.0.1:1")
    sink.warm_up(0.1)
    assert "starting without the REST Proxy" in caplog.text
    sink.close()


def test_a_proxy_that_hangs_is_unknown_at_the_deadline_and_nothing_is_sent_again(
    hanging: Callable[..., Play],
) -> None:
    with playing(hanging()) as story:
        deliveries = story.sink.send("orders", [RECORD], seconds=0.2)
        assert told(deliveries) == [(50003, "unknown", True)]
        assert deliveries[0].error == "the REST Proxy did not answer in time"
        assert story.posts() == 1


def test_a_proxy_that_answers_bit_by_bit_does_not_move_the_deadline(hanging: Callable[..., Play]) -> None:
    with playing(hanging(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" ")) as story:
        assert told(story.sink.send("orders", [RECORD], seconds=0.3)) == [(50003, "unknown", True)]


def test_lines_that_came_before_the_deadline_count(hanging: Callable[..., Play]) -> None:
    line = b'{"error_code":200,"partition_id":1,"offset":2}\r\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
    with playing(hanging(head + line)) as story:
        deliveries = story.sink.send("orders", [TIMED] * 2, seconds=0.5)
    assert [each.outcome for each in deliveries] == ["written", "unknown"]


def test_what_is_waited_for_after_the_deadline_is_not_sent() -> None:
    with playing(answering(200, {})) as story:
        deliveries = story.sink.hand_over("orders", [RECORD]).wait(time.monotonic() - 1)
        assert told(deliveries) == [(50003, "not_written", True)]
        assert story.posts() == 0


def test_a_proxy_that_breaks_off_is_unknown_and_nothing_is_sent_again() -> None:
    def hang_up(handler: Handler) -> None:
        handler.receive()
        handler.close_connection = True

    with playing(hang_up) as story:
        assert told(story.sink.send("orders", [RECORD])) == [(50003, "unknown", True)]
        assert story.posts() == 1


def test_a_kept_connection_that_the_proxy_closed_is_replaced_before_anything_is_sent() -> None:
    closed: list[int] = []

    def once(handler: Handler) -> None:
        answering(200, {"offsets": [place()]})(handler)
        handler.close_connection = True
        closed.append(1)

    with playing(once) as story:
        for _ in range(3):
            assert told(story.sink.send("orders", [RECORD])) == [(0, "written", False)]
            eventually(lambda: len(closed) == story.posts())
            time.sleep(0.05)  # the end of the connection is on its way
        assert story.posts() == story.proxy.connections == 3


def test_a_connection_that_is_lost_between_handing_over_and_sending_leaves_records_unsent() -> None:
    with playing(answering(200, {})) as story:
        handover = story.sink.hand_over("orders", [RECORD])
        story.sink.close()
        assert told(handover.wait(time.monotonic() + 5)) == [(50003, "not_written", True)]
        assert story.posts() == 0


@pytest.mark.parametrize(
    ("forwards", "clients_own", "sent"),
    [
        (False, None, "Basic c2hpbTpzZWNyZXQ="),
        (False, "Bearer mine", "Basic c2hpbTpzZWNyZXQ="),
        (True, "Bearer mine", "Bearer mine"),
        (True, None, None),
    ],
)
@pytest.mark.parametrize("record", [RECORD, TIMED], ids=["v2", "v3"])
def test_records_go_with_the_credentials_that_the_setting_says(
    record: AdmittedRecord, forwards: bool, clients_own: str | None, sent: str | None
) -> None:
    settings = {"user": "shim", "password": Secret("secret"), "forward_authorization": forwards}
    with playing(answering(200, {"offsets": [place()]}), **settings) as story:
        story.sink.hand_over("orders", [record], Client(clients_own)).wait(time.monotonic() + 5)
        assert {received.header("Authorization") for received in story.proxy.received} == {sent}


def test_the_shim_asks_its_own_questions_as_itself() -> None:
    with playing(answering(200, {}), user="shim", forward_authorization=True) as story:
        with pytest.raises(MetadataUnavailable, match="something else than metadata"):
            story.sink.metadata.read()
        assert story.proxy.received[0].header("Authorization") == "Basic c2hpbTo="


def test_a_client_whom_the_proxy_does_not_tell_its_cluster_is_told_that_it_may_not() -> None:
    def play(handler: Handler) -> None:
        handler.receive()
        handler.answer(401, {"error_code": 401, "message": "no"})

    with playing(play) as story:
        assert told(story.sink.send("orders", [TIMED])) == [(40301, "not_written", False)]
        assert story.posts() == 0


@pytest.mark.parametrize("document", [{"data": []}, {"error_code": 404}])
def test_headers_without_a_v3_api_behind_are_not_sent(document: object) -> None:
    def play(handler: Handler) -> None:
        handler.receive()
        handler.answer(200 if "data" in str(document) else 404, document)

    with playing(play) as story:
        (delivery,) = story.sink.send("orders", [TIMED])
        assert told([delivery]) == [(50003, "not_written", True)]
        assert delivery.error is not None
        assert "v3 API" in delivery.error
        assert story.posts() == 0


@pytest.mark.parametrize(
    ("status", "error"), [(401, MetadataForbidden), (403, MetadataForbidden), (500, MetadataUnavailable)]
)
def test_a_question_that_is_refused_says_so(status: int, error: type[Exception]) -> None:
    def play(handler: Handler) -> None:
        handler.receive()
        handler.answer(status, {"error_code": status, "message": "no"})

    with playing(play) as story:
        with pytest.raises(error, match=str(status)):
            story.sink.metadata.read()
        with pytest.raises(SinkUnavailable, match=str(status)):
            story.sink.has_topic("orders")


def test_a_topic_is_created_through_v3() -> None:
    with playing(answering(201, {})) as story:
        story.sink.create_topic("orders")
        received = story.proxy.received[-1]
    assert (received.target, received.body) == ("/v3/clusters/c%2F1/topics", b'{"topic_name": "orders"}')


def test_a_topic_that_is_not_created_is_refused_with_the_proxys_reason_unless_it_is_there() -> None:
    def play(handler: Handler) -> None:
        received = handler.receive()
        if received.target == "/topics":
            handler.answer(200, ["there"])
        elif received.method == "GET":
            handler.answer(200, {"data": [{"cluster_id": "c"}]})
        else:
            handler.answer(400, {"error_code": 40002, "message": "not today"})

    with playing(play) as story:
        story.sink.create_topic("there")
        with pytest.raises(SinkUnavailable, match="orders was not created: the REST Proxy answered 400: not today"):
            story.sink.create_topic("orders")


@pytest.fixture
def hanging() -> Iterator[Callable[..., Play]]:
    """Give what answers POST with some bytes, then with one after the other, and never ends on its own."""
    over: list[bool] = []

    def hanging(begin: bytes = b"", bit: bytes = b"") -> Play:
        def play(handler: Handler) -> None:
            if handler.receive().method == "GET":
                handler.answer(200, {"data": [{"cluster_id": "c"}]})
                return
            handler.wfile.write(begin)
            handler.connection.settimeout(0.01)
            while not over:
                try:
                    if not handler.connection.recv(1):
                        break
                except TimeoutError:
                    handler.wfile.write(bit)
            handler.close_connection = True

        return play

    yield hanging
    over.append(True)
