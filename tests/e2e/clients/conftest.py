"""The clients, fetched where they are not there, and topics for them."""

import json
import sys
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from tests.e2e.clients.curl import CURL, Curl, run_curl
from tests.e2e.clients.driver import DRIVERS, Client, run_driver
from tests.e2e.clients.parts import NPM, PYPI, npm_folder, pypi_folder
from tests.e2e.server import Server
from tests.stack import Stack
from tests.stack.fixtures import demand, fill_for
from tests.stack.parts import missing


class _Package(NamedTuple):
    """What a package is called, the programs it needs, and what puts it into the cache and returns its folder."""

    what: str
    tools: Sequence[str]
    fetch: Callable[[], Path]


_PACKAGES = {
    "npm_kafka_rest": _Package("kafka-rest of npm", NPM, npm_folder),
    "pypi_kafka_rest": _Package("kafka-rest of PyPI", PYPI, partial(pypi_folder, "kafka-rest")),
    "pypi_kafka_rest_client": _Package("kafka-rest-client of PyPI", PYPI, partial(pypi_folder, "kafka-rest-client")),
}
"""By the fixture that needs it."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the clients in the cache."""
    fill_for(session, {name: package.fetch for name, package in _PACKAGES.items() if not missing(package.tools)})


@pytest.fixture(scope="session")
def curl() -> Curl:
    """Run the machine's curl."""
    demand("the client curl", missing([CURL[0]]))
    return run_curl


@pytest.fixture
def npm_kafka_rest() -> Client:
    """Give a program that uses the package kafka-rest of npm."""
    folder = _demand("npm_kafka_rest")
    return partial(run_driver, ["node", DRIVERS / "kafka_rest_npm.js"], {"NODE_PATH": str(folder / "node_modules")})


@pytest.fixture
def pypi_kafka_rest() -> Client:
    """Give a program that uses the package kafka-rest of PyPI."""
    folder = _demand("pypi_kafka_rest")
    return partial(run_driver, [sys.executable, DRIVERS / "kafka_rest_pypi.py"], {"PYTHONPATH": str(folder)})


@pytest.fixture
def pypi_kafka_rest_client() -> Client:
    """Give a program that uses the package kafka-rest-client of PyPI."""
    folder = _demand("pypi_kafka_rest_client")
    # Its OAuth library refuses an address without TLS unless it is told that this is a test.
    environment = {"PYTHONPATH": str(folder), "OAUTHLIB_INSECURE_TRANSPORT": "1"}
    return partial(run_driver, [sys.executable, DRIVERS / "kafka_rest_client.py"], environment)


def _demand(name: str) -> Path:
    package = _PACKAGES[name]
    demand(f"the client {package.what}", missing(package.tools))
    return package.fetch()


@pytest.fixture
def avro_topic(server: Server, stack: Stack) -> Callable[[str, str], str]:
    """Make a topic of 4 partitions whose keys and values conform to Avro schemas, given as texts."""

    def make(key_schema: str, value_schema: str) -> str:
        name = f"clients-{uuid.uuid4().hex[:8]}"
        stack.create_topic(name, partitions=4)
        with SchemaRegistryClient({"url": stack.registry_url}) as registry:
            registry.register_schema(f"{name}-key", Schema(key_schema, "AVRO"))
        server.bind(name, schema=json.loads(value_schema), encoding="avro", key="subject", key_subject=f"{name}-key")
        return name

    return make
