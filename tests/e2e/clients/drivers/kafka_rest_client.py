"""A program that uses the package kafka-rest-client of PyPI.

It subscribes to a topic as the plan on its standard input says, and prints the error that the client raises as one JSON
document.
"""

import json
import sys
import urllib.parse

# The client imports this by the name that it had in Python 2.
sys.modules["urlparse"] = urllib.parse

from proofpoint.kafka.errors import KafkaRestError  # type: ignore[import-not-found]  # noqa: E402
from proofpoint.kafka.KafkaRestConsumer import KafkaRestConsumer  # type: ignore[import-not-found]  # noqa: E402


def main() -> None:
    plan = json.load(sys.stdin)
    consumer = KafkaRestConsumer(
        group_name=plan["group"],
        client_name="a-client",
        kafka_rest_lb=plan["url"],
        oauth_token_url=plan["token_url"],
        auth_client_id="id",
        auth_client_secret="secret",
        request_failure_retries=0,
    )
    try:
        consumer.subscribe(plan["topic"])
    except KafkaRestError as error:
        json.dump({"code": error.error_code, "message": error.message}, sys.stdout)


if __name__ == "__main__":
    main()
