from collections.abc import Callable

import pytest

from confluent_shim.errors import TopicNotHosted
from confluent_shim.sinks.memory import MemorySink
from tests.contract.metadata_contract import MetadataContract


class TestMemoryMetadata(MetadataContract):
    @pytest.fixture
    def sink(self) -> MemorySink:
        return MemorySink()

    @pytest.fixture
    def make_topic(self, sink: MemorySink) -> Callable[[str], None]:
        return sink.create_topic


def test_the_configuration_of_a_topic_that_is_not_there_is_not_told() -> None:
    with pytest.raises(TopicNotHosted):
        MemorySink().metadata.configs("absent")
