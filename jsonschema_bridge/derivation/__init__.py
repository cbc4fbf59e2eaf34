"""Avro schemas derived from JSON Schemas, and what is carried from values of the one to values of the other."""

from jsonschema_bridge.derivation.derive import Derived, derive
from jsonschema_bridge.derivation.model import CarryRule, Options

__all__ = ["CarryRule", "Derived", "Options", "derive"]
