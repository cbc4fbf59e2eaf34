"""The machine's curl, and what a run of it leaves."""

import json
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

CURL = ("curl", "--disable", "--silent", "--show-error")
"""How every run begins: without the options that its user may have in a file."""

REFUSED = 22
"""curl's exit status for an answer of 400 and above, where --fail-with-body asks for one."""

_SECONDS = 30


class Ran(NamedTuple):
    """What a run of curl left: its exit status, the last line of what it wrote as `--write-out` asks, and the rest."""

    exit: int
    facts: dict[str, Any]
    output: str
    errors: str

    @property
    def document(self) -> Any:
        return json.loads(self.output)


Curl = Callable[..., Ran]
"""Takes the options, an address, and what curl reads as `stdin`."""


def run_curl(*arguments: str, stdin: bytes = b"") -> Ran:
    """Run curl to its end."""
    ended = subprocess.run(
        [*CURL, "--max-time", str(_SECONDS), "--write-out", "\\n%{json}", *arguments],
        input=stdin,
        capture_output=True,
        timeout=2 * _SECONDS,
        check=False,
    )
    output, _, facts = ended.stdout.decode().rpartition("\n")
    return Ran(ended.returncode, json.loads(facts), output, ended.stderr.decode())


def of_type(content_type: str) -> list[str]:
    """Return the options that name the type of the body."""
    return ["--header", f"Content-Type: {content_type}"]
