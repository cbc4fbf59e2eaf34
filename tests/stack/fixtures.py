"""Fixtures on the real stack, as a pytest plugin: ``pytest_plugins = ["tests.stack.fixtures"]``."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Kafka, Stack, fill_cache, is_external, missing_parts, start_stack

_NEED_REAL = {"real_stack", "own_kafka"}
_used: set[str] = set()
_missed: set[str] = set()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fill the cache before the first test, whose time limit is not meant for downloads."""
    wanted = any(_NEED_REAL.intersection(getattr(item, "fixturenames", ())) for item in session.items)
    if wanted and not session.config.option.collectonly and not is_external() and not missing_parts():
        fill_cache()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which stack the run used, and loudly what it did without."""
    for line in sorted(_used):
        terminalreporter.write_line(f"stack: {line}")
    if _missed:
        missing = ", ".join(sorted(_missed))
        terminalreporter.write_sep("!", f"REAL STACK NOT RUN: missing {missing}", red=True, bold=True)


@pytest.fixture(scope="session")
def real_stack() -> Iterator[Stack]:
    """Apache Kafka and a registry, shared by all tests: leave it running, and name topics for your test."""
    if not is_external():
        _demand_parts()
    with start_stack("external" if is_external() else "real") as stack:
        _used.add(f"{stack.name}, Kafka {stack.kafka_bootstrap}, registry {stack.registry_url}")
        yield stack


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """Apache Kafka for one test, to be frozen, killed and restarted."""
    _demand_parts()
    kafka = Kafka(tmp_path / "kafka")
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


def _demand_parts() -> None:
    missing = missing_parts()
    if not missing:
        return
    _missed.update(missing)
    reason = f"the real stack needs {', '.join(missing)}"
    if os.environ.get("STACK_REQUIRE_REAL") == "1" or os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
