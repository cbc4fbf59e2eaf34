"""What Confluent took and refused under a schema, we take and refuse, and the same lands: never looser.

Stricter, and other bytes, only by the classes below. Unbound it is the contract of the setting; a bound topic has the
same verdicts of its schema.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from jsonschema_bridge.framing import unframe
from tests import shared_data
from tests.contract.deliberate import has_surplus_member
from tests.parts import AVRO, JSON_SCHEMA, memory_shim

CONTRACTS = {"7.9": "7.9.9", "8": "8.3.1"}
"""The setting, and the version that was recorded."""
_CONTENT_TYPES = {"AVRO": AVRO, "JSONSCHEMA": JSON_SCHEMA}


class Row(NamedTuple):
    """A recorded verdict: status and payload of one version, on a topic that is bound here or not."""

    number: int
    format: str
    schema: str
    instance: str
    contract: str
    bound: bool
    status: int
    payload: bytes | None

    def __str__(self) -> str:
        """Return a name for a report."""
        return f"row-{self.number}-{self.contract}-{'bound' if self.bound else 'unbound'}"


STRICTER: Mapping[str, Callable[[Row], bool]] = {
    "a member that no Avro field takes is a violation; Confluent drops it": lambda row: (
        row.format == "AVRO" and has_surplus_member(row.schema, json.loads(row.instance))
    ),
    "a null without a key is refused where topics are bound; Confluent writes a tombstone that deletes nothing": (
        lambda row: row.bound and row.contract == "7.9" and row.instance == "null"
    ),
}
"""What Confluent takes and we refuse."""

OTHER_BYTES: Mapping[str, Callable[[Row], bool]] = {
    "JSON keeps the bytes that were sent; Confluent writes it anew, and writes defaults of the schema into it": (
        lambda row: row.format == "JSONSCHEMA"
    ),
    "a 7.9.9 writes maps in the order of Java's hashes; we keep the order of the value": lambda row: (
        row.format == "AVRO" and '"map"' in row.schema and len(json.loads(row.instance)) > 1
    ),
}
"""What we both take and where other bytes may land."""

BETTER: Mapping[str, Callable[[Row], bool]] = {
    "a schema that takes null takes it; an 8.3.1 answers 500": lambda row: row.status == 500,
}
"""What fails in Confluent for no fault of the client's."""


def _rows() -> list[Row]:
    if not shared_data.PAYLOAD_VERDICTS.is_file():
        return []
    found = []
    for line in map(json.loads, shared_data.PAYLOAD_VERDICTS.read_text().splitlines()):
        for contract, version in CONTRACTS.items():
            payload = line[version]["payload_hex"]
            said = (line[version]["status"], None if payload is None else bytes.fromhex(payload))
            row = (line["row"], line["format"], line["schema"], line["instance"], contract)
            found += [Row(*row, bound, *said) for bound in (True, False)]
    return found


def _sent(row: Row) -> tuple[int, list[bytes | None]]:
    """Send one record, and return the status and what landed: payloads without their frame."""
    settings: dict[str, Any] = {"unbound": "pass", "producers_may_register": True, "contract": row.contract}
    with memory_shim(**settings) as shim:
        named = f'"value_schema":{json.dumps(row.schema)},'
        if row.bound:
            nulls = "tombstone" if row.contract == "7.9" else "validate"
            fields = {"encoding": "avro" if row.format == "AVRO" else "json-schema", "nulls": nulls}
            bound = shim.admin("PUT", "t", {"schema": row.schema, **fields}, query="?create_topic=true")
            if bound.status_code != 200:
                return bound.status_code, []
            named = ""
        else:
            shim.sink.create_topic("t")
        body = f'{{{named}"records":[{{"value":{row.instance}}}]}}'
        answer = shim.produce("t", body, _CONTENT_TYPES[row.format])
        return answer.status_code, [value and unframe(value)[1] for value in shim.landed("t")]


def _is(classes: Mapping[str, Callable[[Row], bool]], row: Row) -> bool:
    return any(applies(row) for applies in classes.values())


def test_the_recorded_verdicts_are_there() -> None:
    assert len(_rows()) == 4 * 109, f"no recorded verdicts at {shared_data.PAYLOAD_VERDICTS}"


@pytest.mark.parametrize("row", _rows(), ids=str)
def test_a_recorded_payload_has_its_verdict_and_lands_as_it_landed(row: Row) -> None:
    status, landed = _sent(row)

    if _is(BETTER, row):
        assert status == 200
    elif row.status != 200:
        assert (status, landed) == (row.status, [])
    elif _is(STRICTER, row):
        assert (status, landed) == (400, [])
    elif _is(OTHER_BYTES, row) and row.payload is not None:
        assert _alike(row, landed[0])
    else:
        assert landed == [row.payload]


def _alike(row: Row, landed: bytes | None) -> bool:
    """Tell whether it is the same value: the bytes that were sent, or the same entries in another order."""
    assert landed is not None
    if row.format == "JSONSCHEMA":
        return landed == row.instance.encode() and _within(json.loads(landed), json.loads(row.payload or b""))
    return sorted(landed) == sorted(row.payload or b"")


def _within(ours: Any, theirs: Any) -> bool:
    """Tell whether two values are equal but for members that a default put there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() <= theirs.keys() and all(_within(item, theirs[name]) for name, item in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_within, ours, theirs))
    return bool(ours == theirs)


@pytest.mark.parametrize("reason", [*STRICTER, *OTHER_BYTES, *BETTER])
def test_every_class_has_a_recorded_case(reason: str) -> None:
    applies = {**STRICTER, **OTHER_BYTES, **BETTER}[reason]
    differing = []
    for row in filter(applies, _rows()):
        status, landed = _sent(row)
        if status != row.status or landed != [row.payload]:
            differing.append(row)
    assert differing
