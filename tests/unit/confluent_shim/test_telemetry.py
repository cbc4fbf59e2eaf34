"""Log lines that can be trusted, and metrics that stay small."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

from confluent_shim.telemetry import HumanLines, JsonLines, Metrics


def _record(facts: dict[str, object]) -> logging.LogRecord:
    record = logging.LogRecord("confluent_shim.access", logging.INFO, __file__, 1, "request", None, None)
    record.facts = facts
    return record


def test_a_json_line_holds_the_facts_as_fields() -> None:
    line = json.loads(JsonLines().format(_record({"status": 200, "path": '/a"\n'})))
    assert (line["level"], line["message"], line["status"], line["path"]) == ("info", "request", 200, '/a"\n')


def test_no_client_can_forge_a_line_or_a_fact() -> None:
    line = HumanLines().format(_record({"path": "/x\n2026 INFO forged status=200", "status": 404}))
    assert "\n" not in line
    assert line.endswith('path="/x\\n2026 INFO forged status=200" status=404')


def test_an_exception_stands_in_the_line_of_its_request() -> None:
    record = _record({})
    record.exc_info = (ValueError, ValueError("why"), None)
    assert "why" in json.loads(JsonLines().format(record))["trace"]


def test_the_topics_that_are_told_apart_are_bounded() -> None:
    metrics = Metrics()
    for number in range(1100):
        metrics.delivered(f"topic-{number}", "written", 1)
    metrics.close()
    text = metrics.exposition().decode()
    assert text.count("confluent_shim_records_total{") == 1001
    assert 'topic="(other)"} 100.0' in text


def test_what_is_counted_by_many_threads_at_once_is_all_there() -> None:
    """A count is noted by whoever has it and added up by one; nothing is lost between them."""
    metrics = Metrics()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: metrics.delivered("orders", "written", 2), range(1000)))
    metrics.close()
    assert 'confluent_shim_records_total{outcome="written",topic="orders"} 2000.0' in metrics.exposition().decode()


def test_what_is_counted_after_the_end_is_told_all_the_same() -> None:
    """A request that ends while the process does is counted."""
    metrics = Metrics()
    metrics.close()
    metrics.answered("other", "200", 0.1)
    assert b'confluent_shim_requests_total{route="other",status="200"} 1.0' in metrics.exposition()
