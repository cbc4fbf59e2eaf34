"""``python -m tests.stack [real|embedded|external|auto]``: start a stack, print its addresses, wait for a signal."""

import argparse
import json
import logging
import signal
import sys
from typing import get_args

from tests.stack import Kind, StackError, missing_parts, start_stack

_log = logging.getLogger(__name__)


def main() -> int:
    parser = argparse.ArgumentParser(description="Start a stack, print its addresses, wait for a signal.")
    parser.add_argument("kind", nargs="?", choices=get_args(Kind), default="auto")
    kind: Kind = parser.parse_args().kind
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both signals end it the same way, at any moment
    try:
        with start_stack(kind) as stack:
            if stack.name == "embedded" and kind == "auto":
                _log.warning("not the real stack: missing %s", ", ".join(missing_parts()))
            addresses = {"name": stack.name, "kafka": stack.kafka_bootstrap, "registry": stack.registry_url}
            sys.stdout.write(f"{json.dumps(addresses)}\n")
            sys.stdout.flush()
            signal.pause()
    except StackError as error:
        _log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
