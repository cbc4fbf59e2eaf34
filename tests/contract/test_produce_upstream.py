"""A whole shim whose sink is a REST Proxy: what a client sends, what the proxy gets, and what the client is told."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from werkzeug.test import Client, TestResponse

from confluent_shim.app import create_app
from confluent_shim.errors import SettingsInvalid
from confluent_shim.services import build_services
from confluent_shim.settings import Cluster, Limits, RegistryEndpoint, RestProxyEndpoint, Secret, Settings
from confluent_shim.sinks.memory import MemorySink
from tests.doubles import ArrivingBody
from tests.parts import JSON_SCHEMA, ORDER, TOKEN, open_stream
from tests.rest_proxy import rest_proxy
from tests.upstream import Handler, Proxy

GOOD, FRAMED = {"id": 1}, b'\0\0\0\0\1{"id": 1}'
VALUE = {"type": "JSON", "data": GOOD}
STREAM = "/v3/clusters/c/topics/orders/records"
BATCH = STREAM + ":batch"
TIME = 1_612_552_482_000


class Story(NamedTuple):
    """A shim with the bound topic `orders`, and what stands behind it."""

    client: Client
    proxy: Proxy
    behind: MemorySink

    def produce(self, *values: object, **headers: str) -> TestResponse:
        """POST one record per value with the v2 API."""
        body = json.dumps({"records": [{"value": value} for value in values]})
        return self.client.post("/topics/orders", data=body, content_type=JSON_SCHEMA, headers=headers)

    def batch(self, *entries: dict[str, object], **headers: str) -> Any:
        """POST a batch with the v3 API, and return the answer."""
        body = json.dumps({"entries": [{"id": str(index), **entry} for index, entry in enumerate(entries)]})
        return self.client.post(BATCH, data=body, content_type="application/json", headers=headers).get_json()

    def stream(self, *records: dict[str, object], **headers: str) -> list[Any]:
        """POST a stream with the v3 API, and return the lines of the answer."""
        body = "\n".join(map(json.dumps, records))
        answer = self.client.post(STREAM, data=body, content_type="application/json", headers=headers, buffered=True)
        return [json.loads(line) for line in answer.text.splitlines()]

    def answer_posts(self, status: int, document: object) -> None:
        """Have the proxy answer so from now on, and tell of its cluster."""

        def play(handler: Handler) -> None:
            if handler.receive().target == "/v3/clusters":
                handler.answer(200, {"data": [{"cluster_id": "c"}]})
            else:
                handler.answer(status, document)

        self.proxy.play = play


@contextmanager
def shim_before_proxy(limits: Limits | None = None, **settings: Any) -> Iterator[Story]:
    with rest_proxy() as (proxy, behind):
        behind.create_topic("orders")
        cluster = Cluster(
            registry=RegistryEndpoint(url="memory:"), rest_proxy=RestProxyEndpoint(url=proxy.url, **settings)
        )
        chosen = Settings(
            store="memory:",
            sink="rest-proxy",
            admin_token=Secret(TOKEN),
            clusters={"default": cluster},
            limits=limits or Limits(),
        )
        services = build_services(chosen)
        try:
            client = Client(create_app(chosen, services))
            bound = client.put(
                "/-/bindings/orders", json={"schema": ORDER}, headers={"Authorization": f"Bearer {TOKEN}"}
            )
            assert bound.status_code == 200, bound.text
            yield Story(client, proxy, behind)
        finally:
            services.close()


def test_what_is_admitted_lands_behind_the_proxy_with_its_frame() -> None:
    with shim_before_proxy() as story:
        answer = story.produce(GOOD, GOOD)
        assert (answer.status_code, answer.get_json()["value_schema_id"]) == (200, 1)
        assert [record.value for record in story.behind.landed("orders")] == [FRAMED] * 2


def test_what_is_rejected_never_gets_to_the_proxy() -> None:
    with shim_before_proxy() as story:
        before = len(story.proxy.received)
        assert story.produce({"id": "one"}).status_code == 400
        assert len(story.proxy.received) == before


def test_a_batch_lands_with_its_headers_and_times_in_the_order_of_its_entries() -> None:
    plain: dict[str, object] = {"partition_id": 0, "value": {"type": "JSON", "data": GOOD}}
    timed = {**plain, "timestamp": "2021-02-05T19:14:42Z", "headers": [{"name": "h", "value": "MQ=="}]}
    keyed = {**timed, "key": {"type": "STRING", "data": "k"}}
    with shim_before_proxy() as story:
        answer = story.batch(plain, keyed, timed, plain)
        assert answer["failures"] == []
        assert [each["offset"] for each in answer["successes"]] == [0, 1, 2, 3]
        assert answer["successes"][1]["timestamp"] == "2021-02-05T19:14:42Z"
        assert all(each["timestamp"] for each in answer["successes"])
        extras = [record.extras for record in story.behind.landed("orders")]
        assert [each and (list(each.headers), each.timestamp) for each in extras[1:3]] == [
            ([("h", b"1")], 1_612_552_482_000)
        ] * 2


class TestStreams:
    def test_records_land_with_their_headers_and_times_and_have_their_lines_in_order(self) -> None:
        plain = {"partition_id": 0, "value": VALUE}
        timed = {**plain, "timestamp": "2021-02-05T19:14:42Z", "headers": [{"name": "h", "value": "MQ=="}]}
        keyed = {**timed, "key": {"type": "STRING", "data": "k"}}
        with shim_before_proxy() as story:
            lines = story.stream(plain, keyed, timed, plain, {**plain, "value": {"type": "JSON", "data": {}}}, plain)
            assert [line.get("offset") for line in lines] == [0, 1, 2, 3, None, 4]
            assert lines[1]["timestamp"] == "2021-02-05T19:14:42Z"
            assert (lines[4]["error_code"], lines[4]["errors"][0]["record"]) == (400, 4)
            landed = story.behind.landed("orders")
            assert [record.value for record in landed] == [FRAMED] * 5
            assert [each and each.timestamp for each in (record.extras for record in landed)][1:3] == [TIME] * 2

    def test_a_client_that_waits_for_each_line_gets_it_before_it_sends_the_next_record(self) -> None:
        with shim_before_proxy() as story:
            body = ArrivingBody()
            with open_stream(story.client.application, "orders", body.read) as answer:
                for offset in range(5):
                    body.send(json.dumps({"value": VALUE}).encode())
                    assert json.loads(next(answer))["error_code"] == 200
                    assert len(story.behind.landed("orders")) == offset + 1
                body.end()

    def test_the_time_of_a_record_begins_when_it_is_its_turn(self) -> None:
        """A proxy that takes its time for each lot makes the client wait, and gives up none of its records."""
        with shim_before_proxy(limits=Limits(deadline=2.0)) as story:
            answer_now = story.proxy.play
            assert answer_now is not None

            def slowly(handler: Handler) -> None:
                time.sleep(0.6)
                answer_now(handler)

            story.proxy.play = slowly
            text = json.dumps({"value": VALUE}).encode()
            pieces = BytesIO(text * 5)
            with open_stream(story.client.application, "orders", pieces.read) as answer:
                lines = [json.loads(line) for piece in answer for line in piece.splitlines()]
        assert [line["error_code"] for line in lines] == [200] * 5

    def test_a_refusal_upstream_is_each_lines_and_counted(self) -> None:
        with shim_before_proxy() as story:
            story.answer_posts(429, {"error_code": 42901, "message": "slow down"})
            lines = story.stream({"value": VALUE}, {"value": VALUE})
            assert [(line["error_code"], line["outcome"], line["retryable"]) for line in lines] == [
                (42901, "not_written", True)
            ] * 2
            assert 'confluent_shim_upstream_refusals_total{status="429"} 1.0' in story.client.get("/-/metrics").text

    def test_a_proxy_that_is_away_is_each_lines_and_the_stream_goes_on(self) -> None:
        with shim_before_proxy() as story:
            story.proxy.keeps_connections = False
            assert story.stream({"value": VALUE})[0]["error_code"] == 200
            story.proxy.shutdown()
            story.proxy.socket.close()
            lines = story.stream({"value": VALUE}, {"value": VALUE})
            assert [(line["error_code"], line["outcome"]) for line in lines] == [(50392, "not_written")] * 2

    def test_records_go_with_the_authorization_of_their_client(self) -> None:
        with shim_before_proxy(forward_authorization=True) as story:
            story.stream({"value": VALUE}, Authorization="Bearer mine")
            assert story.proxy.received[-1].header("Authorization") == "Bearer mine"


def test_a_refusal_upstream_is_told_as_the_proxys_for_every_record_and_counted() -> None:
    with shim_before_proxy() as story:
        story.answer_posts(422, {"error_code": 42207, "message": "no such schema"})
        answer = story.produce(GOOD, GOOD)
        assert answer.status_code == 200
        assert (
            answer.get_json()["offsets"]
            == [
                {
                    "partition": None,
                    "offset": None,
                    "error_code": 42207,
                    "error": "the REST Proxy answered 422: no such schema",
                    "outcome": "not_written",
                    "retryable": False,
                }
            ]
            * 2
        )
        (failure,) = story.batch({"value": {"type": "JSON", "data": GOOD}})["failures"]
        assert (failure["error_code"], failure["outcome"]) == (42207, "not_written")
        assert 'confluent_shim_upstream_refusals_total{status="422"} 2.0' in story.client.get("/-/metrics").text


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_the_proxy_refuses_decide_the_status(status: int) -> None:
    with shim_before_proxy(forward_authorization=True) as story:
        story.answer_posts(status, {"error_code": status, "message": "no"})
        assert story.produce(GOOD, Authorization="Basic bWU6").status_code == status


@pytest.mark.parametrize(("forwards", "sent"), [(True, "Bearer mine"), (False, "Basic c2hpbTo=")])
def test_the_clients_own_authorization_goes_along_where_the_setting_says_so(forwards: bool, sent: str) -> None:
    with shim_before_proxy(user="shim", forward_authorization=forwards) as story:
        assert story.produce(GOOD, Authorization="Bearer mine").status_code == 200
        assert story.proxy.received[-1].header("Authorization") == sent
        assert story.batch({"value": {"type": "JSON", "data": GOOD}}, Authorization="Bearer mine")["failures"] == []
        assert story.proxy.received[-1].header("Authorization") == sent


def test_a_proxy_that_goes_away_is_a_503_and_the_shim_stays() -> None:
    with shim_before_proxy() as story:
        story.proxy.keeps_connections = False
        assert story.produce(GOOD).status_code == 200
        story.proxy.shutdown()
        story.proxy.socket.close()
        answer = story.produce(GOOD)
        assert (answer.status_code, answer.get_json()["error_code"]) == (503, 50392)
        assert "Retry-After" in answer.headers
        (failure,) = story.batch({"value": {"type": "JSON", "data": GOOD}})["failures"]
        assert (failure["error_code"], failure["outcome"], failure["retryable"]) == (50392, "not_written", True)
        assert story.client.get("/-/ready").status_code == 200


def test_a_topic_that_the_proxy_does_not_have_cannot_be_bound() -> None:
    with shim_before_proxy() as story:
        answer = story.client.put(
            "/-/bindings/absent", json={"schema": ORDER}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert (answer.status_code, answer.get_json()["error_code"]) == (404, 40492)


def test_without_an_address_of_a_proxy_there_is_no_start() -> None:
    cluster = Cluster(registry=RegistryEndpoint(url="memory:"))
    with pytest.raises(SettingsInvalid, match=r"clusters\.eu\.rest_proxy\.url is missing"):
        build_services(Settings(store="memory:", sink="rest-proxy", clusters={"eu": cluster}))


def test_kafka_itself_need_not_be_known_and_is_asked_for_through_the_proxy() -> None:
    with shim_before_proxy() as story:
        assert story.client.get("/-/ready?verbose").status_code == 200
        assert "/brokers" in [received.target for received in story.proxy.received]
