"""What every test shares: which kind it is, whether it may open sockets, and that nothing outlives it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.stack.fixtures"]

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_TESTS = Path(__file__).parent
_KINDS = ("unit", "contract", "integration", "e2e")
# Threads that a library starts once per process and keeps.
_PERMANENT = ("hypothesis", "pytest_timeout", "ThreadPoolExecutor")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder; unit tests may not open sockets."""
    for item in items:
        kind = item.path.relative_to(_TESTS).parts[0]
        if kind in _KINDS:
            item.add_marker(kind)
        if kind == "unit":
            item.add_marker("disable_socket")


@pytest.fixture(autouse=True)
def nothing_outlives_a_test() -> Iterator[None]:
    """Fail a test that leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.is_alive() and not thread.name.startswith(_PERMANENT)
    ]
    for thread in left:
        thread.join(2.0)
    assert not [thread.name for thread in left if thread.is_alive()]
