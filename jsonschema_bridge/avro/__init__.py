"""Avro schemas compiled once: JSON of two forms in, Avro binary out, and every reason why not."""

from jsonschema_bridge.avro.codec import AvroCodec, compile_avro
from jsonschema_bridge.avro.identity import avro_identity
from jsonschema_bridge.errors import AvroUndecodable

__all__ = ["AvroCodec", "AvroUndecodable", "avro_identity", "compile_avro"]
