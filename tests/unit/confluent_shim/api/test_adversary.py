"""Requests that want to get past the rule, or to take a worker down."""

from collections.abc import Iterator

import pytest

from confluent_shim.enforcement import Enforcer
from confluent_shim.records import IncomingRecord, ProduceRequest
from jsonschema_bridge import Schema
from tests.parts import Shim, memory_shim


@pytest.fixture
def shim() -> Iterator[Shim]:
    with memory_shim() as shim:
        shim.bind("orders")
        yield shim


def test_an_avro_schema_that_becomes_the_subjects_version_never_judges_json(shim: Shim) -> None:
    shim.registry.register("orders-value", Schema('{"type":"string"}', "AVRO"))
    answer = shim.send("orders", "a text")
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42294)
    assert "AVRO" in answer.get_json()["message"]
    assert shim.landed("orders") == []


def test_a_record_is_refused_by_the_verdict_even_when_nothing_explains_it(shim: Shim) -> None:
    class Speechless:
        def is_valid(self, _: object) -> bool:
            return False

        def violations(self, _: object) -> Iterator[object]:
            return iter(())

    enforcer = Enforcer(shim.services.store.table, shim.services.registries)
    enforcer._validators["default", 1] = Speechless()  # type: ignore[assignment]
    record = IncomingRecord()
    request = ProduceRequest("orders", "json", [record, record], [{"value": 1}, {"key": "k", "value": 1}])
    verdict = enforcer.judge(enforcer.binding("orders"), request)
    assert not verdict.admitted
    assert [found.keyword for violations in verdict.rejected.values() for found in violations] == ["schema"] * 2


def test_explanations_of_one_request_are_bounded_and_every_bad_record_is_still_counted(shim: Shim) -> None:
    answer = shim.send("orders", *[{"id": "x", "dt": 1}] * 1500)
    body = answer.get_json()
    assert answer.status_code == 400
    assert "at least 1000 violations in 1500 of 1500 records" in body["message"]
    assert body["errors_cut"] is True
    text = shim.client.get("/-/metrics").text
    assert 'confluent_shim_rejected_records_total{reason="(unexplained)",topic="orders"} 1000.0' in text


def test_one_record_with_very_many_violations_is_bounded_too(shim: Shim) -> None:
    shim.bind("lists", {"type": "array", "items": {"type": "string"}})
    body = shim.send("lists", [1] * 5000).get_json()
    assert "at least 1000 violations in 1 of 1 records" in body["message"]
    assert len(body["errors"]) == 100
    assert body["errors_cut"] is True
