"""Real schemas evolve additively or not, as those who wrote them say."""

import csv
import json

import pytest

from jsonschema_bridge import Schema, schema_changes
from tests import shared_data
from tests.compiling import no_reference
from tests.parts import memory_shim


def _pairs() -> list[dict[str, str]]:
    if not shared_data.EVOLUTION.is_file():
        return []
    with shared_data.EVOLUTION.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _schemas() -> dict[str, Schema]:
    lines = shared_data.SCHEMAS.read_text().splitlines() if shared_data.SCHEMAS.is_file() else []
    return {line["id"]: Schema(json.dumps(line["schema"]), "JSON") for line in map(json.loads, lines)}


SCHEMAS = _schemas()


def test_the_verdicts_are_there() -> None:
    assert len(_pairs()) == 30, f"no 30 pairs of versions at {shared_data.EVOLUTION}"


@pytest.mark.parametrize("pair", [pytest.param(each, id=f"{each['title_dir']}/{each['new']}") for each in _pairs()])
def test_a_pair_of_versions_has_its_verdict(pair: dict[str, str]) -> None:
    old, new = (SCHEMAS[f"/{pair['title_dir']}/{pair[version]}"] for version in ("old", "new"))
    others = [each.message for each in schema_changes(old, new, no_reference) if not each.additive]

    assert pair["verdict"] == ("INCOMPATIBLE" if others else "compatible"), others


@pytest.mark.parametrize("pair", [pytest.param(each, id=f"{each['title_dir']}/{each['new']}") for each in _pairs()])
def test_a_topic_adopts_by_that_verdict(pair: dict[str, str]) -> None:
    old, new = (SCHEMAS[f"/{pair['title_dir']}/{pair[version]}"] for version in ("old", "new"))
    with memory_shim() as shim:
        shim.bind("events", old.text, compatibility="additive")
        newer = shim.register("events-value", new.text)
        told = shim.client.get("/-/bindings/events/versions").get_json()

    adopted = (told["in_force"]["schema_id"], told["not_adopted"]) == (newer.schema_id, [])
    assert pair["verdict"] == ("compatible" if adopted else "INCOMPATIBLE"), told


@pytest.mark.parametrize("schema_id", SCHEMAS)
def test_a_schema_is_what_it_was(schema_id: str) -> None:
    assert schema_changes(SCHEMAS[schema_id], SCHEMAS[schema_id], no_reference) == []
