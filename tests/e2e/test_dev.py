"""What a newcomer does first: one command, then the three that it prints."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.server import free_port

_SECONDS = 60


@pytest.fixture
def output(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Start `confluent-shim dev` and give the process and the file it prints to."""
    printed = tmp_path / "printed"
    with printed.open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "confluent_shim", "dev", "--port", str(free_port())],
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process, printed
        finally:
            process.kill()
            process.wait()


def test_the_printed_commands_send_refuse_and_read_back_and_ctrl_c_ends_all(
    output: tuple["subprocess.Popen[bytes]", Path],
) -> None:
    process, printed = output
    end = time.monotonic() + _SECONDS
    while "Ctrl-C" not in printed.read_text() and time.monotonic() < end:
        assert process.poll() is None, printed.read_text()
        time.sleep(0.1)
    lines = printed.read_text().splitlines()
    good, bad, read = (
        subprocess.run(["bash", "-c", line.strip()], capture_output=True, text=True, check=True).stdout
        for line in lines
        if line.startswith("  ")
    )
    assert '"offset":0' in good
    assert '"pointer":"/dt"' in bad
    assert '"page": "/home"' in read
    assert len(read.splitlines()) == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(_SECONDS) == 0
    shim = next(line.split()[1] for line in lines if line.startswith("shim"))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{shim}/-/live", timeout=2)


def test_a_port_that_is_taken_is_said_and_nothing_is_left_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        failed = subprocess.run(
            [sys.executable, "-m", "confluent_shim", "dev", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    assert failed.returncode == 1
    assert str(port) in failed.stderr
    assert "Traceback" not in failed.stderr
