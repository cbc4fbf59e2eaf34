"""What an Avro schema means for bytes."""

from collections.abc import Callable

from jsonschema_bridge.avro.conversion import compile_converters
from jsonschema_bridge.avro.findings import MOST_STEPS, Enough, Findings, TooCostly
from jsonschema_bridge.avro.logical import logical_of
from jsonschema_bridge.avro.primitives import Convert, logical, raw_bytes
from jsonschema_bridge.avro.reading import compile_reader, logical_value, whole
from jsonschema_bridge.avro.schema import parse
from jsonschema_bridge.errors import SchemaInvalid
from jsonschema_bridge.references import Resolve
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.violation import Violation

Encode = Callable[[object], bytes | list[Violation]]


class AvroCodec:
    """A compiled Avro schema. Safe to share between threads.

    Values are as `read_json` gives them. Encoding gives the Avro binary of a value, without frame, or every violation
    (at most MAX_VIOLATIONS). A schema that is `bytes` and nothing around it is written raw, without length, as
    Confluent's serializers do.

    encode_json: the value is in Avro's JSON encoding. The value of a union is null or tagged, `{"branch": value}`,
        by primitive or full name. Absent fields are violations, defaults or not.
    encode_plain: the value is plain JSON. The value of a union is untagged and must fit one branch. Absent fields take
        their default.
    decode: the plain JSON value of a payload without frame; bytes and fixed are strings of characters up to U+00FF,
        floats may be NaN or infinite. Raises AvroUndecodable unless the payload is exactly one value.

    In both forms: bytes and fixed are strings of characters up to U+00FF; a field may be named by an alias; unknown
    members are violations; int and long take 1.0 and 1e3, not 1.5; logical types are
    written as the types below them, and a value that they forbid is a violation.
    """

    def __init__(self, encode_json: Encode, encode_plain: Encode, decode: Callable[[bytes], object]) -> None:
        self.encode_json = encode_json
        self.encode_plain = encode_plain
        self.decode = decode


def compile_avro(schema: Schema, resolve: Resolve) -> AvroCodec:
    """Compile an Avro schema; named types that it does not define itself come from its references, by `resolve`.

    Raises SchemaInvalid, and what `resolve` raises.
    """
    if schema.kind != "AVRO":
        raise SchemaInvalid(f"a schema of type {schema.kind} is not an Avro schema")
    try:
        parsed = parse(schema, resolve)
        from_json, from_plain = compile_converters(parsed)
        read = compile_reader(parsed)
    except RecursionError:
        raise SchemaInvalid("the schema is nested too deeply") from None
    root = parsed.root if isinstance(parsed.root, dict) else {"type": parsed.root}
    if root["type"] == "bytes":
        kind = logical_of(root)
        encode = encoder(logical(raw_bytes(""), kind, ""))
        return AvroCodec(encode, encode, whole(logical_value(lambda cursor: cursor.rest().decode("latin-1"), kind)))
    return AvroCodec(encoder(from_json), encoder(from_plain), read)


def encoder(convert: Convert, findings: Callable[[], Findings] = Findings) -> Encode:
    """Return how whole values are encoded by `convert`, with what is found in each in `findings` of its own."""

    def encode(value: object) -> bytes | list[Violation]:
        found = findings()
        try:
            encoded = convert(value, (), found)
        except Enough:
            return found.violations
        except RecursionError:
            return [_TOO_DEEP]
        except TooCostly:
            return [_TOO_COSTLY]
        return found.violations or encoded

    return encode


_TOO_COSTLY = Violation(
    keyword="cost",
    expected=f"a value that needs at most {MOST_STEPS} steps",
    message="the value leaves too many fields to their defaults, or may be of too many branches of unions",
)
_TOO_DEEP = Violation(
    keyword="depth",
    expected="a value of less depth",
    message="the value is nested too deeply",
)
