"""Everything a newcomer needs in one process tree: Kafka, a schema registry, the shim and a sample binding."""

from confluent_shim.devstack.kafka import MockKafka, read_topic
from confluent_shim.devstack.registry import registry_app, serving
from confluent_shim.devstack.sample import SAMPLE_SCHEMA, SAMPLE_TOPIC
from confluent_shim.devstack.stack import DevStack, running

__all__ = [
    "SAMPLE_SCHEMA",
    "SAMPLE_TOPIC",
    "DevStack",
    "MockKafka",
    "read_topic",
    "registry_app",
    "running",
    "serving",
]
