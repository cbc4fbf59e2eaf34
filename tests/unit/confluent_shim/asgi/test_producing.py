"""Produce requests over ASGI: which of them touch a thread, and that being served once more is nothing to be seen."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from confluent_shim.api.wire_v2 import read_request
from confluent_shim.records import ANYBODY, AdmittedRecord, Client, Delivery
from confluent_shim.settings import Limits
from confluent_shim.sinks.memory import MemorySink
from confluent_shim.sinks.settled import Settled
from jsonschema_bridge.waiting import may_wait
from tests.doubles import LateSink
from tests.parts import JSON_SCHEMA, ORDER, Shim, memory_shim
from tests.served import SECONDS, Answer, Asked, Fields, Served, Talk

ROUTES = {
    "v2": "/topics/orders",
    "batch": "/v3/clusters/c/topics/orders/records:batch",
    "stream": "/v3/clusters/c/topics/orders/records",
}
OK = {"v2": 200, "batch": 207, "stream": 200}
LONG = 600.0  # seconds that a registry's answers are remembered
TWICE = ["loop", "request"]


def body_of(route: str, *values: object) -> bytes:
    if route == "v2":
        return json.dumps({"records": [{"value": value} for value in values]}).encode()
    records = [{"value": {"type": "JSONSCHEMA", "data": value}} for value in values]
    if route == "stream":
        return b"".join(json.dumps(record).encode() for record in records)
    return json.dumps({"entries": [{"id": str(n), **record} for n, record in enumerate(records)]}).encode()


def headers_of(route: str) -> dict[str, str]:
    return {"content_type": JSON_SCHEMA if route == "v2" else "application/json"}


def produce(served: Served, route: str, *values: object, **headers: str) -> Answer:
    return served.ask("POST", ROUTES[route], body_of(route, *values), **headers_of(route), **headers)


def told(answer: Answer) -> list[dict[str, Any]]:
    """Return what an answer says of each record."""
    if answer.body.endswith(b"\r\n"):
        return [json.loads(line) for line in answer.body.splitlines()]
    document = json.loads(answer.body)
    found: list[dict[str, Any]] = document.get("offsets") or [*document["successes"], *document["failures"]]
    return found


def counted(shim: Shim, metric: str, *labels: str) -> float:
    """Return how much was counted by `metric`, of what has all `labels`."""
    lines = shim.client.get("/-/metrics").text.splitlines()
    found = [line for line in lines if line.startswith(f"confluent_shim_{metric}{{")]
    return sum(float(line.split()[-1]) for line in found if all(label in line for label in labels))


@contextmanager
def serving(threads: int = 4, *, warm: bool = True, **parts: Any) -> Iterator[tuple[Shim, Served]]:
    """Serve a shim with a topic bound, whose schema is known if it is `warm`."""
    binding = parts.pop("binding", {})
    with memory_shim(**{"ttl": LONG, **parts}) as shim:
        shim.bind("orders", ORDER, **binding)
        with Served(shim.client.application.wsgi_app, threads) as served:
            if warm:
                known = read_request(body_of("v2", {"id": 1}), "orders", "jsonschema", limits=Limits())
                shim.services.publisher.check(shim.services.publisher.binding("orders"), known)
            yield shim, served


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestUsually:
    def test_a_good_request_never_touches_a_thread(self, route: str) -> None:
        with serving() as (shim, served):
            answer = produce(served, route, {"id": 1}, {"id": 2})
            assert (answer.status, [each["offset"] for each in told(answer)]) == (OK[route], [0, 1])
            assert served.served_on == ["loop"]
            assert len(shim.landed("orders")) == 2
            assert counted(shim, "requests_total", f'status="{OK[route]}"', "produce") == 1

    def test_requests_that_wait_for_kafka_hold_no_thread(self, route: str) -> None:
        """More of them than there are threads, and the one thread answers a probe meanwhile."""
        sink = LateSink()
        with serving(threads=1, sink=sink) as (shim, served):
            waiting = [
                served.send("POST", ROUTES[route], body_of(route, {"id": n}), **headers_of(route)) for n in range(20)
            ]
            sink.await_handovers(20)
            assert served.ask("GET", "/-/live").status == 200
            assert not any(each.done() for each in waiting)
            sink.heard.release(20)
            assert [each.result(SECONDS).status for each in waiting] == [OK[route]] * 20
            assert served.served_on.count("request") == 1
            assert counted(shim, "records_in_flight") == 0

    def test_the_time_of_a_request_is_counted_until_it_is_answered(self) -> None:
        sink = LateSink()
        with serving(sink=sink) as (shim, served):
            waiting = served.send("POST", ROUTES["v2"], body_of("v2", {"id": 1}), **headers_of("v2"))
            sink.await_handovers(1)
            assert counted(shim, "requests_total", "produce") == 0
            sink.heard.release()
            waiting.result(SECONDS)
            assert counted(shim, "requests_total", "produce") == 1

    def test_a_request_whose_time_is_over_is_told_that_nobody_knows(self, route: str) -> None:
        with serving(sink=LateSink(), limits=Limits(deadline=0.1)) as (shim, served):
            (record,) = told(produce(served, route, {"id": 1}))
            assert (record["outcome"], record["retryable"]) == ("unknown", True)
            assert served.served_on == ["loop"]
            assert counted(shim, "records_in_flight") == 0

    def test_what_is_no_request_is_refused_on_the_loop(self) -> None:
        with serving() as (_, served):
            assert produce(served, "v2", {"id": 1}, accept="text/html").status == 406
            assert served.ask("POST", ROUTES["v2"], b"{}", content_type="text/html").status == 415
            assert served.ask("POST", ROUTES["stream"], b"{}", content_type="text/html").status == 415
            assert served.ask("POST", "/topics/unbound", body_of("v2", 1), **headers_of("v2")).status >= 400
            assert served.served_on == ["loop"] * 4

    def test_a_request_on_a_thread_is_answered_alike(self, route: str) -> None:
        body = body_of(route, {"id": 1})
        with serving() as (shim, served):
            asked = Asked("POST", ROUTES[route], headers=Fields(("content-type", headers_of(route)["content_type"])))
            answer = served.begin(asked, Talk(body[:9], body[9:])).result(SECONDS)
            assert (answer.status, [each["offset"] for each in told(answer)]) == (OK[route], [0])
            assert served.served_on == ["request"]
            assert len(shim.landed("orders")) == 1

    def test_a_body_that_does_not_arrive_whole_sends_nothing(self, route: str) -> None:
        """Of a stream that is short, too: its records are handed over when all of it is there."""
        body = body_of(route, {"id": 1})
        fields = Fields(("content-type", headers_of(route)["content_type"]), ("content-length", str(len(body))))
        with serving() as (shim, served):
            answer = served.begin(Asked("POST", ROUTES[route], headers=fields), Talk(body[:9], broken=True))
            assert answer.result(SECONDS).status == (200 if route == "stream" else 400)
            assert shim.landed("orders") == []

    def test_head_is_answered_without_a_body(self) -> None:
        with serving() as (_, served):
            whole, head = served.ask("GET", "/-/live"), served.ask("HEAD", "/-/live")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.body))


class TestServedOnceMore:
    """What would wait on the loop is served from its beginning on a thread."""

    def test_a_record_that_does_not_conform_is_explained_on_a_thread_and_counted_once(self, route: str) -> None:
        with serving() as (shim, served):
            answer = produce(served, route, {"id": 1}, {"id": "x"}, x_request_id="mine")
            assert "/id" in answer.body.decode()
            assert answer.headers["x-request-id"] == "mine"
            assert served.served_on == TWICE
            assert len(shim.landed("orders")) == (0 if route == "v2" else 1)
            assert counted(shim, "rejected_records_total") == 1
            assert counted(shim, "requests_total", "produce") == 1

    def test_records_beside_a_rejected_one_are_sent_once(self) -> None:
        with serving() as (shim, served):
            answer = produce(served, "v2", {"id": 1}, {"id": "x"}, {"id": 2}, prefer="handling=lenient")
            assert [each["offset"] for each in told(answer)] == [0, None, 1]
            assert served.served_on == TWICE
            assert len(shim.landed("orders")) == 2
            assert counted(shim, "rejected_records_total") == 1
            assert counted(shim, "records_total", 'outcome="written"') == 2

    def test_a_schema_is_compiled_on_a_thread_and_known_from_then_on(self, route: str) -> None:
        with serving(warm=False) as (shim, served):
            for _ in range(2):
                assert produce(served, route, {"id": 1}).status == OK[route]
            assert served.served_on == [*TWICE, "loop"]
            assert len(shim.landed("orders")) == 2

    def test_a_registry_is_asked_on_a_thread(self, route: str) -> None:
        with serving(ttl=0.0) as (shim, served):
            for _ in range(2):
                assert produce(served, route, {"id": 1}).status == OK[route]
            assert served.served_on == TWICE * 2
            assert len(shim.landed("orders")) == 2

    def test_a_record_without_a_single_reading_is_counted_once(self, route: str) -> None:
        body = body_of(route, {"id": 1}).replace(b'"id": 1', b'"id": 1, "id": 2')
        with serving() as (shim, served):
            served.ask("POST", ROUTES[route], body, **headers_of(route))
            assert shim.landed("orders") == []
            assert counted(shim, "rejected_records_total") == 1
            assert counted(shim, "requests_total", "produce") == 1

    def test_what_a_binding_only_observes_is_counted_once(self, route: str) -> None:
        with serving(warm=False, binding={"mode": "observe"}) as (shim, served):
            body = body_of(route, {"id": "x"}, {"id": 1}).replace(b"JSONSCHEMA", b"JSON")
            content_type = headers_of(route)["content_type"].replace("jsonschema", "json")
            assert served.ask("POST", ROUTES[route], body, content_type=content_type).status == OK[route]
            assert served.served_on == TWICE
            assert len(shim.landed("orders")) == 2
            assert counted(shim, "observed_records_total", 'verdict="reject"') == 1
            assert counted(shim, "observed_records_total", 'verdict="admit"') == 1

    @pytest.mark.parametrize("route", ["batch", "stream"])
    def test_records_of_two_shapes_are_handed_over_on_a_thread_in_their_order(self, route: str) -> None:
        """The second would be handed over when the first is with Kafka already."""
        body = body_of(route, {"id": 1}, {"id": 2}, {"id": 3})
        body = body.replace(b'{"id": 2}}', b'{"id": 2}}, "key": {"type": "STRING", "data": "k"}')
        with serving(binding={"key": "any"}) as (shim, served):
            answer = served.ask("POST", ROUTES[route], body, **headers_of(route))
            assert [each.get("error_code", 200) for each in told(answer)] == [200] * 3
            assert served.served_on == TWICE
            assert len(shim.landed("orders")) == 3

    @pytest.mark.parametrize("headers", [{}, {"prefer": "handling=lenient"}], ids=["strict", "lenient"])
    def test_a_sink_that_waits_is_asked_on_a_thread_and_nothing_is_counted_before(
        self, route: str, headers: dict[str, str]
    ) -> None:
        """A record beyond the limit is rejected without any waiting, and those beside it may be sent all the same."""
        with serving(sink=WaitingSink(), limits=Limits(record_bytes=100)) as (shim, served):
            produce(served, route, {"id": 1}, {"id": 1, "note": "x" * 200}, **headers)
            sent = route != "v2" or bool(headers)
            assert len(shim.landed("orders")) == int(sent)
            assert counted(shim, "rejected_records_total") == 1
            assert served.served_on == TWICE

    def test_records_that_are_to_be_sent_again_are_waited_for_on_a_thread(self, route: str) -> None:
        """As where a broker finds a batch too large; the loop serves others meanwhile."""
        sink = AgainSink()
        with serving(sink=sink) as (shim, served):
            waiting = served.send("POST", ROUTES[route], body_of(route, {"id": 1}), **headers_of(route))
            assert sink.entered.wait(SECONDS)
            assert served.ask("POST", "/topics/unbound", b"{}", **headers_of("v2")).status >= 400
            assert not waiting.done()
            sink.released.set()
            assert waiting.result(SECONDS).status == OK[route]
            assert sink.waited_on == ["request"]
            assert len(shim.landed("orders")) == 1
            assert served.served_on == ["loop", "loop"]


class WaitingSink(MemorySink):
    """A sink that takes nothing on where nobody may wait."""

    def hand_over(self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY) -> Settled:
        may_wait()
        return super().hand_over(topic, records, client)


class AgainSink(MemorySink):
    """A sink whose records have to be sent once more, by whoever waits for them."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.released = threading.Event()
        self.waited_on: list[str] = []

    def hand_over(  # type: ignore[override]
        self, topic: str, records: Sequence[AdmittedRecord], client: Client = ANYBODY
    ) -> "Again":
        return Again(self, super().hand_over(topic, records, client))


class Again:
    """Records of an AgainSink."""

    def __init__(self, sink: AgainSink, settled: Settled) -> None:
        self._sink = sink
        self._settled = settled

    def ready(self) -> bool:
        return False

    def tell(self, when_ready: Callable[[], None]) -> None:
        when_ready()

    def wait(self, end: float) -> list[Delivery]:
        self._sink.waited_on.append(threading.current_thread().name.partition("_")[0])
        self._sink.entered.set()
        assert self._sink.released.wait(end - time.monotonic())
        return self._settled.deliveries


class TestPlaces:
    def test_requests_beyond_the_limit_are_refused_at_once_and_taken_on_again_afterwards(self, route: str) -> None:
        sink = LateSink()
        with serving(sink=sink, limits=Limits(requests=3)) as (_, served):
            for _ in range(2):
                waiting = [
                    served.send("POST", ROUTES[route], body_of(route, {"id": n}), **headers_of(route)) for n in range(3)
                ]
                sink.await_handovers(3)
                assert produce(served, route, {"id": 4}).status == 429
                sink.heard.release(3)
                assert [each.result(SECONDS).status for each in waiting] == [OK[route]] * 3
            assert set(served.served_on) == {"loop"}

    def test_a_place_is_free_again_whatever_comes_of_a_request(self, route: str) -> None:
        """With one place, and room for a body or two, what is left behind refuses what follows."""
        body = body_of(route, {"id": 1})
        limits = Limits(requests=1, bytes=400, body_bytes=300, record_bytes=100)
        broken = Fields(("content-type", headers_of(route)["content_type"]), ("content-length", "99"))
        hostile: list[tuple[bytes, dict[str, str]]] = [
            (body_of(route, {"id": "x"}), {}),
            (body_of(route, {"id": 1, "note": "x" * 120}), {}),
            (body.replace(b'"id": 1', b'"id": 1, "id": 2'), {}),
            (body[:-1], {}),
            (b"", {}),
            (body + b" " * 300, {}),
            (body, {"accept": "text/html"}),
            (body, {"content_type": "text/html"}),
        ]
        with serving(warm=False, limits=limits) as (_, served):
            assert produce(served, route, {"id": 1}).status == OK[route]
            for sent, headers in hostile:
                answer = served.ask("POST", ROUTES[route], sent, **{**headers_of(route), **headers})
                assert answer.status not in (429, 503)
                assert produce(served, route, {"id": 1}).status == OK[route], (sent, headers)
            served.begin(Asked("POST", ROUTES[route], headers=broken), Talk(body, broken=True)).result(SECONDS)
            assert produce(served, route, {"id": 1}).status == OK[route]

    def test_a_place_is_free_again_when_the_time_is_over(self, route: str) -> None:
        with serving(sink=LateSink(), limits=Limits(requests=1, deadline=0.05)) as (_, served):
            for _ in range(3):
                assert told(produce(served, route, {"id": 1}))[0]["outcome"] == "unknown"

    def test_requests_on_threads_leave_room_for_those_that_need_none(self) -> None:
        """They are bounded by the threads, and those on the loop by `limits.requests`."""
        sink = LateSink()
        with serving(threads=2, sink=sink, limits=Limits(requests=10)) as (_, served):
            long = Fields(("content-type", JSON_SCHEMA))
            on_thread = served.begin(Asked("POST", ROUTES["v2"], headers=long), Talk(body_of("v2", {"id": 0})))
            waiting = [
                served.send("POST", ROUTES["v2"], body_of("v2", {"id": n}), **headers_of("v2")) for n in range(9)
            ]
            sink.await_handovers(10)
            assert produce(served, "v2", {"id": 1}).status == 429
            sink.heard.release(10)
            assert [each.result(SECONDS).status for each in [on_thread, *waiting]] == [200] * 10
