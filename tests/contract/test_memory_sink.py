from collections.abc import Callable

import pytest

from confluent_shim.records import Extras
from confluent_shim.sinks.memory import MemorySink
from tests.contract.sink_contract import ReadAll, ReadExtras, SinkContract


class TestMemorySink(SinkContract):
    @pytest.fixture
    def sink(self) -> MemorySink:
        return MemorySink()

    @pytest.fixture
    def make_topic(self, sink: MemorySink) -> Callable[[str], None]:
        return sink.create_topic

    @pytest.fixture
    def read_all(self, sink: MemorySink) -> ReadAll:
        return lambda topic: [
            (partition, offset, record.key, record.value) for partition, offset, record in sink.read(topic)
        ]

    @pytest.fixture
    def read_extras(self, sink: MemorySink) -> ReadExtras:
        return lambda topic: [record.extras or Extras() for record in sink.landed(topic)]
