"""The registry client on a real registry that departs from Confluent's contract where it can."""

from collections.abc import Iterator

import pytest
import requests

from jsonschema_bridge.registry import Registry
from jsonschema_bridge.registry.confluent import open_confluent_registry
from tests.contract.registry_contract import RegistryContract
from tests.stack import ApicurioRegistry


class TestApicurioRegistry(RegistryContract):
    @pytest.fixture
    def registry(self, apicurio: ApicurioRegistry) -> Iterator[Registry]:
        registry = open_confluent_registry(apicurio.url)
        yield registry
        registry.close()

    def delete_version(self, registry: Registry, subject: str, version: int) -> None:
        answer = requests.delete(f"{registry.identity}/subjects/{subject}/versions/{version}", timeout=10)
        assert answer.ok, answer.text
