"""An Avro schema derived from a JSON Schema, and values of the one as values of the other."""

from collections.abc import Callable
from typing import NamedTuple

from jsonschema_bridge.avro.codec import Encode, compile_avro
from jsonschema_bridge.derivation.avro_text import avro_text
from jsonschema_bridge.derivation.cases import Cases
from jsonschema_bridge.derivation.decoding import compile_decoder
from jsonschema_bridge.derivation.encoding import compile_encoder
from jsonschema_bridge.derivation.model import CarryRule, Options, Report
from jsonschema_bridge.derivation.names import Names, is_legal
from jsonschema_bridge.derivation.shapes import Shape
from jsonschema_bridge.derivation.shaping import MAX_SHAPES, Shaper, TooLarge
from jsonschema_bridge.derivation.source import Source, read_source
from jsonschema_bridge.errors import Refusal, SchemaInvalid, SchemaNotDerivable
from jsonschema_bridge.references import Resolve
from jsonschema_bridge.registry.model import Schema
from jsonschema_bridge.validation import check_json_schema


class Derived(NamedTuple):
    """The Avro form of a JSON Schema.

    A value is admitted when it is valid by the JSON Schema and breaks none of the carry rules.

    schema: the Avro schema; its text is the same whenever the same JSON Schema is derived with the same options.
    carry_rules: what Avro cannot carry although the JSON Schema admits it.
    encode: the Avro binary of an admitted value, without frame. Of another one that is valid by the JSON Schema it
        gives violations with the keyword `carry`; what is not valid by the JSON Schema is not asked.
    decode: the JSON value of such binary. It is equal to the one that was encoded, but for defaults: a member that may
        be absent has its default, and null where it may be null. Raises AvroUndecodable.
    """

    schema: Schema
    carry_rules: tuple[CarryRule, ...]
    encode: Encode
    decode: Callable[[bytes], object]


def derive(schema: Schema, resolve: Resolve, options: Options | None = None) -> Derived:
    """Derive the Avro form of a JSON Schema, whose references come from `resolve`.

    Raises SchemaNotDerivable with every reason, SchemaInvalid for what is no JSON Schema, and what `resolve` raises.
    """
    if schema.kind != "JSON":
        raise SchemaInvalid(f"a schema of type {schema.kind} is not a JSON Schema")
    check_json_schema(schema, resolve)
    options, report = options or Options(), Report()
    source = read_source(schema, resolve, report)
    try:
        shape = _shape(source, options, report)
        if report.refusals:
            raise SchemaNotDerivable(report.refusals)
        text = Schema(avro_text(shape), "AVRO")
        compile_avro(text, resolve)  # what we cannot parse ourselves nobody shall register
        return Derived(text, report.rules, compile_encoder(shape), compile_decoder(shape))
    except TooLarge:
        raise SchemaNotDerivable([Refusal("", f"the Avro schema would have more than {MAX_SHAPES} parts")]) from None
    except (RecursionError, SchemaInvalid) as error:
        raise SchemaNotDerivable([Refusal("", f"the Avro schema would be too deeply nested: {error}")]) from error


def _shape(source: Source, options: Options, report: Report) -> Shape:
    wanted = [] if options.name is None else [options.name]
    for name in wanted + (options.namespace.split(".") if options.namespace else []):
        if not is_legal(name):
            report.refuse("", f"{name!r} is not an Avro name")
    cases = Cases(source, report)
    shape = Shaper(cases, Names(cases, options, report), options, report).root()
    if not shape and not report.refusals:
        report.refuse("", "no value satisfies the schema")
    return shape
