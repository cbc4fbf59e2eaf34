"""The package kafka-rest-client 0.8.0 of PyPI, of 2017: a consumer, and nothing else.

It reads with the consumers of the v1 API, which today's REST Proxy has dropped, and the shim has no consumers. So all
that there is to see is how it learns that.
"""

import json
import uuid

from tests.e2e.clients import confluent
from tests.e2e.clients.driver import Client
from tests.e2e.clients.recorder import recording
from tests.e2e.server import Server

TOKEN = json.dumps({"access_token": "a-token", "token_type": "Bearer"})


def test_its_consumer_is_refused_and_told_where_to_read(pypi_kafka_rest_client: Client, server: Server) -> None:
    group = f"group-{uuid.uuid4().hex[:8]}"
    with recording(server.url, {"/token": TOKEN}) as recorder:
        raised = pypi_kafka_rest_client(
            url=recorder.url, token_url=f"{recorder.url}/token", topic="orders", group=group
        )
    (sent,) = recorder.sent
    assert (sent.method, sent.path) == ("POST", f"/consumers/{group}")
    assert sent.content_type == "application/vnd.kafka.json.v1+json"
    # Confluent refuses it for its type; here the endpoint is closed, which comes before the type.
    theirs = confluent.to_a_content_type_it_does_not_have()
    assert (theirs.status, raised["code"]) == (415, 405)
    assert "Kafka client" in raised["message"]
