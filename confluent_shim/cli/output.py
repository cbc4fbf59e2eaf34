"""What commands print: data on standard output as table, JSON or YAML; everything else on standard error."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

Command = Callable[..., None]

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="Form of what is printed.",
)


def show(document: object, output: str, table: Iterable[str]) -> None:
    """Print `document` as JSON or YAML, or the lines of its `table`."""
    if output == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
    else:
        for line in table:
            click.echo(line)


def note(text: str) -> None:
    """Tell what was done, or that there was nothing to do."""
    click.echo(one_line(text), err=True)


def complain(text: str) -> None:
    """Tell in one line why a command did not do its work."""
    click.echo(f"confluent-shim: {one_line(text)}", err=True)


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table with aligned columns under a head."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def pairs(fields: Mapping[str, object]) -> Iterator[str]:
    """Yield one line per field, the values aligned."""
    width = max(map(len, fields))
    for name, value in fields.items():
        yield f"{name.ljust(width)}  {_cell(value)}".rstrip()


def assignments(tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield `key.key = value` for every leaf of nested tables, as TOML would have it."""
    for name, value in tree.items():
        key = f"{path}{name if re.fullmatch(r'[A-Za-z0-9_-]+', name) else json.dumps(name)}"
        if isinstance(value, Mapping):
            yield from assignments(value, f"{key}.")
        elif value is None:
            yield f"# {key} is not set"
        else:
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def one_line(text: str) -> str:
    """Return `text` in one line that does nothing to a terminal: it may hold what a stranger sent."""
    line = re.sub(r"\s+", " ", text).strip()
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{name}={each}" for name, each in value.items()))
    return one_line(str(value))
