"""Bindings that observe: nothing is refused for their sake, and what they would have said is told."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from confluent_shim.observing import Observation, Verdicts
from jsonschema_bridge import RegistryUnavailable
from tests.doubles import ScriptedRegistry
from tests.parts import AVRO, JSON, JSON_SCHEMA, Shim, memory_shim
from tests.streams import parsed


@pytest.fixture
def shim() -> Iterator[Shim]:
    """Yield a shim that refuses unbound topics, with a topic whose binding observes."""
    with memory_shim() as shim:
        shim.bind("t", mode="observe")
        yield shim


def verdict(answer: Any) -> str | None:
    found: str | None = answer.headers.get("Shim-Verdict")
    return found


def test_what_conforms_is_admitted_and_goes_as_it_would_unbound(shim: Shim) -> None:
    answer = shim.send("t", {"id": 1}, content_type=JSON)
    assert (answer.status_code, verdict(answer)) == (200, "admit")
    assert shim.landed("t") == [b'{"id": 1}'], "an unbound topic's JSON has no frame"


def test_what_does_not_conform_goes_all_the_same_and_is_named(shim: Shim) -> None:
    answer = shim.send("t", {"id": 1}, {"id": "x"}, {"id": 2}, {}, content_type=JSON)
    assert (answer.status_code, verdict(answer)) == (200, "reject; records=1,3")
    assert len(shim.landed("t")) == 4


def test_what_has_no_single_reading_goes_as_confluent_reads_it(shim: Shim) -> None:
    answer = shim.produce("t", '{"records":[{"value":{"id":1}},{"value":{"id":1,"id":2}}]}', JSON)
    assert (answer.status_code, verdict(answer)) == (200, "reject; records=1")
    answer = shim.produce("t", '{"records":[],"records":[{"value":{"id":1}},{"value":{"id":2}}]}', JSON)
    assert (answer.status_code, verdict(answer)) == (200, "reject; records=0,1")


def test_a_request_that_the_binding_would_refuse_whole_is_a_rejection_of_all_its_records(shim: Shim) -> None:
    shim.registry.register("t-key", shim.registry.registered("t-value", 1).schema)
    answer = shim.produce("t", {"key_schema_id": 1, "value_schema_id": 1, "records": [{"value": {"id": 1}}] * 2})
    assert (answer.status_code, verdict(answer)) == (200, "reject; records=0,1")


def test_what_an_unbound_topic_refuses_is_refused_and_has_its_verdict_too(shim: Shim) -> None:
    answer = shim.produce("t", {"records": [{"value": {"id": 1}}]}, AVRO)
    assert (answer.status_code, answer.get_json()["error_code"]) == (422, 42202)
    assert verdict(answer) == "reject; records=0"
    assert verdict(shim.produce("t", "{", JSON)) is None, "what cannot be read has no verdict"


def test_a_registry_that_is_down_leaves_the_verdict_open() -> None:
    registry = ScriptedRegistry()
    with memory_shim(registry=registry.content) as shim:
        shim.bind("t", mode="observe")
        shim.services.registries["default"]._inner = registry
        registry.failure = RegistryUnavailable("gone")
        answer = shim.send("t", {"id": 1}, content_type=JSON)
    assert (answer.status_code, verdict(answer)) == (200, "unknown")


def test_topics_that_are_enforced_tell_no_verdict(shim: Shim) -> None:
    shim.bind("orders", mode="enforce")
    answer = shim.send("orders", {"id": "x"})
    assert (answer.status_code, verdict(answer)) == (400, None)


@pytest.mark.parametrize(
    ("default", "own", "observes"),
    [
        ("observe", None, True),
        ("observe", "enforce", False),
        ("enforce", None, False),
        ("enforce", "observe", True),
    ],
)
def test_the_setting_holds_for_bindings_that_say_nothing(default: str, own: str | None, observes: bool) -> None:
    with memory_shim(mode=default) as shim:
        assert shim.bind("t", mode=own)["mode"] == own
        assert (shim.send("t", {"id": "x"}, content_type=JSON).status_code == 200) == observes


def test_verdicts_are_counted_by_topic(shim: Shim) -> None:
    shim.send("t", {"id": 1}, {}, {}, content_type=JSON)
    text = shim.client.get("/-/metrics").text
    assert 'confluent_shim_observed_records_total{topic="t",verdict="admit"} 1.0' in text
    assert 'confluent_shim_observed_records_total{topic="t",verdict="reject"} 2.0' in text
    assert 'confluent_shim_records_total{outcome="written",topic="t"} 3.0' in text
    assert "confluent_shim_rejected_records_total{" not in text


def test_a_request_with_a_rejection_has_a_log_line_that_says_why(shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "confluent_shim.access")
    shim.send("t", {"id": 1}, content_type=JSON)
    shim.send("t", {"id": "x"}, content_type=JSON)
    (line,) = [vars(record)["facts"] for record in caplog.records if "facts" in vars(record)]
    assert (line["verdict"], line["reason"]) == ("reject; records=0", "/id: the value is not of type integer")


def test_an_unexpected_error_stops_no_record_and_is_logged(shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedRegistry):
        def versions(self, subject: str) -> tuple[int, ...]:
            raise KeyError(subject)

    shim.services.registries["default"]._inner = Broken()
    shim.services.registries["default"].invalidate("t-value")
    answer = shim.send("t", {"id": 1}, content_type=JSON)
    assert (answer.status_code, verdict(answer)) == (200, "unknown")
    assert any(record.exc_info for record in caplog.records)


class TestVerdicts:
    def test_they_stay_short_however_many_records_there_are(self) -> None:
        verdicts = Verdicts()
        for first in (0, 500):
            verdicts.add(Observation(500, dict.fromkeys(range(first, first + 500), "why")))
        assert str(verdicts) == f"reject; records={','.join(map(str, range(20)))}; more=980"
        assert verdicts.reason == "why"

    def test_each_record_has_its_own(self) -> None:
        observation = Observation(2, {1: "/id: missing"})
        assert [observation.of(0), observation.of(1)] == ["admit", "reject; /id: missing"]
        assert Observation(1, {}, "the registry is down").of(0) == "unknown; the registry is down"


def test_schemas_are_judged_and_framed_as_unbound(shim: Shim) -> None:
    answer = shim.produce("t", {"value_schema_id": 1, "records": [{"value": {"id": 1}}]}, JSON_SCHEMA)
    assert (answer.status_code, verdict(answer)) == (200, "admit")
    assert shim.landed("t") == [b'\0\0\0\0\1{"id": 1}']


def test_each_record_of_the_v3_api_has_its_verdict(shim: Shim) -> None:
    documents: list[object] = [{"id": 1}, {"id": "x"}]
    entries = [{"id": str(n), "value": {"type": "JSON", "data": data}} for n, data in enumerate(documents)]
    answer = shim.client.post(
        "/v3/clusters/c/topics/t/records:batch", json={"entries": entries}, headers={"Content-Type": "application/json"}
    )
    assert [told["shim_verdict"] for told in answer.get_json()["successes"]] == [
        "admit",
        "reject; /id: the value is not of type integer",
    ]
    assert len(shim.landed("t")) == 2
    text = shim.client.get("/-/metrics").text
    assert 'confluent_shim_observed_records_total{topic="t",verdict="reject"} 1.0' in text


class TestStreams:
    def lines(self, shim: Shim, body: str) -> list[dict[str, Any]]:
        return parsed(shim.stream("t", body).data)

    def test_each_line_has_its_verdict_and_the_log_line_that_of_all(
        self, shim: Shim, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "confluent_shim.access")
        sent = [{"type": "JSON", "data": {"id": number}} for number in (1, "x", 2, "y")]
        lines = self.lines(shim, "".join(json.dumps({"value": each}) for each in sent))
        assert [line["error_code"] for line in lines] == [200] * 4
        assert [line["shim_verdict"].split(";")[0] for line in lines] == ["admit", "reject", "admit", "reject"]
        (noted,) = [vars(record)["facts"] for record in caplog.records if "facts" in vars(record)]
        assert (noted["verdict"], noted["reason"]) == (
            "reject; records=1,3",
            "/id: the value is not of type integer",
        )

    def test_what_has_no_single_reading_goes_as_confluent_reads_it(self, shim: Shim) -> None:
        value = '{"value":{"type":"JSON","data":{"id":1%s}}}'
        first, second, third = self.lines(shim, value % "" + value % ',"id":2' + value % "")
        assert [first["shim_verdict"], third["shim_verdict"]] == ["admit", "admit"]
        assert (second["error_code"], second["shim_verdict"].split(";")[0]) == (200, "reject")
        assert len(shim.landed("t")) == 3
        text = shim.client.get("/-/metrics").text
        assert 'confluent_shim_observed_records_total{topic="t",verdict="admit"} 2.0' in text
        assert 'confluent_shim_observed_records_total{topic="t",verdict="reject"} 1.0' in text

    def test_what_an_unbound_topic_refuses_has_its_verdict_too(self, shim: Shim) -> None:
        shim.registry.register("other", shim.registry.registered("t-value", 1).schema)
        records = [{"value": {"subject": "nosuch", "schema_id": 1, "data": {"id": 1}}}] * 2
        records.append({"value": {"type": "JSONSCHEMA", "data": {"id": 1}}})
        lines = self.lines(shim, "".join(map(json.dumps, records)))
        assert [line["error_code"] for line in lines] == [422, 422, 400]
        assert [line["shim_verdict"].split(";")[0] for line in lines] == ["reject", "reject", "admit"]


def test_a_batch_is_logged_with_its_verdict_and_read_as_confluent_reads_it(
    shim: Shim, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "confluent_shim.access")
    entry = '{"id":"%d","value":{"type":"JSON","data":{"id":1%s}}}'
    body = '{"entries":[' + entry % (1, "") + "," + entry % (2, ',"id":2') + "]}"
    answer = shim.client.post(
        "/v3/clusters/c/topics/t/records:batch", data=body, headers={"Content-Type": "application/json"}
    )
    assert [told["shim_verdict"].split(";")[0] for told in answer.get_json()["successes"]] == ["admit", "reject"]
    (noted,) = [vars(record)["facts"] for record in caplog.records if "facts" in vars(record)]
    assert noted["verdict"] == "reject; records=1"
