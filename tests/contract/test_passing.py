"""A shim before an upstream: produce requests that no binding judges go there as they came, and others never do."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from confluent_shim.settings import Cluster, Limits, RegistryEndpoint, RestProxyEndpoint
from confluent_shim.sinks.memory import MemorySink
from jsonschema_bridge.registry import MemoryRegistry
from tests.parts import BINARY, JSON, JSON_SCHEMA, V2, Shim, arriving, ask, memory_shim
from tests.rest_proxy import rest_proxy
from tests.upstream import Handler, Proxy, Received

PROTOBUF = "application/vnd.kafka.protobuf.v2+json"
STREAM = "/v3/clusters/memory/topics/{}/records"
BATCH = STREAM + ":batch"
GOOD, BAD = {"type": "JSON", "data": {"id": 1}}, {"type": "JSON", "data": {"id": "one"}}


class Story(NamedTuple):
    """A shim, the proxy behind it, and what landed behind that."""

    shim: Shim
    proxy: Proxy
    behind: MemorySink

    def send(self, target: str, body: bytes | str, content_type: str, **headers: str) -> TestResponse:
        """POST `body` to `target`, path and query, as a server hands it over that tells it as it was sent."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.shim, "POST", target, data=body, content_type=content_type, headers=sent)

    def landed(self, topic: str) -> list[bytes | None]:
        return [record.value for record in self.behind.landed(topic)]

    @property
    def sent(self) -> Received:
        """What the proxy was sent last."""
        return self.proxy.received[-1]

    def metrics(self) -> str:
        return self.shim.client.get("/-/metrics").text


Start = Callable[..., Story]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as running:

        def start(endpoint: dict[str, Any] | None = None, **changes: Any) -> Story:
            registry = MemoryRegistry()
            proxy, behind = running.enter_context(rest_proxy(registry=registry))
            rest = RestProxyEndpoint(**{"url": proxy.url, **(endpoint or {})})
            clusters = {"default": Cluster(registry=RegistryEndpoint(url="memory:"), rest_proxy=rest)}
            changes = {"unbound": "pass", **changes}
            shim = running.enter_context(memory_shim(registry=registry, clusters=clusters, **changes))
            return Story(shim, proxy, behind)

        yield start


@pytest.fixture
def story(start: Start) -> Story:
    return start()


def record(value: object = GOOD, **fields: object) -> str:
    return json.dumps({"value": value, **fields})


def batch(*values: object) -> str:
    return json.dumps({"entries": [{"id": f"n{index}", "value": value} for index, value in enumerate(values)]})


def lines(answer: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.data.splitlines()]


ODDLY = '{ "records": [ {"value": {"id" : 1.0e0}} ] }'
PATHS = [
    ("/topics/free", JSON, ODDLY),
    ("/topics/free/?x=%2F", JSON, ODDLY),
    ("/topics/fr%65e", JSON, ODDLY),
    ("/topics/free/partitions/1", BINARY, '{"records":[{"value":"AAEC"}]}'),
    (STREAM.format("free"), "application/json", '{"value":{"type":"BINARY","data":"AA=="}}\n'),
    (BATCH.format("free"), "application/json", batch(GOOD)),
]


@pytest.mark.parametrize(("target", "content_type", "body"), PATHS)
def test_a_request_for_an_unbound_topic_goes_byte_for_byte_and_its_answer_comes_back(
    story: Story, target: str, content_type: str, body: str
) -> None:
    answer = story.send(target, body, content_type, X_Mine="1")
    assert answer.status_code in (200, 207)
    assert (story.sent.target, story.sent.body) == (target, body.encode())
    assert (story.sent.header("Content-Type"), story.sent.header("X-Mine")) == (content_type, "1")
    assert "Shim-Verdict" not in answer.headers
    assert len(story.landed("free")) == 1
    assert story.shim.landed("free") == []


def test_what_the_proxy_refuses_comes_back_as_it_says(story: Story) -> None:
    answer = story.send("/topics/free", "{", JSON, Accept=V2)
    assert (answer.status_code, answer.content_type) == (400, V2)
    assert story.send("/topics/free", "{}", "text/plain").status_code == 415
    assert story.send("/topics/free/partitions/x", ODDLY, JSON).status_code == 404
    assert len(story.proxy.received) == 3


@pytest.mark.parametrize(
    ("target", "content_type", "body"),
    [
        ("/topics/free", PROTOBUF, '{"value_schema":"syntax = \\"proto3\\";","records":[{"value":{}}]}'),
        (STREAM.format("free"), "application/json", '{"value":{"type":"PROTOBUF","schema":"m","data":{}}}'),
    ],
)
def test_protobuf_goes_too_whatever_the_sink(story: Story, target: str, content_type: str, body: str) -> None:
    story.proxy.play = lambda handler: handler.answer(200, handler.receive()._replace(headers=[], body=b"").target)
    assert story.send(target, body, content_type).status_code == 200
    assert story.sent.body == body.encode()


def test_a_bound_topic_is_judged_here_and_nothing_of_it_is_handed_on(story: Story) -> None:
    story.shim.bind("bound")
    assert story.send("/topics/bound", '{"records":[{"value":{"id":"x"}}]}', JSON).status_code == 400
    assert story.send("/topics/bound", '{"records":[{"value":{"id":1}}]}', JSON).status_code == 200
    assert story.send(BATCH.format("bound"), batch(GOOD, BAD), "application/json").status_code == 207
    assert lines(story.send(STREAM.format("bound"), record(BAD), "application/json"))[0]["error_code"] == 400
    assert len(story.shim.landed("bound")) == 2
    assert story.proxy.received == []


def test_unbound_topics_are_refused_where_the_setting_says_so(start: Start) -> None:
    story = start(unbound="refuse")
    for target, content_type, body in PATHS:
        answer = story.send(target, body, content_type)
        assert "40401" in answer.text
    assert story.proxy.received == []


@pytest.mark.parametrize(
    "target",
    [
        "/topics/free%2Fpartitions%2F0",
        "/topics/free;x=%2Fpartitions%2F0",
        "/topics//free",
        "/topics/free%5C",
        "/topics/%2566ree",
        "/v3/clusters/c%2Ftopics%2Ffree%2Frecords",
        "/v3/clusters/c/../c/topics/free/records",
        "/v3/clusters/c;%2Ftopics%2Fx/topics/free/records",
        "/topics/bound;%2F..%2Ffree",
    ],
)
def test_a_path_in_which_two_readers_may_see_two_topics_is_no_path(story: Story, target: str) -> None:
    story.shim.bind("bound")
    assert story.send(target, '{"records":[{"value":{"id":"x"}}]}', JSON).status_code == 404
    assert story.proxy.received == []


def test_headers_and_credentials_go_as_they_do_for_everything_that_is_handed_on(start: Start) -> None:
    story = start({"user": "shim"})
    story.send("/topics/free", ODDLY, JSON, Authorization="Basic bWluZTo=", X_Forwarded_For="1.2.3.4")
    assert story.sent.header("Authorization") == "Basic c2hpbTo="
    assert story.sent.header("X-Forwarded-For") is None


def test_a_second_cluster_without_a_proxy_takes_its_records_here() -> None:
    """In the v2 API an unbound topic is in the default cluster; in v3 the path names one."""
    with rest_proxy() as (proxy, _):
        clusters = {
            "default": Cluster(registry=RegistryEndpoint(url="memory:")),
            "other": Cluster(registry=RegistryEndpoint(url="memory:"), rest_proxy=RestProxyEndpoint(url=proxy.url)),
        }
        others = {"other": MemorySink(cluster_id="second")}
        with memory_shim(others, MemorySink(), clusters=clusters, unbound="pass") as shim:
            story = Story(shim, proxy, others["other"])
            assert story.send("/topics/free", ODDLY, JSON).status_code == 200
            assert proxy.received == []
            story.send("/v3/clusters/second/topics/free/records", record(), "application/json")
            assert len(proxy.received) == 1


class TestBodies:
    def test_a_body_goes_as_it_arrives_however_large(self, start: Start) -> None:
        story = start(limits=Limits(body_bytes=1000))
        body = json.dumps({"records": [{"value": "x" * 100}] * 1000})
        assert story.send("/topics/free", body, JSON).status_code == 200
        assert story.sent.body == body.encode()

    @pytest.mark.parametrize("target", ["/topics/free", STREAM.format("free")])
    def test_a_topic_that_is_bound_while_records_are_on_their_way_gets_no_more_of_them(
        self, story: Story, target: str
    ) -> None:
        class BindingMeanwhile(io.RawIOBase):
            def read(self, _: int = -1) -> bytes:
                if not story.shim.services.store.table().get("free"):
                    story.shim.bind("free")
                return b'{"records":[{"value":{"id":"x"}}]}'

        answer = arriving(story.shim, BindingMeanwhile(), target, HTTP_TRANSFER_ENCODING="chunked")
        assert (answer.status_code, answer.get_json()["error_code"]) == (502, 50290)
        assert story.landed("free") == []


class TestPlaces:
    """A stream takes a place for streams; what is short, or no stream, that of a request."""

    LONG = json.dumps({"value": {"type": "JSON", "data": "x" * 100_000}})

    @pytest.mark.parametrize(
        ("target", "body", "error_code"),
        [
            (STREAM.format("free"), LONG, 50396),
            (STREAM.format("free"), record(), 42990),
            (BATCH.format("free"), batch(GOOD), 42990),
            ("/topics/free", ODDLY, 42990),
        ],
    )
    def test_there_are_no_more_than_the_settings_say(
        self, start: Start, target: str, body: str, error_code: int
    ) -> None:
        story = start(limits=Limits(requests=1, streams=1))
        arrived, over = threading.Event(), threading.Event()

        def hold(handler: Handler) -> None:
            handler.receive()
            arrived.set()
            assert over.wait(10)
            handler.answer(200, {})

        story.proxy.play = hold
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(story.send, target, body, "application/json")
            assert arrived.wait(10)
            refused = story.send(target, body, "application/json")
            over.set()
            assert first.result().status_code == 200
        assert refused.get_json()["error_code"] == error_code
        assert story.send(target, body, "application/json").status_code == 200


def test_a_topic_map_that_cannot_be_read_lets_nothing_by(story: Story) -> None:
    story.shim.services.store.close()
    answer = story.send("/topics/free", ODDLY, JSON)
    assert (answer.status_code, answer.get_json()["error_code"]) == (503, 50390)
    assert story.proxy.received == []


class TestOutages:
    @pytest.mark.parametrize(
        ("target", "content_type"), [("/topics/free", V2), (STREAM.format("free"), "application/json")]
    )
    def test_a_proxy_that_cannot_be_reached_may_be_asked_again(
        self, start: Start, target: str, content_type: str
    ) -> None:
        story = start({"url": "http://127.0.0.1:1"})
        answer = story.send(target, ODDLY, JSON)
        assert (answer.status_code, answer.get_json()["error_code"], answer.content_type) == (503, 50395, content_type)

    def test_one_that_breaks_off_is_not_asked_twice(self, story: Story) -> None:
        def hang_up(handler: Handler) -> None:
            handler.receive()
            handler.close_connection = True

        story.send("/topics/free", ODDLY, JSON)
        story.proxy.play = hang_up
        answer = story.send("/topics/free", ODDLY, JSON)
        assert (answer.status_code, answer.get_json()["error_code"]) == (502, 50290)
        assert len(story.proxy.received) == 2


class TestObserving:
    @pytest.fixture
    def story(self, start: Start) -> Story:
        story = start(unbound="refuse")
        story.shim.bind("watched", mode="observe")
        return story

    def test_records_of_the_v2_api_go_as_they_came_with_their_verdict(self, story: Story) -> None:
        body = '{"records": [{"value":{"id":1}}, {"value":{"id":"x"}} ]}'
        answer = story.send("/topics/watched", body, JSON)
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (200, "reject; records=1")
        assert story.sent.body == body.encode()
        assert story.landed("watched") == [b'{"id":1}', b'{"id":"x"}']
        assert 'observed_records_total{topic="watched",verdict="reject"} 1.0' in story.metrics()
        assert 'observed_records_total{topic="watched",verdict="admit"} 1.0' in story.metrics()

    def test_what_enforcing_would_have_admitted_is_told_so(self, story: Story) -> None:
        body = '{"value_schema_id":1,"records":[{"value":{"id":1}}]}'
        answer = story.send("/topics/watched", body, JSON_SCHEMA)
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (200, "admit")

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            ("{", JSON, 400),
            ('{"records":[]}', JSON, 422),
            ("{}", "text/plain", 415),
            ("{}", "?", 400),
            ('{"records":[{"value":{"id":1}}]}', PROTOBUF, 422),
            ('{"records":[{"value":{"id":1,"id":1}}]}', JSON, 200),
        ],
    )
    def test_what_is_no_request_here_goes_too_and_would_have_been_refused(
        self, story: Story, body: str, content_type: str, status: int
    ) -> None:
        answer = story.send("/topics/watched", body, content_type)
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (status, "reject; records=0")
        assert story.sent.body == body.encode()

    @pytest.mark.parametrize("declared", [True, False])
    def test_a_body_beyond_the_limit_goes_unread(self, start: Start, *, declared: bool) -> None:
        story = start(limits=Limits(body_bytes=1000))
        story.shim.bind("watched", mode="observe")
        story.proxy.play = lambda handler: handler.answer(200, len(handler.receive().body))
        body = b" " * 3000
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
        answer = story.shim.client.post(
            "/topics/watched",
            data=body,
            environ_overrides={} if declared else chunked,
            buffered=True,
        )
        assert (answer.get_json(), answer.headers["Shim-Verdict"]) == (3000, "reject; records=0")

    def test_a_batch_goes_as_it_came_and_the_verdict_names_its_entries(self, story: Story) -> None:
        body = batch(GOOD, BAD, GOOD, {"type": "BINARY", "data": "AA=="})
        answer = story.send(BATCH.format("watched"), body, "application/json")
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (207, "reject; records=1,3")
        assert len(answer.get_json()["successes"]) == 4
        assert story.sent.body == body.encode()
        answer = story.send(BATCH.format("watched"), "[]", "application/json")
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (400, "reject; records=0")

    def test_a_stream_goes_as_it_came_and_each_line_has_its_verdict(self, story: Story) -> None:
        body = record() + "\n" + record(BAD) + record({"type": "NONE", "data": 1}) + record()
        answer = story.send(STREAM.format("watched"), body, "application/json")
        told = lines(answer)
        assert [each.get("offset") for each in told] == [0, 1, None, 2]
        assert [each["shim_verdict"].partition(";")[0] for each in told] == ["admit", "reject", "reject", "admit"]
        assert "/id" in told[1]["shim_verdict"]
        assert story.sent.body == body.encode()
        assert 'observed_records_total{topic="watched",verdict="reject"} 2.0' in story.metrics()

    def test_what_of_a_stream_has_more_than_one_reading_goes_and_would_have_been_refused(self, story: Story) -> None:
        twice = '{"value":{"type":"JSON","data":{"id":1,"id":2}}}'
        told = lines(story.send(STREAM.format("watched"), record() + twice + record(), "application/json"))
        assert [each["error_code"] for each in told] == [200] * 3
        assert [each["shim_verdict"].partition(";")[0] for each in told] == ["admit", "reject", "admit"]
        answer = story.send(BATCH.format("watched"), '{"entries":[{"id":"a",' + twice[1:-1] + "}]}", "application/json")
        assert (answer.status_code, answer.headers["Shim-Verdict"]) == (207, "reject; records=0")

    def test_a_record_of_a_stream_beyond_the_limit_goes_and_would_have_been_refused(self, start: Start) -> None:
        story = start(limits=Limits(record_bytes=1000))
        story.shim.bind("watched", mode="observe")
        long = record({"type": "JSON", "data": {"id": 1, "note": "x" * 100_000}})
        told = lines(story.send(STREAM.format("watched"), record() + long + record(), "application/json"))
        assert [each["error_code"] for each in told] == [200] * 3
        assert [each["shim_verdict"].partition(";")[0] for each in told] == ["admit", "reject", "admit"]

    @pytest.mark.parametrize("declared", ["50", ""])
    def test_a_body_that_breaks_off_is_the_clients_fault_and_goes_nowhere(self, story: Story, declared: str) -> None:
        class Broken(io.RawIOBase):
            def read(self, _: int = -1) -> bytes:
                raise ConnectionResetError

        environ = {"CONTENT_LENGTH": declared} if declared else {"HTTP_TRANSFER_ENCODING": "chunked"}
        answer = arriving(story.shim, Broken(), "/topics/watched", **environ)
        assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)
        assert arriving(story.shim, io.BytesIO(b"{}"), "/topics/watched", CONTENT_LENGTH="50").status_code == 400
        assert story.proxy.received == []

    def test_a_stream_that_cannot_be_read_on_has_no_verdict_beyond(self, story: Story) -> None:
        answer = story.send(STREAM.format("watched"), record() + "{]" + record(), "application/json")
        assert [each["shim_verdict"].partition(";")[0] for each in lines(answer)[:2]] == ["admit", "reject"]

    def test_topics_that_observe_pass_although_unbound_ones_are_refused(self, story: Story) -> None:
        assert story.send("/topics/free", ODDLY, JSON).status_code == 404
        assert story.send("/topics/watched", ODDLY, JSON).status_code == 200
