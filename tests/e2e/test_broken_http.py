"""Whatever bytes arrive, a server answers or closes the connection, and goes on serving."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings

from tests.e2e.conversation import Conversation
from tests.e2e.server import KINDS, Server, configuration, serving
from tests.families import BOUND, FAMILIES, SEGMENTS
from tests.parts import ORDER
from tests.strategies import on_the_wire, requests

STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that keeps all in memory, with bound topics."""
    config = configuration(tmp_path_factory.mktemp(request.param), "memory:", "memory:")
    with serving(config, kind=request.param) as server:
        for topic, fields in BOUND.items():
            if fields.get("key") != "subject":
                server.bind(topic, create_topic=True, **{"schema": ORDER, **fields})
        yield server
        log = server.log.read_text()
    assert server.process.returncode == 0
    assert "Traceback" not in log
    assert '"status": 500' not in log


@settings(max_examples=200)
@given(on_the_wire(requests(FAMILIES, SEGMENTS)))
def test_bytes_are_answered_or_the_connection_ends_and_nobody_is_to_blame_but_the_client(
    server: Server, sent: bytes
) -> None:
    with Conversation(server.url) as talk:
        with suppress(ConnectionError):  # an answer may come before the last byte is sent
            talk.send(sent)
        answered = talk.everything()
    statuses = {int(status) for status in STATUS.findall(answered)}
    assert not statuses & {500, 502, 503, 504}
