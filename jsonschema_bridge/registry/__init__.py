"""Talk to a schema registry: one interface, Confluent's client, a cache before it, and one in memory."""

from jsonschema_bridge.registry.cached import CachedRegistry
from jsonschema_bridge.registry.confluent import ConfluentRegistry, open_confluent_registry
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.memory import MemoryRegistry
from jsonschema_bridge.registry.model import RegisteredSchema, Schema, SchemaKind, SchemaReference
from jsonschema_bridge.registry.observer import LoggingObserver, RegistryObserver

__all__ = [
    "CachedRegistry",
    "ConfluentRegistry",
    "LoggingObserver",
    "MemoryRegistry",
    "RegisteredSchema",
    "Registry",
    "RegistryObserver",
    "Schema",
    "SchemaKind",
    "SchemaReference",
    "open_confluent_registry",
]
