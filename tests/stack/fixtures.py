"""Fixtures on the real stack, as a pytest plugin: ``pytest_plugins = ["tests.stack.fixtures"]``."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ApicurioRegistry, Kafka, Stack, is_external, missing_parts, start_stack
from tests.stack.parts import apicurio_folder, fill_cache, kafka_folder

_PARTS: dict[str, Callable[[], object]] = {
    "real_stack": fill_cache,
    "run_kafka": kafka_folder,
    "apicurio": apicurio_folder,
}
"""What fills the cache for each fixture that needs it."""

RunKafka = Callable[..., AbstractContextManager[Kafka]]
"""Runs a broker: takes its folder, and what else `Kafka` takes."""

_used: set[str] = set()
_missed: defaultdict[str, set[str]] = defaultdict(set)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the parts of the stack in the cache."""
    if not missing_parts():
        fill_for(session, {name: fill for name, fill in _PARTS.items() if name != "real_stack" or not is_external()})


def fill_for(session: pytest.Session, parts: Mapping[str, Callable[[], object]]) -> None:
    """Fill the cache before the first test, whose time limit is not meant for downloads.

    `parts` has what fills it for each fixture that needs it.
    """
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for name, fill in parts.items():
        if name in wanted:
            fill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which stack the run used, and loudly what it did without."""
    for line in sorted(_used):
        terminalreporter.write_line(f"stack: {line}")
    for what, missing in sorted(_missed.items()):
        line = f"{what.upper()} NOT RUN: missing {', '.join(sorted(missing))}"
        terminalreporter.write_sep("!", line, red=True, bold=True)


@pytest.fixture(scope="session")
def real_stack() -> Iterator[Stack]:
    """Apache Kafka and a registry, shared by all tests: leave it running, and name topics for your test."""
    if not is_external():
        _demand_parts()
    with start_stack("external" if is_external() else "real") as stack:
        _used.add(f"{stack.name}, Kafka {stack.kafka_bootstrap}, registry {stack.registry_url}")
        yield stack


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApicurioRegistry]:
    """Give the registry that strays from Confluent's contract, shared by all tests: name subjects for your test."""
    _demand_parts()
    registry = ApicurioRegistry(tmp_path_factory.mktemp("apicurio"))
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()


@pytest.fixture(scope="session")
def run_kafka() -> RunKafka:
    """Give what runs Apache Kafka for one test or one module, to be frozen, killed and restarted."""
    _demand_parts()
    return _running


@contextmanager
def _running(folder: Path, **options: Any) -> Iterator[Kafka]:
    kafka = Kafka(folder, **options)
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture
def own_kafka(run_kafka: RunKafka, tmp_path: Path) -> Iterator[Kafka]:
    """Apache Kafka for one test."""
    with run_kafka(tmp_path / "kafka") as kafka:
        yield kafka


def _demand_parts() -> None:
    demand("the real stack", missing_parts())


def demand(what: str, missing: Sequence[str]) -> None:
    """Skip the test for want of the programs `missing`, and say so at the end; fail it where everything has to run."""
    if not missing:
        return
    _missed[what.removeprefix("the ")].update(missing)
    reason = f"{what} needs {', '.join(missing)}"
    if os.environ.get("STACK_REQUIRE_REAL") == "1" or os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
