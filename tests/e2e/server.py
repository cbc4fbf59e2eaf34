"""A real server process, and its command line."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import requests

TOKEN = "the-admin-token"
_ADMIN = {"Authorization": f"Bearer {TOKEN}"}
_READY_SECONDS = 30.0

Kind = Literal["granian", "gunicorn"]
KINDS: tuple[Kind, ...] = ("granian", "gunicorn")
"""The servers that are supported; the first one is that of `serve`."""


@dataclass(frozen=True)
class Server:
    """A running server: where it is, and what the operator would do with it."""

    url: str
    config: Path
    log: Path
    process: "subprocess.Popen[bytes]"

    def produce(
        self, topic: str, body: object, content_type: str = "application/vnd.kafka.jsonschema.v2+json"
    ) -> requests.Response:
        """POST a produce request; bytes go as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(
            f"{self.url}/topics/{topic}", data=data, headers={"Content-Type": content_type}, timeout=30
        )

    def cli(self, *arguments: str, stdin: str | None = None, remote: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command line as an operator would: against the running server, or on the store itself."""
        where = ["--url", self.url, "--token", TOKEN] if remote else ["--config", str(self.config)]
        return subprocess.run(
            [sys.executable, "-m", "confluent_shim", *arguments, *where],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def bind(self, topic: str, *, create_topic: bool = False, **fields: object) -> None:
        """Bind `topic`, or change its binding."""
        query = "?replace=true&create_topic=true" if create_topic else "?replace=true"
        answer = requests.put(f"{self.url}/-/bindings/{topic}{query}", json=fields, headers=_ADMIN, timeout=30)
        assert answer.status_code == 200, answer.text

    def unbind(self, topic: str) -> requests.Response:
        """Unbind `topic`."""
        return requests.delete(f"{self.url}/-/bindings/{topic}", headers=_ADMIN, timeout=30)

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return requests.get(self.url + path, timeout=10).json()


def configuration(folder: Path, kafka: str, registry: str, extra: str = "") -> Path:
    """Write a configuration file for the parts of a stack."""
    path = folder / "confluent-shim.toml"
    path.write_text(
        f"""
store = "sqlite:{folder / "bindings.db"}"
admin_token = "{TOKEN}"
{extra}
[log]
format = "json"

[clusters.default.kafka]
"bootstrap.servers" = "{kafka}"

[clusters.default.registry]
url = "{registry}"
ttl = 0.2
"""
    )
    return path


def command_of(
    kind: Kind, config: Path, port: int, environment: Mapping[str, str]
) -> tuple[list[str], Mapping[str, str]]:
    """Return the command that starts a server of that kind, and the environment for it."""
    if kind == "granian":
        serve = ["confluent_shim", "serve", "--config", str(config), "--port", str(port)]
        return [sys.executable, "-m", *serve], environment
    gunicorn = ["gunicorn", "-c", "python:confluent_shim.gunicorn_conf", "--bind", f"127.0.0.1:{port}"]
    return [sys.executable, "-m", *gunicorn], {**environment, "SHIM_CONFIG": str(config)}


@contextmanager
def serving(
    config: Path, workers: int = 1, environment: Mapping[str, str] | None = None, kind: Kind = "granian"
) -> Iterator[Server]:
    """Start a server on a free port, wait until it answers, and end it with SIGTERM."""
    port = free_port()
    log = config.parent / f"server-{port}.log"
    command, environment = command_of(kind, config, port, environment or os.environ)
    with log.open("wb") as stderr:
        process = subprocess.Popen([*command, "--workers", str(workers)], stdout=stderr, stderr=stderr, env=environment)
    server = Server(f"http://127.0.0.1:{port}", config, log, process)
    try:
        _await_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(server: Server) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if requests.get(f"{server.url}/-/ready", timeout=2).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise AssertionError(server.log.read_text())


def metric(server: Server, name: str) -> float:
    """Return the sum over the labels of a metric."""
    time.sleep(0.3)  # another worker than the one that is asked counts a moment later
    lines = requests.get(f"{server.url}/-/metrics", timeout=10).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
