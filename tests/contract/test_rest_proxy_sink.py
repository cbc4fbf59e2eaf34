"""The sink on a REST Proxy: what it sends, what it makes of each answer, and what it never does."""

import time
from collections.abc import Callable, Iterator

import pytest

from confluent_shim.errors import MetadataForbidden, MetadataUnavailable, SinkUnavailable, TopicNotHosted
from confluent_shim.records import AdmittedRecord, Client, Delivery, Extras
from confluent_shim.settings import Secret
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.rest_proxy import RestProxySink
from tests.contract.metadata_contract import MetadataContract
from tests.contract.played_proxy import RECORD, TIMED, answering, failure, place, playing, sink_at, told
from tests.contract.sink_contract import ReadAll, ReadExtras, SinkContract
from tests.rest_proxy import rest_proxy
from tests.upstream import Handler, Proxy


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
    is_waited_for = True

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
