"""The examples of the HTTP page are what a shim answers."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from confluent_shim.devstack import SAMPLE_SCHEMA
from tests.contract.transcripts import taken_apart
from tests.parts import TOKEN, Shim, memory_shim

PAGE = Path(__file__).parents[2] / "docs" / "http-api.md"
ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}
VOLATILE = {"partition", "partition_id", "offset", "timestamp", "revision", "at", "value_schema_id", "schema_id"}
OF_KAFKA = "/partitions/99"
"""A partition that is not there is Kafka's affair: the sink's contract suite."""


class Example(NamedTuple):
    """A command and what is printed below it."""

    command: list[str]
    answer: str


def examples() -> Iterator[Example]:
    """Yield the `curl` commands of the page, in order."""
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for text in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, answer = re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
            yield Example(
                shlex.split(
                    command.replace("\\\n", " ").replace("$SHIM_ADMIN_TOKEN", TOKEN).replace("$CLUSTER", "memory")
                ),
                answer,
            )


def ask(shim: Shim, command: list[str]) -> Any:
    """Send what `curl` would, and return the answer as a document, or as text where it is none."""
    options = dict(pairwise(command))
    headers = [value.split(": ", 1) for option, value in pairwise(command) if option == "-H"]
    url = next(word for word in command if word.startswith("http://127.0.0.1:8082"))
    answer = shim.client.open(
        url.removeprefix("http://127.0.0.1:8082"),
        method=options.get("-X", "POST" if "-d" in options else "GET"),
        data=options.get("-d"),
        headers=[(name, value) for name, value in headers],
    )
    return documents(answer.text)


def documents(text: str) -> Any:
    """Return a text as a document, or as a list of those that stand in it; as text where it is none."""
    found, rest = taken_apart(text)
    if rest:
        return rest
    return found[0] if len(found) == 1 else found


def lasting(document: Any) -> Any:
    """Return `document` without what differs from run to run."""
    if isinstance(document, dict):
        return {name: None if name in VOLATILE else lasting(item) for name, item in document.items()}
    return [lasting(item) for item in document] if isinstance(document, list) else document


@pytest.fixture
def shim() -> Iterator[Shim]:
    """Yield a shim as the page says: the sample bound, and `orders` at its side."""
    with memory_shim() as shim:
        shim.bind("page-views", SAMPLE_SCHEMA, description="the sample of the development stack")
        yield shim


def test_the_examples_of_the_http_page_are_answered_as_it_says(shim: Shim) -> None:
    """From top to bottom, each command is answered with what is printed below it, ports and places aside."""
    tried = 0
    for command, answer in examples():
        path = next(word for word in command if word.startswith("http"))
        if shim.client.get("/-/bindings/orders").status_code == 404:
            shim.bind("orders", ORDER, owner="shop")
        if OF_KAFKA in path or "|" in command:
            continue
        found = ask(shim, command)
        tried += 1
        if "..." in answer:
            assert set(json.loads(answer.replace(",...", "").replace("...", ""))) == set(found), command
        else:
            assert lasting(found) == lasting(documents(answer)), command
    assert tried >= 12
