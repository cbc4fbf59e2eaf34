"""Avro binary read to plain JSON values, within bounds.

fastavro's reader follows hostile bytes until the process dies (deep recursion), or its memory ends (a few bytes that
announce billions of items of no width). What is framed by a stranger is read by this one.
"""

from collections.abc import Callable
from typing import Any

from jsonschema_bridge.avro.binary import DOUBLE, FLOAT
from jsonschema_bridge.avro.logical import Logical, logical_of
from jsonschema_bridge.avro.primitives import RANGES
from jsonschema_bridge.avro.schema import PRIMITIVES, AvroSchema
from jsonschema_bridge.errors import AvroUndecodable

FREE_ITEMS = 65_536
"""Items of no width (null, empty records) that a payload may announce beyond one for each of its bytes."""

_VARINT_BITS = {"int": 35, "long": 70}


class Cursor:
    """A payload and how far it is read."""

    __slots__ = ("data", "items", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.items = len(data) + FREE_ITEMS

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        end, left = self.position + size, len(self.data) - self.position
        if not 0 <= size <= left:
            raise AvroUndecodable(f"{size} bytes are announced, {left} are left", self.position)
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(len(self.data) - self.position)

    def integer(self, kind: str) -> int:
        """Return the next int or long: zigzag, seven bits a byte."""
        start, bits, shift = self.position, 0, 0
        while True:
            byte = self.take(1)[0]
            bits |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
                break
            if shift >= _VARINT_BITS[kind]:
                raise AvroUndecodable(f"the {kind} does not end", start)
        value = (bits >> 1) ^ -(bits & 1)
        low, high = RANGES[kind]
        if not low <= value <= high:
            raise AvroUndecodable(f"the number is beyond the range of {kind}", start)
        return value

    def count(self) -> int:
        """Return how many items the next block has; 0 ends them."""
        start, count = self.position, self.integer("long")
        if count < 0:
            self.integer("long")  # the size of the block in bytes, for those who skip it
            count = -count
        self.items -= count
        if self.items < 0:
            raise AvroUndecodable(f"{count} items are announced, more than the payload can hold", start)
        return count

    def index(self, size: int, what: str) -> int:
        """Return the next index into `size` branches or symbols."""
        start, index = self.position, self.integer("int")
        if not 0 <= index < size:
            raise AvroUndecodable(f"there is no {what} {index}", start)
        return index


Read = Callable[[Cursor], Any]


def compile_reader(schema: AvroSchema) -> Callable[[bytes], object]:
    """Compile how whole payloads are read. What it returns raises AvroUndecodable."""
    compiler = _Compiler()
    for other in schema.others:
        compiler.compile(other)
    return whole(compiler.compile(schema.root))


def whole(read: Read) -> Callable[[bytes], object]:
    """Return how payloads are read that are exactly one value. What it returns raises AvroUndecodable."""

    def decode(payload: bytes) -> object:
        cursor = Cursor(payload)
        try:
            value = read(cursor)
        except RecursionError:
            raise AvroUndecodable("the value is nested too deeply", cursor.position) from None
        if cursor.position != len(payload):
            raise AvroUndecodable(f"{len(payload) - cursor.position} bytes follow the value", cursor.position)
        return value

    return decode


class _Compiler:
    """Compiles readers; each named type once."""

    def __init__(self) -> None:
        self._named: dict[str, Read] = {}

    def compile(self, schema: Any) -> Read:
        """Compile how one value of `schema` is read."""
        if isinstance(schema, list):
            return union([self.compile(branch) for branch in schema])
        if isinstance(schema, str):
            return PRIMITIVE[schema] if schema in PRIMITIVES else self._named[schema]
        kind = schema["type"]
        if kind in PRIMITIVES:
            return logical_value(PRIMITIVE[kind], logical_of(schema))
        if kind in ("array", "map"):
            return array(self.compile(schema["items"])) if kind == "array" else mapping(self.compile(schema["values"]))
        return self._named_type(schema)

    def _named_type(self, schema: Any) -> Read:
        if schema["type"] == "enum":
            return self._name(schema, enum(schema["symbols"]))
        if schema["type"] == "fixed":
            return self._name(schema, logical_value(_fixed(schema["size"]), logical_of(schema)))
        fields: list[tuple[str, Read]] = []
        read = self._name(schema, lambda cursor: {name: read_field(cursor) for name, read_field in fields})
        fields.extend((field["name"], self.compile(field["type"])) for field in schema["fields"])
        return read

    def _name(self, schema: Any, read: Read) -> Read:
        self._named[schema["name"]] = read
        return read


def union(branches: list[Read]) -> Read:
    """Return how the value of a union is read, by the index before it."""
    return lambda cursor: branches[cursor.index(len(branches), "branch")](cursor)


def enum(symbols: list[str]) -> Read:
    """Return how the symbol of an enum is read."""
    return lambda cursor: symbols[cursor.index(len(symbols), "symbol")]


def logical_value(read: Read, kind: Logical | None) -> Read:
    """Return how a value of a logical type is read: as one of the type below, which `read` knows."""
    if kind is None:
        return read
    name, _, admits = kind

    def read_logical(cursor: Cursor) -> Any:
        start = cursor.position
        value = read(cursor)
        if not admits(value):
            raise AvroUndecodable(f"the value is no {name}", start)
        return value

    return read_logical


def _fixed(size: int) -> Read:
    return lambda cursor: cursor.take(size).decode("latin-1")


def array(read_item: Read) -> Read:
    """Return how an array is read, block by block."""

    def read(cursor: Cursor) -> list[Any]:
        items: list[Any] = []
        while count := cursor.count():
            items.extend(read_item(cursor) for _ in range(count))
        return items

    return read


def mapping(read_item: Read) -> Read:
    """Return how a map is read, block by block."""

    def read(cursor: Cursor) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while count := cursor.count():
            for _ in range(count):
                key = _string(cursor)
                items[key] = read_item(cursor)
        return items

    return read


def _boolean(cursor: Cursor) -> bool:
    byte = cursor.take(1)[0]
    if byte > 1:
        raise AvroUndecodable(f"{byte} is no boolean", cursor.position - 1)
    return byte == 1


def _string(cursor: Cursor) -> str:
    start = cursor.position
    try:
        return cursor.take(cursor.integer("long")).decode()
    except UnicodeDecodeError:
        raise AvroUndecodable("the string is not UTF-8", start) from None


def _null(_cursor: Cursor) -> None:
    return None


PRIMITIVE: dict[str, Read] = {
    "null": _null,
    "boolean": _boolean,
    "int": lambda cursor: cursor.integer("int"),
    "long": lambda cursor: cursor.integer("long"),
    "float": lambda cursor: FLOAT.unpack(cursor.take(FLOAT.size))[0],
    "double": lambda cursor: DOUBLE.unpack(cursor.take(DOUBLE.size))[0],
    "bytes": lambda cursor: cursor.take(cursor.integer("long")).decode("latin-1"),
    "string": _string,
}
