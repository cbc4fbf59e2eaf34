"""A real schema registry that keeps to Confluent's contract: AxonOps Schema Registry, in memory, on loopback."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from tests.stack.parts import registry_program
from tests.stack.process import Process, StackError, free_port

_TRIES = 3


class AxonOpsRegistry:
    """One registry with its configuration and log in `folder`; `url` is its address from `start` on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        return self._started().pid

    def start(self) -> None:
        """Start the registry, empty, and wait until it answers. Raises StackError."""
        program = registry_program()
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in reversed(range(_TRIES)):
            self._port = free_port()
            self._process = Process("registry", [str(program), "-config", str(self._configure())], self._folder)
            try:
                self._process.start(self._answers)
            except StackError as error:
                # Somebody took the port between its choice and its use.
                if not left or "address already in use" not in str(error):
                    raise
            else:
                return

    def stop(self) -> None:
        """End the registry, and with it all that was registered; ended already is fine."""
        self._started().stop()

    def pause(self) -> None:
        """Freeze the registry: connections open, nothing answers."""
        self._started().pause()

    def resume(self) -> None:
        """Let a frozen registry go on."""
        self._started().resume()

    def _configure(self) -> Path:
        settings = {
            "server": {"host": "127.0.0.1", "port": self._port},
            "storage": {"type": "memory"},
            "compatibility": {"default_level": "BACKWARD"},  # Confluent's default
        }
        file = self._folder / "registry.yaml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        return file

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=1):  # noqa: S310 - our own address
                return True
        except (OSError, urllib.error.URLError):
            return False

    def _started(self) -> Process:
        if self._process is None:
            raise StackError("registry was never started")
        return self._process
