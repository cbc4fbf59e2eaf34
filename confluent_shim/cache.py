from typing import TypeVar

MOST_KEPT = 10_000

K = TypeVar("K")
V = TypeVar("V")


def keep(kept: dict[K, V], key: K, value: V) -> V:
    """Put a value into a cache, and return it. Of more than MOST_KEPT the oldest is forgotten (decision 0007)."""
    kept[key] = value
    if len(kept) > MOST_KEPT:
        kept.pop(next(iter(kept)), None)
    return value
