"""The official JSON Schema test suite: fetched once per machine, its cases as values."""

import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.stack.parts import part, run

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
"""The folder of each draft in the suite, and the `$schema` that says so."""

_PINS = Path(__file__).with_suffix(".txt")
_REMOTES = "http://localhost:1234/"
"""Where the suite says that its remote schemas stand."""


class Case(NamedTuple):
    """One verdict that the suite asks for: `valid` of `data` under `schema`, in a file of a draft."""

    draft: str
    file: str
    description: str
    schema: Any
    data: Any
    valid: bool


def suite_folder() -> Path:
    """Return the folder of the suite, filling it first where needed. Raises StackError."""
    return part(f"json-schema-suite-{hashlib.sha256(_PINS.read_bytes()).hexdigest()[:12]}", _fetch)


def cases(suite: Path, draft: str, pattern: str) -> Iterator[Case]:
    """Yield the cases of a draft whose files match the glob `pattern`."""
    for path in sorted((suite / "tests" / draft).glob(pattern)):
        for group in json.loads(path.read_text()):
            schema = group["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": DRAFTS[draft], **schema}
            for test in group["tests"]:
                description = f"{group['description']}: {test['description']}"
                yield Case(draft, path.name, description, schema, test["data"], test["valid"])


def remote(suite: Path, uri: str) -> str | None:
    """Return the text of the suite's schema that stands at `uri`, None where there is none."""
    path = suite / "remotes" / uri.removeprefix(_REMOTES)
    return path.read_text() if uri.startswith(_REMOTES) and path.is_file() else None


def _fetch(work: Path, result: Path) -> None:
    exactly = ["--no-deps", "--no-binary", "jsonschema", "--require-hashes", "--requirement", str(_PINS)]
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
    run([*pip, *exactly, "--dest", str(work)], work)
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(work, filter="data")
    folder = work / archive.name.removesuffix(".tar.gz") / "json"
    for name in ("tests", "remotes"):
        (folder / name).rename(result / name)
