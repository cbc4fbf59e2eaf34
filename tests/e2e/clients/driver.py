"""Programs that use a client: each does what a plan says, and tells what it saw."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DRIVERS = Path(__file__).parent / "drivers"
_SECONDS = 60

Client = Callable[..., Any]
"""Takes a plan as keyword arguments, and returns what the program saw, as a JSON document."""


def run_driver(command: Sequence[str | Path], environment: Mapping[str, str], **plan: object) -> Any:
    """Run a program with `environment` on top of our own, give it the plan and return what it printed."""
    ended = subprocess.run(
        command,
        input=json.dumps(plan),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
