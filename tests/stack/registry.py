"""Real schema registries on loopback, in memory: one keeps to Confluent's contract, the other strays from it."""

import json
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path

from tests.stack.parts import apicurio_folder, registry_program
from tests.stack.process import JAVA, Process, StackError, free_port

_TRIES = 3
_PORT_TAKEN = ("address already in use", "seems to be in use")


class SchemaRegistry(ABC):
    """One registry with its configuration and log in `folder`; `url` is where its API is, from `start` on."""

    _base_path = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._base_path}"

    def start(self) -> None:
        """Start the registry, empty, and wait until it answers. Raises StackError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in reversed(range(_TRIES)):
            self._port = free_port()
            self._process = Process("registry", self._command(self._port), self._folder)
            try:
                self._process.start(self._answers)
            except StackError as error:
                # Somebody took the port between its choice and its use.
                if not left or not any(words in str(error) for words in _PORT_TAKEN):
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

    @abstractmethod
    def _command(self, port: int) -> list[str]:
        """Return what runs the registry on this port, with its parts in the cache."""

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


class AxonOpsRegistry(SchemaRegistry):
    """AxonOps Schema Registry: the closest to Confluent's that can be had, and the default of the tests."""

    def _command(self, port: int) -> list[str]:
        settings = {
            "server": {"host": "127.0.0.1", "port": port},
            "storage": {"type": "memory"},
            "compatibility": {"default_level": "BACKWARD"},  # Confluent's default
        }
        file = self._folder / "registry.yaml"
        file.write_text(json.dumps(settings))  # JSON is YAML
        return [str(registry_program()), "-config", str(file)]


class ApicurioRegistry(SchemaRegistry):
    """Apicurio Registry: behind Confluent's paths a registry of its own mind."""

    _base_path = "/apis/ccompat/v7"

    def _command(self, port: int) -> list[str]:
        (program,) = apicurio_folder().glob("*-runner.jar")
        return [*JAVA, "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}", "-jar", str(program)]
