import pytest

from tests.contract.store_contract import NOW, REGISTRIES, StoreContract
from topic_map import MemoryStore, Store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore(REGISTRIES, clock=lambda: NOW)
