"""The bounds of a request, told through HTTP: past them it is refused at once and nothing of it is sent."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from confluent_shim.settings import Limits, Server
from tests.doubles import Held
from tests.parts import Shim, arriving, memory_shim


def bounded(**limits: Any) -> Any:
    return memory_shim(limits=Limits(**limits))


def wide(**note: int) -> dict[str, object]:
    """Return an order whose note has so many letters."""
    return {"id": 1, "note": "x" * note["letters"]}


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    with bounded(body_bytes=1000) as shim:
        shim.bind("orders")
        body = io.BytesIO(b"x" * 3000)
        answer = arriving(shim, body, CONTENT_LENGTH="3000")
        assert body.tell() == 0
        assert answer.status_code == 413
        assert answer.get_json()["error_code"] == 413
        assert "1000 bytes" in answer.get_json()["message"]
        assert shim.landed("orders") == []


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit() -> None:
    with bounded(body_bytes=1000) as shim:
        shim.bind("orders")
        body = io.BytesIO(json.dumps({"records": [{"value": wide(letters=5000)}]}).encode())
        answer = arriving(shim, body)
        assert answer.status_code == 413
        assert body.tell() <= 1001


@pytest.mark.parametrize("length", ["1" + "0" * 30, "9" * 5000])
def test_no_length_is_too_long_to_be_refused(length: str) -> None:
    with bounded() as shim:
        shim.bind("orders")
        assert arriving(shim, io.BytesIO(), CONTENT_LENGTH=length).status_code == 413


def test_a_body_that_ends_before_its_declared_length_is_not_taken() -> None:
    with bounded() as shim:
        shim.bind("orders")
        body = io.BytesIO(b'{"records":[{"value":{"id":1}}]}')
        answer = arriving(shim, body, CONTENT_LENGTH="500")
        assert (answer.status_code, answer.get_json()["message"]) == (400, "The body did not arrive whole")
        assert shim.landed("orders") == []


def test_the_body_of_an_admin_request_has_the_same_limit() -> None:
    with bounded(body_bytes=1000) as shim:
        assert shim.admin("PUT", "orders", {"description": "x" * 2000}).status_code == 413


def test_more_records_than_the_limit_are_refused_with_the_number() -> None:
    with bounded(records=2) as shim:
        shim.bind("orders")
        assert shim.send("orders", {"id": 1}, {"id": 2}).status_code == 200
        answer = shim.send("orders", {"id": 1}, {"id": 2}, {"id": 3})
        assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42296)
        assert "3 records" in answer.get_json()["message"]
        assert len(shim.landed("orders")) == 2


def test_a_record_over_the_limit_is_named_with_its_size() -> None:
    with bounded(record_bytes=1000) as shim:
        shim.bind("orders")
        answer = shim.send("orders", {"id": 1}, wide(letters=2000), {"id": 2})
        assert (answer.status_code, answer.get_json()["error_code"]) == (413, 413)
        (error,) = answer.get_json()["errors"]
        assert (error["record"], error["keyword"], error["expected"]) == (1, "record_bytes", "at most 1000 bytes")
        assert error["actual"] > 2000
        assert shim.landed("orders") == []


def test_small_records_may_be_many_bytes_together() -> None:
    with bounded(record_bytes=1000) as shim:
        shim.bind("orders")
        assert shim.send("orders", *[wide(letters=500)] * 10).status_code == 200


def test_a_record_over_the_limit_does_not_stop_the_others_of_a_lenient_request() -> None:
    with bounded(record_bytes=1000) as shim:
        shim.bind("orders")
        body = {"records": [{"value": {"id": 1}}, {"value": wide(letters=2000)}]}
        answer = shim.produce("orders", body, Prefer="handling=lenient")
        good, bad = answer.get_json()["offsets"]
        assert (answer.status_code, good["offset"], bad["error_code"]) == (200, 0, 413)
        assert (bad["outcome"], bad["retryable"]) == ("not_written", False)


def test_a_record_that_is_too_large_is_not_judged() -> None:
    """How long judging may take is bounded for records within the limit."""
    with bounded(record_bytes=1000) as shim:
        shim.bind("orders")
        answer = shim.send("orders", {"note": "x" * 2000})
        assert answer.status_code == 413
        assert {error["keyword"] for error in answer.get_json()["errors"]} == {"record_bytes"}
        mixed = shim.send("orders", {"note": "x" * 2000}, {"note": "x"})
        assert mixed.status_code == 400
        assert {error["keyword"] for error in mixed.get_json()["errors"]} == {"record_bytes", "required"}


def nested(levels: int) -> str:
    return '{"records":[{"value":{"id":1}},{"value":' + "[" * levels + "]" * levels + "}]}"


def test_nesting_over_the_limit_is_refused_and_the_record_named() -> None:
    with bounded(depth=10) as shim:
        shim.bind("any", schema=True)
        assert shim.produce("any", nested(7)).status_code == 200
        answer = shim.produce("any", nested(8))
        assert answer.status_code == 400
        assert [(error["record"], error["keyword"]) for error in answer.get_json()["errors"]] == [(1, "depth")]


@pytest.fixture
def busy() -> Iterator[tuple[Shim, Held]]:
    """Give a shim that takes one produce request at a time, and the body of one that is on its way."""
    with memory_shim(server=Server(threads=2), limits=Limits(bytes=200)) as shim, ThreadPoolExecutor(1) as pool:
        shim.bind("orders")
        body = Held()
        first = pool.submit(arriving, shim, body)
        assert body.entered.wait(30)
        try:
            yield shim, body
        finally:
            body.released.set()
            assert first.result().status_code == 200


def test_a_busy_process_refuses_at_once_and_says_when_to_come_again(busy: tuple[Shim, Held]) -> None:
    shim, _ = busy
    answer = shim.send("orders", {"id": 1})
    assert (answer.status_code, answer.get_json()["error_code"]) == (429, 42990)
    assert answer.get_json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) >= 1
    assert shim.client.get("/-/live").status_code == 200


def test_slow_bodies_that_are_sent_elsewhere_leave_threads_for_probes_and_producers() -> None:
    with memory_shim(server=Server(threads=4)) as shim, ThreadPoolExecutor(1) as pool:
        shim.bind("orders")
        body, path = Held(), "/-/bindings/orders/validate"
        first = pool.submit(arriving, shim, body, path, CONTENT_LENGTH="32")
        assert body.entered.wait(30)
        try:
            assert arriving(shim, Held(), path, CONTENT_LENGTH="32").status_code == 429
            assert shim.client.get("/-/live").status_code == 200
            assert shim.send("orders", {"id": 1}).status_code == 200
        finally:
            body.released.set()
        assert first.result().status_code == 200


@pytest.mark.parametrize("path", ["/topics/orders", "/-/bindings/orders/validate", "/nowhere"])
def test_a_body_that_breaks_on_the_way_is_the_clients_affair_whatever_the_server_calls_it(path: str) -> None:
    class Torn(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise RuntimeError("invalid chunk size")

    with memory_shim() as shim:
        shim.bind("orders")
        answer = arriving(shim, Torn(), path, HTTP_TRANSFER_ENCODING="chunked")
        assert (answer.status_code, answer.get_json()["error_code"]) == (400, 400)


def test_bodies_that_do_not_fit_together_are_refused_before_they_are_read() -> None:
    with memory_shim(limits=Limits(bytes=200)) as shim:
        shim.bind("orders")
        answer = shim.send("orders", wide(letters=300))
        assert (answer.status_code, answer.get_json()["error_code"]) == (503, 50393)
        assert answer.get_json()["retryable"] is True
        assert "Retry-After" in answer.headers
        assert shim.landed("orders") == []


def test_a_request_that_arrives_after_its_time_is_not_sent() -> None:
    with bounded(deadline=1e-9) as shim:
        shim.bind("orders")
        answer = shim.send("orders", {"id": 1})
        assert (answer.status_code, answer.get_json()["error_code"]) == (503, 50394)
        assert "nothing of it was sent" in answer.get_json()["message"]
        assert shim.landed("orders") == []
