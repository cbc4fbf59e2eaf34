"""What contract tests read that others wrote, fetched where it is not there."""

from pathlib import Path

import pytest

from tests.contract.json_schema_suite import suite_folder
from tests.stack.fixtures import demand, fill_for
from tests.stack.parts import missing
from tests.stack.process import TIED

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
