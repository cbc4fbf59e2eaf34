"""Which requests have a line in the log."""

import pytest

from confluent_shim.settings import Log
from tests.parts import memory_shim


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.__dict__["facts"] for record in caplog.records if record.name == "confluent_shim.access"]


def test_only_what_went_wrong_has_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "confluent_shim.access")
    with memory_shim() as shim:
        shim.bind("orders")
        assert shim.send("orders", {"id": 1}).status_code == 200
        assert lines(caplog) == []
        assert shim.send("orders", {"id": "x"}).status_code == 400
        (line,) = lines(caplog)
        assert (line["path"], line["status"], line["topic"], line["records"]) == ("/topics/orders", 400, "orders", 1)


def test_records_that_did_not_reach_kafka_have_a_line_whatever_the_status(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "confluent_shim.access")
    with memory_shim() as shim:
        shim.bind("orders")
        body = {"records": [{"value": {"id": 1}}, {"value": {"id": "x"}}]}
        assert shim.produce("orders", body, Prefer="handling=lenient").status_code == 200
    (line,) = lines(caplog)
    assert (line["status"], line["records"], line["failed"]) == (200, 2, 1)


def test_every_request_has_a_line_where_that_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "confluent_shim.access")
    with memory_shim(log=Log(requests="all")) as shim:
        assert shim.client.get("/-/live").status_code == 200
    assert [(line["path"], line["status"]) for line in lines(caplog)] == [("/-/live", 200)]
