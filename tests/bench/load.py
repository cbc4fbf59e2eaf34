"""Load by wrk (Debian package `wrk`): one thread, so that it takes little of what is measured."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 16


class Load(NamedTuple):
    """One POST request, to be sent again and again over CONNECTIONS keep-alive connections."""

    url: str
    content_type: str
    body: bytes

    def requests_per_second(self, seconds: float) -> float:
        """Send for `seconds` and return how many requests were answered per second.

        Raises RuntimeError when an answer has an error's status, or wrk is not there.
        """
        if shutil.which("wrk") is None:
            raise RuntimeError("wrk is not installed: apt-get install wrk")
        with tempfile.TemporaryDirectory() as folder:
            body, script = Path(folder) / "body", Path(folder) / "post.lua"
            body.write_bytes(self.body)
            script.write_text(
                f'wrk.method = "POST"\n'
                f'wrk.headers["Content-Type"] = {json.dumps(self.content_type)}\n'
                f'wrk.body = io.open({json.dumps(str(body))}, "rb"):read("*a")\n'
            )
            command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script), self.url]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in told or "Socket errors" in told:
            raise RuntimeError(told)
        found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
        if found is None:
            raise RuntimeError(told)
        return float(found[1])
