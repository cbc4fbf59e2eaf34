"""The fields of a record, from the declared members of an object."""

from collections.abc import Callable, Iterator
from typing import Any

from jsonschema_bridge.derivation.cases import Case, Cases
from jsonschema_bridge.derivation.members import Members
from jsonschema_bridge.derivation.model import Report
from jsonschema_bridge.derivation.names import described, legal
from jsonschema_bridge.derivation.scalars import null, takes
from jsonschema_bridge.derivation.shapes import Field, Shape

ShapeOf = Callable[[list[Case], str], Shape]


def make_fields(found: Members, record: str, cases: Cases, shape_of: ShapeOf, report: Report) -> Iterator[Field]:
    """Yield the fields in the order of the schema. `record` is the pointer to the object.

    Two members that would have one name are refused in `report`.
    """
    taken: dict[str, str] = {}
    for member, nodes in found.declared.items():
        at = cases.source.pointer(nodes[0]) if nodes else record
        shape = shape_of(cases.together([cases.of(node) for node in nodes], at), at)
        optional = member not in found.required
        if not shape and optional:
            continue  # `false`: it is never there
        name = legal(member)
        if taken.setdefault(name, at) != at:
            report.refuse(at, f"the Avro name would be {name!r}, which is the name of {taken[name]}")
        doc = next(filter(None, map(described, nodes)), "")
        field = Field(name, member, shape or (null(at),), optional, doc=doc)
        if optional:
            _set_default(field, [cases.source.keywords(node) for node in nodes if isinstance(node.schema, dict)])
        yield field


def _set_default(field: Field, keywords: list[Any]) -> None:
    """Take the schema's default if it has no parts and can be carried; Avro wants its branch first."""
    for found in keywords:
        value = found.get("default")
        index = takes(field.shape, value)
        if value is not None and index is not None:
            rest = field.shape[:index] + field.shape[index + 1 :]
            field.shape, field.default = (field.shape[index], *rest), value
            return
