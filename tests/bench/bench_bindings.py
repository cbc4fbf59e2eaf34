"""Does a topic map of 10,000 bindings slow a request down?

Two servers with one worker each, one with a single binding and one with 10,000, take turns under the same one-record
requests to the same Kafka. The ratio is taken per turn and its median told.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.scene import SCHEMA, Side, compare, load, stack
from tests.e2e.server import configuration, serving
from topic_map import Bind, Binding, open_store

TURNS = 7
SECONDS = 3.0
BINDINGS = 10_000


def main() -> None:
    """Print the table."""
    with stack() as parts, tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        parts.create_topic("bench", partitions=4)
        configs = [configuration(Path(f), parts.kafka_bootstrap, parts.registry_url) for f in (one, many)]
        store = open_store(f"sqlite:{many}/bindings.db", {"default": parts.registry_url})
        crowd = [Bind(Binding(topic=f"topic-{n}", subject=f"topic-{n}-value")) for n in range(BINDINGS - 1)]
        store.change(crowd, who="bench", why="")
        store.close()
        with serving(configs[0]) as few, serving(configs[1]) as crowded:
            for server in (few, crowded):
                server.bind("bench", schema=SCHEMA)
                load(server, "bench", 1).requests_per_second(1.0)
            sides = [
                Side("1 binding", lambda: load(few, "bench", 1).requests_per_second(SECONDS)),
                Side("10,000 bindings", lambda: load(crowded, "bench", 1).requests_per_second(SECONDS)),
            ]
            compare(sides, TURNS, "req/s")


if __name__ == "__main__":
    main()
