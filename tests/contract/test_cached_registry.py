import pytest

from jsonschema_bridge.registry import CachedRegistry, MemoryRegistry, Registry
from tests.contract.registry_contract import RegistryContract


class TestCachedRegistry(RegistryContract):
    """A cache keeps the contract too, once it is told of what was changed behind its back."""

    @pytest.fixture
    def inner(self) -> MemoryRegistry:
        return MemoryRegistry()

    @pytest.fixture
    def registry(self, inner: MemoryRegistry) -> Registry:
        self._inner = inner
        return CachedRegistry(inner, ttl=3600)

    def delete_version(self, registry: Registry, subject: str, version: int) -> None:
        assert isinstance(registry, CachedRegistry)
        self._inner.delete(subject, version)
        registry.invalidate(subject)
