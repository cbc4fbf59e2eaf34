"""Where keys go."""

import pytest

from confluent_shim.sinks.murmur2 import partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"abc", 479470107),
    ],
)
def test_a_key_goes_where_the_java_client_puts_it(key: bytes, expected: int) -> None:
    """The hashes are those by which Kafka's own clients are held together."""
    assert partition_of(key, 1000) == (expected & 0x7FFFFFFF) % 1000


def test_every_partition_is_one_of_those_there_are() -> None:
    """Whatever the key's length, the empty one included."""
    assert {partition_of(bytes(length), 3) for length in range(50)} == {0, 1, 2}
