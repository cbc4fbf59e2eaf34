from pathlib import Path

import pytest

import topic_map
from topic_map import MemoryStore, SqliteStore, StoreUnavailable, open_store

REGISTRIES = {"default": "http://one"}


def test_a_url_chooses_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheme names the kind of store; a path may be relative, absolute, or written as a URL's."""
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_store("memory:", REGISTRIES), MemoryStore)
    for number, url in enumerate(["sqlite:0.db", f"sqlite:{tmp_path}/1.db", f"sqlite://{tmp_path}/2.db"]):
        assert isinstance(open_store(url, REGISTRIES), SqliteStore)
        assert (tmp_path / f"{number}.db").exists()


@pytest.mark.parametrize(
    "url", ["", "memory", "memory:x", "sqlite:", "sqlite::memory:", "sqlite://host/path", "kafka:topic"]
)
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    """The refusal says which schemes there are."""
    with pytest.raises(StoreUnavailable, match=r"'memory:' and 'sqlite:PATH'"):
        open_store(url, REGISTRIES)


def test_the_public_names_are_exact() -> None:
    """The package shows what it lists, sorted, and each name is there."""
    assert [name for name in topic_map.__all__ if not hasattr(topic_map, name)] == []
    assert len(set(topic_map.__all__)) == len(topic_map.__all__)
