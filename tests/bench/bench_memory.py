"""How much memory does a worker hold after a million records, and does it grow?

A server with one worker takes batches of 100 records of about 500 bytes under 16 connections. Its resident memory is
read from /proc after every 200,000 records, to 2,000,000. Flat means: the second million adds nothing to speak of.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.scene import SCHEMA, load, shim, stack

STEP = 200_000
RECORDS = 2_000_000
BATCH = 100


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def worker_of(pid: int) -> int:
    """Return the one process below the server's parent that has a server's threads."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return max(children, key=lambda child: len(list(Path(f"/proc/{child}/task").iterdir())))


def main() -> None:
    """Print the table."""
    with stack() as parts, shim(parts) as server:
        parts.create_topic("bench", partitions=4)
        server.bind("bench", schema=SCHEMA)
        produce, done = load(server, "bench", BATCH), 0
        worker = worker_of(server.process.pid)
        print(f"{'records':>10} {'MiB':>8}\n{0:>10,} {resident_mib(worker):>8.1f}")
        while done < RECORDS:
            target = done + STEP
            while done < target:
                done += int(produce.requests_per_second(1.0) * BATCH)
            print(f"{done:>10,} {resident_mib(worker):>8.1f}")


if __name__ == "__main__":
    main()
