"""What contract tests read that others wrote, fetched where it is not there; a double of what stands behind."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from confluent_shim.settings import RestProxyEndpoint
from confluent_shim.sinks.upstream import Upstream
from tests.contract.json_schema_suite import suite_folder
from tests.stack.fixtures import demand, fill_for
from tests.stack.parts import missing
from tests.stack.process import TIED
from tests.upstream import Proxy, Start, echoing, starting

_TOOLS = (TIED[0],)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the suite in the cache."""
    if not missing(_TOOLS):
        fill_for(session, {"json_schema_suite": suite_folder})


@pytest.fixture(scope="session")
def json_schema_suite() -> Path:
    """Give the folder of the official JSON Schema test suite."""
    demand("the JSON Schema test suite", missing(_TOOLS))
    return suite_folder()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with echoing() as proxy:
        yield proxy


@pytest.fixture
def start(proxy: Proxy) -> Iterator[Start]:
    with starting(proxy) as start:
        yield start


@pytest.fixture
def open_upstream(proxy: Proxy) -> Iterator[Callable[..., Upstream]]:
    opened: list[Upstream] = []

    def open_upstream(path: str = "", **settings: Any) -> Upstream:
        opened.append(Upstream(RestProxyEndpoint(url=proxy.url + path, **settings)))
        return opened[-1]

    yield open_upstream
    for upstream in opened:
        upstream.close()


@pytest.fixture
def upstream(open_upstream: Callable[..., Upstream]) -> Upstream:
    return open_upstream(timeout=2.0)
