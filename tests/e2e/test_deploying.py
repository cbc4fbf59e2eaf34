"""The page on deploying, from top to bottom: its files, its commands, and what it says that they print.

A second shim, which passes everything, stands in for the REST Proxy; a server before it closes the routes that the page
tells the proxy to close.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.e2e.server import TOKEN, Server, configuration, serving
from tests.stack import Stack
from tests.upstream import Handler, Proxy, Received, echoing

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"id": {"type": "integer"}},
}
_FORMATS = {"jsonschema": "json-schema"}
_BLOCKS = re.compile(r"^```(toml|console|properties)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def endpoint_of(received: Received) -> str:
    """Return what Confluent calls the endpoint of a produce request."""
    if received.target.endswith("/records:batch"):
        return "api.v3.batch-produce.produce"
    if received.target.endswith("/records"):
        return "api.v3.produce.produce"
    found = re.fullmatch(r"application/vnd\.kafka\.(\w+)\.v2\+json", received.header("Content-Type") or "")
    name = found[1] if found else "binary"
    kind = "partition" if "/partitions/" in received.target else "topic"
    return f"api.v2.produce-to-{kind}.{_FORMATS.get(name, name)}"


class StandIn:
    """Forwards to `behind` what its blocklist leaves open."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.blocklist: list[str] = []

    def play(self, handler: Handler) -> None:
        received = handler.receive()
        endpoint = endpoint_of(received)
        if received.method == "POST" and any(fnmatchcase(endpoint, blocked) for blocked in self.blocklist):
            self._answer(handler, 405, "", b'{"error_code":405,"message":"HTTP 405 Method Not Allowed"}')
            return
        headers = {name: value for name, value in received.headers if name.lower() not in ("host", "content-length")}
        answer = requests.request(
            received.method, self._behind + received.target, data=received.body, headers=headers, timeout=30
        )
        self._answer(handler, answer.status_code, answer.headers.get("Content-Type", ""), answer.content)

    def _answer(self, handler: Handler, status: int, content_type: str, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class Scene(NamedTuple):
    """What the page speaks of, and where it is here."""

    folder: Path
    stand_in: StandIn
    places: dict[str, str]

    def here(self, text: str) -> str:
        for theirs, ours in self.places.items():
            text = text.replace(theirs, ours)
        return text

    def run(self, command: str, shim: Server) -> str:
        """Run a command of the page, and return all that it prints."""
        text = self.here(command).replace("http://shim:8082", shim.url)
        text = text.replace("confluent-shim ", f"{sys.executable} -m confluent_shim ", 1)
        environment = {**os.environ, "SHIM_ADMIN_TOKEN": TOKEN}
        ran = subprocess.run(
            ["bash", "-c", text], capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert ran.returncode == 0, (command, ran.stderr)
        return ran.stdout + ran.stderr

    @contextmanager
    def serve(self, config: str) -> Iterator[Server]:
        """Start the shim with a file of the page."""
        path = self.folder / "confluent-shim.toml"
        path.write_text(self.here(config))
        with serving(path, environment={**os.environ, "SHIM_ADMIN_TOKEN": TOKEN}) as server:
            yield server


@pytest.fixture
def scene(stack: Stack, tmp_path: Path) -> Iterator[Scene]:
    topic = f"orders-{uuid.uuid4().hex[:8]}"
    stack.create_topic(topic, partitions=2)
    subject = {"schema": json.dumps(SCHEMA), "schemaType": "JSON"}
    assert requests.post(f"{stack.registry_url}/subjects/{topic}-value/versions", json=subject, timeout=10).ok
    behind = tmp_path / "behind"
    behind.mkdir()
    passing = configuration(behind, stack.kafka_bootstrap, stack.registry_url, extra='unbound = "pass"')
    # A connection that is kept would keep its thread here beyond the test.
    with serving(passing) as double, echoing(keeps_connections=False) as proxy:
        stand_in = StandIn(double.url)
        proxy.play = stand_in.play
        yield Scene(tmp_path, stand_in, {"orders": topic, **_places(stack, proxy, tmp_path)})


def _places(stack: Stack, proxy: Proxy, folder: Path) -> dict[str, str]:
    return {
        "/var/lib/confluent-shim": str(folder),
        'host = "0.0.0.0"': 'host = "127.0.0.1"',
        "http://rest-proxy:8082": proxy.url,
        "http://registry:8081": stack.registry_url,
        "kafka:9092": stack.kafka_bootstrap,
    }


def matches(printed: str, expected: str) -> bool:
    """Tell whether what is printed is what the page has; there `...` stands for anything, also for lines."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def test_each_command_prints_what_the_page_says(scene: Scene) -> None:
    tried = 0
    with ExitStack() as running:
        shim: Server | None = None
        for kind, block in _BLOCKS.findall(PAGE.read_text()):
            if kind == "properties":
                scene.stand_in.blocklist = block.strip().partition("=")[2].split(",")
            elif kind == "toml":
                running.close()
                shim = running.enter_context(scene.serve(block))
            else:
                assert shim is not None
                for text in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                    command, expected = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
                    printed = scene.run(command, shim)
                    assert matches(printed, scene.here(expected)), (command, printed)
                    tried += 1
    assert tried >= 15
