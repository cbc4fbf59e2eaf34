"""Talk to a schema registry: one interface, a cache before it, and one in memory.

Confluent's client takes most of a second to import, so `jsonschema_bridge.registry.confluent` is imported only by
whoever opens one.
"""

from jsonschema_bridge.registry.cached import CachedRegistry
from jsonschema_bridge.registry.interface import Registry
from jsonschema_bridge.registry.memory import MemoryRegistry
from jsonschema_bridge.registry.model import RegisteredSchema, Schema, SchemaKind, SchemaReference
from jsonschema_bridge.registry.observer import LoggingObserver, RegistryObserver

__all__ = [
    "CachedRegistry",
    "LoggingObserver",
    "MemoryRegistry",
    "RegisteredSchema",
    "Registry",
    "RegistryObserver",
    "Schema",
    "SchemaKind",
    "SchemaReference",
]
