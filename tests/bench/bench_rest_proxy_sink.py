"""What does the shim cost before a REST Proxy: against posting the same framed bytes straight to that proxy?

The proxy is a shim that passes everything, with one worker, as none of Confluent's can be had from package registries.
Both sides send the same events: the one as JSON to a shim that judges them and has the proxy as its sink, the other
framed and in base64 to the proxy. First at half of what the proxy alone can take, and of what goes through both, from
a client that sends at that rate whatever the answers take; then as many as are taken. All parts share the machine's
cores, which a proxy on a machine of its own would not.
"""

import base64
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.load import Load, Paced
from tests.bench.scene import SCHEMA, Side, compare, load, shim, stack, values
from tests.e2e.server import Server, configuration, serving
from tests.stack import Stack

TURNS = 5
SECONDS = 4.0
BINARY = "application/vnd.kafka.binary.v2+json"
_FRAME = b"\0\0\0\0\1"


@contextmanager
def before(proxy: Server, parts: Stack) -> Iterator[Server]:
    """Start a shim whose sink is the proxy."""
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(Path(folder), parts.kafka_bootstrap, parts.registry_url, 'sink = "rest-proxy"')
        config.write_text(config.read_text() + f'\n[clusters.default.rest_proxy]\nurl = "{proxy.url}"\n')
        with serving(config) as server:
            yield server


def framed(proxy: Server, topic: str, records: int) -> Load:
    """Return the load of the same events, as the shim would send them to the proxy."""
    body = {"records": [{"value": base64.b64encode(_FRAME + value).decode()} for value in values(records)]}
    return Load(f"{proxy.url}/topics/{topic}", BINARY, json.dumps(body, separators=(",", ":")).encode())


class Turn(NamedTuple):
    """Both sides at the same rate."""

    direct: Paced
    through: Paced


def paced(direct: Load, through: Load, whose: str, capacity: float) -> None:
    """Print both sides at half of a capacity."""
    rate = capacity / 2
    turns = [Turn(direct.at_rate(rate, SECONDS), through.at_rate(rate, SECONDS)) for _ in range(TURNS)]
    print(f"half of what {whose} takes, {rate:,.0f} requests/s: per second and median in ms, direct | through")
    for each in turns:
        told = [f"{side.requests_per_second:>8,.0f} {side.median * 1000:>8.2f}" for side in each]
        print(f"  {' | '.join(told)}")
    ratio = statistics.median(each.through.requests_per_second / each.direct.requests_per_second for each in turns)
    added = statistics.median((each.through.median - each.direct.median) / each.direct.median for each in turns)
    print(f"throughput, through / direct: median {ratio:.3f}; added median / direct median: median {added:.2f}")


def run(proxy: Server, server: Server, records: int) -> None:
    """Print the figures for requests with so many records."""
    print(f"\n{records} records a request")
    direct, through = framed(proxy, "proxied", records), load(server, "proxied", records)
    for each in (direct, through):
        each.requests_per_second(2.0)
    paced(direct, through, "the proxy alone", direct.requests_per_second(SECONDS))
    paced(direct, through, "both together", through.requests_per_second(SECONDS))
    sides = [
        Side("direct", lambda: direct.requests_per_second(SECONDS)),
        Side("through", lambda: through.requests_per_second(SECONDS)),
    ]
    compare(sides, TURNS, "req/s")


def main() -> None:
    """Print the figures for requests with one record, and with a hundred."""
    with stack() as parts:
        parts.create_topic("proxied", partitions=4)
        with shim(parts, extra='unbound = "pass"') as proxy, before(proxy, parts) as server:
            server.bind("proxied", schema=SCHEMA)
            for records in (1, 100):
                run(proxy, server, records)


if __name__ == "__main__":
    main()
