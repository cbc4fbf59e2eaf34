"""Other people's clients, fetched into the stack's cache as the lists in `packages/` pin them."""

import hashlib
import shutil
import sys
from pathlib import Path

from tests.stack.parts import part, run
from tests.stack.process import TIED

NPM = ("node", "npm", TIED[0])
PYPI = (TIED[0],)
"""The programs that it takes to fetch and run the clients of each registry."""

_PACKAGES = Path(__file__).parent / "packages"


def npm_folder() -> Path:
    """Return the folder with the clients of npm, filling it first where needed. Raises StackError."""
    return part(_name("npm", _PACKAGES / "package-lock.json"), _install_from_npm)


def pypi_folder(client: str) -> Path:
    """Return the folder with a client of PyPI and what it needs, filling it first where needed. Raises StackError."""
    pins = _PACKAGES / f"{client}.txt"
    return part(_name(client, pins), lambda work, result: _install_from_pypi(pins, work, result))


def _name(client: str, pins: Path) -> str:
    """Return a name that changes with what is pinned."""
    return f"client-{client}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"


def _install_from_npm(work: Path, result: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PACKAGES / name, work)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
    (work / "node_modules").rename(result / "node_modules")


def _install_from_pypi(pins: Path, work: Path, result: Path) -> None:
    # Into a folder of its own: these are old, and the environment of the tests stays as the lock file says.
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    exactly = ["--no-deps", "--no-build-isolation", "--require-hashes", "--requirement", str(pins)]
    run([*pip, *exactly, "--target", str(result)], work)
