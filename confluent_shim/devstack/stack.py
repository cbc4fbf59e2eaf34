import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_shim.configuration import environment_without_settings
from confluent_shim.devstack.kafka import MockKafka
from confluent_shim.devstack.registry import registry_app, serving
from confluent_shim.devstack.sample import BAD_EVENT, GOOD_EVENT, SAMPLE_SCHEMA, SAMPLE_TOPIC
from confluent_shim.errors import StartError
from jsonschema_bridge.registry import MemoryRegistry

_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0


class DevStackFailed(StartError):
    """A part of the development stack did not come up; the message says which."""


@dataclass(frozen=True)
class DevStack:
    """Where the parts of a running stack are."""

    shim: str
    kafka: str
    registry: str
    admin_token: str
    process: "subprocess.Popen[bytes]"

    def next_commands(self) -> tuple[str, str, str]:
        """Return three commands to try: a good event, a bad one, and reading the topic back."""
        return (
            _curl(self.shim, GOOD_EVENT),
            _curl(self.shim, BAD_EVENT),
            f"{_program()} dev read {SAMPLE_TOPIC} --kafka {self.kafka}",
        )


@contextmanager
def running(port: int, workers: int = 1) -> Iterator[DevStack]:
    """Start mock Kafka, the development registry and the shim on `port`; end all of it afterwards.

    Raises DevStackFailed when the port is taken or the shim does not answer.
    """
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="confluent-shim-dev-")))
        kafka = MockKafka()
        parts.callback(kafka.close)
        kafka.create_topic(SAMPLE_TOPIC)
        registry = parts.enter_context(serving(registry_app(MemoryRegistry())))
        token = secrets.token_urlsafe(12)
        config = folder / "confluent-shim.toml"
        config.write_text(_configuration(folder, port, workers, kafka.bootstrap, registry, token))
        process = parts.enter_context(_serve(config))
        stack = DevStack(f"http://127.0.0.1:{port}", kafka.bootstrap, registry, token, process)
        _await_ready(stack)
        _bind_sample(stack)
        yield stack


def _configuration(folder: Path, port: int, workers: int, kafka: str, registry: str, token: str) -> str:
    return f"""
store = "sqlite:{folder / "bindings.db"}"
admin_token = "{token}"

[server]
port = {port}
workers = {workers}

[clusters.default.kafka]
"bootstrap.servers" = "{kafka}"

[clusters.default.registry]
url = "{registry}"
"""


@contextmanager
def _serve(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "confluent_shim", "serve", "--config", str(config)]
    # Its own session: a Ctrl-C reaches this process, which then ends the server in order.
    process = subprocess.Popen(command, env=environment_without_settings(), start_new_session=True)  # noqa: S603 - our own command
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(stack: DevStack) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        if stack.process.poll() is not None:
            raise DevStackFailed(f"the server ended with status {stack.process.returncode}; its log is above")
        try:
            with urllib.request.urlopen(f"{stack.shim}/-/ready", timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.05)
    raise DevStackFailed(f"the server did not answer on {stack.shim} within {_READY_SECONDS:.0f} s")


def _bind_sample(stack: DevStack) -> None:
    body = json.dumps({"schema": SAMPLE_SCHEMA, "description": "the sample of the development stack"})
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{stack.shim}/-/bindings/{SAMPLE_TOPIC}?who=dev&replace=true",
        body.encode(),
        {"Authorization": f"Bearer {stack.admin_token}"},
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        raise DevStackFailed(f"the sample was not bound: {error.read().decode()}") from error


def _curl(shim: str, event: Mapping[str, object]) -> str:
    body = json.dumps({"records": [{"value": event}]})
    return (
        f"curl -sS {shim}/topics/{SAMPLE_TOPIC} -H 'Content-Type: application/vnd.kafka.jsonschema.v2+json' -d '{body}'"
    )


def _program() -> str:
    """Return how the user can call the console script: by its path unless it is on PATH by this very name."""
    script = Path(sys.executable).with_name("confluent-shim")
    found = shutil.which("confluent-shim")
    return "confluent-shim" if found and Path(found) == script else os.path.relpath(script)
