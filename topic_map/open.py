"""Opens the store that a URL names."""

import time
from collections.abc import Callable, Mapping

from topic_map.errors import StoreUnavailable
from topic_map.memory import MemoryStore
from topic_map.sqlite import open_sqlite_store
from topic_map.store import Store


def open_store(url: str, registries: Mapping[str, str], clock: Callable[[], float] = time.time) -> Store:
    """Open the store at ``memory:`` or ``sqlite:PATH``; the path may also be written ``///absolute/path``.

    ``registries`` names each cluster's registry (see `topic_map.apply_changes`). Raises `StoreUnavailable` for
    any other URL, and what the store's own opening raises.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "memory" and not rest:
        return MemoryStore(registries, clock)
    path = rest.removeprefix("//") if rest.startswith("///") else rest
    if colon and scheme == "sqlite" and path and not path.startswith(("//", ":")):
        return open_sqlite_store(path, registries, clock)
    raise StoreUnavailable(f"{url!r} names no store; known are 'memory:' and 'sqlite:PATH'")
