"""Somebody deletes a topic and a subject that are bound: the operator is told, wherever he looks."""

import json
import uuid

import requests
from confluent_kafka.admin import AdminClient

from tests.e2e.server import Server
from tests.stack import Stack
from tests.waiting import eventually

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def test_a_topic_and_a_subject_that_were_deleted_are_told(real_stack: Stack, server: Server) -> None:
    topic, other = f"deleted-{uuid.uuid4().hex}", f"kept-{uuid.uuid4().hex}"
    for name in (topic, other):
        server.bind(name, schema=SCHEMA, create_topic=True)

    def gone(*, remote: bool) -> object:
        listed = server.cli("bindings", "list", "-o", "json", remote=remote)
        assert listed.returncode == 0, listed.stderr
        document = json.loads(listed.stdout)
        assert document["unasked"] == []
        return {name: document["gone"].get(name) for name in (topic, other)}

    assert gone(remote=False) == {topic: None, other: None}

    admin = AdminClient({"bootstrap.servers": real_stack.kafka_bootstrap})
    admin.delete_topics([topic])[topic].result(30)
    assert requests.delete(f"{real_stack.registry_url}/subjects/{other}-value", timeout=10).ok
    told = {topic: ["topic"], other: [f"subject {other}-value"]}
    eventually(lambda: gone(remote=False) == told)

    eventually(lambda: gone(remote=True) == told, 60)
    parts = server.get("/-/ready?verbose")["parts"]
    assert f"{topic}: topic gone" in parts["bindings"]
    assert f"{other}: subject {other}-value gone" in parts["bindings"]
