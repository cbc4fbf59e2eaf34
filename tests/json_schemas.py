"""JSON Schemas that nobody chose, of draft 7, and values that conform to them."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.internal.conjecture.utils import many
from hypothesis_jsonschema import from_schema

__all__ = ["SCALARS", "from_schema", "grown", "json_schemas", "object_schemas"]

NAMES = ("a", "b", "a-b", "$id2", "größe", "additionalProperties", "properties", "1st")
TEXTS = ("A", "B", "a-1", "")
SCALARS = (None, True, False, 0, 1, 1.5, 2**53 + 1, 2**70, "", "A", "a-1")
"""What stands in `enum`, `const` and `default`."""


def json_schemas() -> st.SearchStrategy[Any]:
    """Generate schemas, some of them with `$ref`."""
    return _schemas(3) | _schemas(2).map(_with_definitions)


def object_schemas() -> st.SearchStrategy[Any]:
    """Generate schemas in which some object declares members."""
    objects = _objects(_schemas(1))
    every = objects | _both(objects) | _either(objects) | _arrays(objects) | _objects(objects).map(_with_definitions)
    return every.filter(lambda schema: any(_records(schema)))


@st.composite
def grown(draw: st.DrawFn, schema: Any) -> Any:
    """Return a schema with more optional members in one or more of its objects that declare some already."""
    later = copy.deepcopy(schema)
    records = list(_records(later))
    for number in draw(st.sets(st.integers(0, len(records) - 1), min_size=1)):
        name, item = f"new{number}", draw(_schemas(1).filter(_is_typed))
        first = {name: item} if draw(st.booleans()) else {}
        records[number]["properties"] = first | records[number]["properties"] | {name: item}
    return later


def _records(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for each in schema:
            yield from _records(each)
    elif isinstance(schema, dict):
        if schema.get("properties") and "$ref" not in schema:
            yield schema
        for keyword, each in schema.items():
            if keyword in ("properties", "definitions", "patternProperties"):
                for below in each.values():
                    yield from _records(below)
            elif keyword not in ("enum", "const", "default"):
                yield from _records(each)


def _is_typed(schema: Any) -> bool:
    return isinstance(schema, dict) and "type" in schema


_TYPES = ("string", "integer", "number", "boolean", "null", "array", "object")
_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(_TYPES[:5]).map(lambda name: {"type": name}),
    st.just({"type": "integer", "minimum": -10, "maximum": 10}),
    st.just({"type": "number", "minimum": 0, "exclusiveMaximum": 7}),
    st.just({"type": "string", "minLength": 2}),
    st.just({"type": "string", "contentEncoding": "base64", "pattern": "^(TQ==|TWE=|TWFu)*$"}),
    st.lists(st.sampled_from(_TYPES), min_size=1, unique=True).map(lambda names: {"type": names}),
    st.lists(st.sampled_from(SCALARS), min_size=1, max_size=4, unique_by=repr).map(lambda listed: {"enum": listed}),
    st.lists(st.sampled_from(TEXTS), min_size=1, unique=True).map(lambda listed: {"enum": listed}),
    st.sampled_from(SCALARS).map(lambda value: {"const": value}),
    st.booleans(),
    st.sampled_from([{}, {"minimum": 3}, {"required": ["a"]}, {"maxLength": 2}, {"not": {"type": "null"}}]),
)


def _schemas(depth: int) -> st.SearchStrategy[Any]:
    if depth == 0:
        return _LEAVES
    inner = st.deferred(lambda: _schemas(depth - 1))
    untyped = _objects(inner).map(lambda schema: {name: schema[name] for name in schema if name != "type"})
    return st.one_of(_LEAVES, _arrays(inner), _objects(inner), _either(inner), _both(inner), untyped)


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> dict[str, Any]:
    properties: dict[str, Any] = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=4))
    schema: dict[str, Any] = {"type": "object"}
    declares = draw(st.booleans())
    if properties or declares:
        schema["properties"] = properties
        schema["required"] = [name for name in properties if draw(st.booleans())]
    for name, item in properties.items():
        if isinstance(item, dict) and draw(st.booleans()):
            properties[name] = {**item, "default": draw(st.sampled_from(SCALARS))}
    extra = draw(st.sampled_from(["open", "closed", "typed", "pattern"]))
    if extra == "closed":
        schema["additionalProperties"] = False
    elif extra == "typed":
        schema["additionalProperties"] = draw(inner)
    elif extra == "pattern":
        schema |= {"patternProperties": {"^x": draw(inner)}, "additionalProperties": draw(st.booleans())}
    return schema


@st.composite
def _arrays(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    schema: dict[str, Any] = {"type": "array", "maxItems": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        schema["items"] = draw(inner)
    else:
        schema |= {"items": draw(st.lists(inner, min_size=1, max_size=3)), "additionalItems": draw(inner)}
    return schema


@st.composite
def _either(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    group = draw(st.sampled_from(["anyOf", "oneOf"]))
    schema: dict[str, Any] = {group: draw(st.lists(inner, min_size=1, max_size=3))}
    around = draw(st.sampled_from(["nothing", "type", "schema"]))
    if around == "type":
        schema["type"] = draw(st.sampled_from(["object", "string", ["object", "null"]]))
    elif around == "schema":
        base = draw(inner)
        schema |= {name: base[name] for name in base if name not in schema} if isinstance(base, dict) else {}
    return schema


@st.composite
def _both(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    parts = draw(st.lists(_objects(inner) | inner, min_size=1, max_size=2))
    base = draw(_objects(inner) | st.just({}))
    return {**base, "allOf": parts}


def _with_definitions(schema: Any) -> Any:
    """Move the schemas of the members to definitions, and refer to them."""
    if not isinstance(schema, dict) or not schema.get("properties"):
        return schema
    definitions = {f"D{index}": item for index, item in enumerate(schema["properties"].values())}
    members = {name: {"$ref": f"#/definitions/D{index}"} for index, name in enumerate(schema["properties"])}
    return {**schema, "definitions": definitions, "properties": members}


def _more(self: Any) -> bool:
    """Ask for one element more, in the way that hypothesis had before it was asked by a loop."""
    if self._depth is None:
        self.loop = iter(self.__enter__())
    try:
        next(self.loop)
    except StopIteration:
        self.__exit__(None)
        return False
    return True


if not hasattr(many, "more"):  # hypothesis-jsonschema 0.23.1 still asks so, and hypothesis 6.170 no longer answers
    many.more = _more  # type: ignore[attr-defined]
