import logging

import pytest

from jsonschema_bridge.registry import LoggingObserver


def test_an_outage_is_two_lines_however_many_answers_were_stale(caplog: pytest.LogCaptureFixture) -> None:
    """The log says once that staleness begins, with age and registry, and once that it ends."""
    caplog.set_level(logging.INFO, logger="jsonschema_bridge.registry")
    observer = LoggingObserver("http://registry.test")

    for age in (6.25, 7.0, 8.0):
        observer.on_request("versions", "unavailable", 2.0)
        observer.on_stale("versions", age)
    observer.on_recovered()

    begins, ends = caplog.records
    assert begins.levelno == logging.WARNING
    assert "http://registry.test is down" in begins.getMessage()
    assert "6.2 s old" in begins.getMessage()
    assert "answers again" in ends.getMessage()


def test_an_outage_without_stale_answers_is_not_logged_as_staleness(caplog: pytest.LogCaptureFixture) -> None:
    """A recovery ends nothing that had not begun."""
    caplog.set_level(logging.INFO, logger="jsonschema_bridge.registry")

    LoggingObserver("http://registry.test").on_recovered()

    assert not caplog.records
