"""Real Apache Kafka and real schema registries for tests and benches, and the embedded stand-in for them."""

from tests.stack.kafka import Kafka
from tests.stack.parts import fill_cache, missing_parts
from tests.stack.process import StackError
from tests.stack.registry import ApicurioRegistry, AxonOpsRegistry
from tests.stack.stack import Kind, Stack, is_external, start_stack
from tests.stack.topics import Record

__all__ = [
    "ApicurioRegistry",
    "AxonOpsRegistry",
    "Kafka",
    "Kind",
    "Record",
    "Stack",
    "StackError",
    "fill_cache",
    "is_external",
    "missing_parts",
    "start_stack",
]
