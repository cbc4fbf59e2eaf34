import pytest

from jsonschema_bridge.registry import MemoryRegistry, Registry
from tests.contract.registry_contract import RegistryContract


class TestMemoryRegistry(RegistryContract):
    @pytest.fixture
    def registry(self) -> Registry:
        return MemoryRegistry()

    def delete_version(self, registry: Registry, subject: str, version: int) -> None:
        assert isinstance(registry, MemoryRegistry)
        registry.delete(subject, version)
