"""The store that a server opens by its setting, held to the contract of all stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.store_contract import NOW, REGISTRIES, StoreContract
from topic_map import Store, open_store


class TestSqliteStoreByItsAddress(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = open_store(f"sqlite:{tmp_path / 'bindings.db'}", REGISTRIES, clock=lambda: NOW)
        yield store
        store.close()
