"""Where the end-to-end stories play: on the real stack where there is one, else on the embedded one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Server, configuration, serving
from tests.stack import Stack, is_external, missing_parts, start_stack


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Give the stack that the stories play on."""
    if not missing_parts() or is_external():
        real: Stack = request.getfixturevalue("real_stack")
        yield real
        return
    with start_stack("embedded") as embedded:
        yield embedded


@pytest.fixture(scope="session")
def server(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers on one table."""
    folder: Path = tmp_path_factory.mktemp("server")
    with serving(configuration(folder, stack.kafka_bootstrap, stack.registry_url), workers=2) as server:
        yield server
