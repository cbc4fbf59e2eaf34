"""One program of the stack: started, waited for, frozen, ended, with its log kept in a file."""

import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# The kernel kills the program when its parent dies, even of SIGKILL; only KILL also ends one that is stopped.
# setpriv becomes the program, and unlike a preexec_fn it is safe in a process with threads (librdkafka's).
TIED = ("setpriv", "--pdeathsig", "KILL")
# Short-lived and small: the simplest collector and no second compiler come up faster than what serves best for days.
JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")

_POLL_SECONDS = 0.02
_STOP_SECONDS = 20.0
_TAIL_BYTES = 3000
# Below the range that Linux takes client ports from: a client that redials a stopped broker would otherwise sooner
# or later be given the broker's own port, connect to itself and keep the broker from coming back.
_PORTS = range(15_000, 32_000)


class StackError(RuntimeError):
    """A part of the stack cannot be had or does not run; the text ends with the tail of its log."""


class Process:
    """A child process named `name` whose output goes to ``<folder>/<name>.log``.

    Start it from a thread that lives as long as it should: the kernel ties it to that thread.
    """

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = [*TIED, *command]
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Start the program and wait until `ready`. Raises StackError."""
        child = self._child = self._spawn()
        try:
            self._wait(child, ready, seconds)
        except BaseException:
            self.kill()
            raise

    def run(self, seconds: float = 60.0) -> None:
        """Run the program to its end. Raises StackError when that is not status 0."""
        self._child = self._spawn()
        try:
            status = self._child.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{self.name} did not end within {seconds} s\n{tail(self.log)}") from error
        finally:
            self.kill()
        if status:
            raise StackError(f"{self.name} ended with {status}\n{tail(self.log)}")

    def stop(self) -> bool:
        """Ask the program to end, as an operator would, and kill it when it does not; tell whether it ended in order.

        Ended already is fine, and False.
        """
        if self._child is None:
            return False
        self._child.terminate()
        self.resume()  # a frozen program takes the request only when it goes on
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._child = None
        return True

    def kill(self) -> None:
        """End the program at once, with nothing flushed; ended already is fine."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._child = None

    def pause(self) -> None:
        """Freeze the program: its connections stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen program go on."""
        self._running().send_signal(signal.SIGCONT)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches the tests, which end what they started in order
            )

    def _wait(self, child: subprocess.Popen[bytes], ready: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if child.poll() is not None:
                raise StackError(f"{self.name} ended with {child.returncode}\n{tail(self.log)}")
            if time.monotonic() > end:
                raise StackError(f"{self.name} was not ready after {seconds} s\n{tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise StackError(f"{self.name} is not running")
        return self._child


def free_port() -> int:
    """Return a loopback port that nobody listens on. It is not reserved: whoever binds it must cope with losing it."""
    for port in random.sample(_PORTS, 200):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise StackError("no free port on 127.0.0.1")


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def tail(log: Path) -> str:
    """Return the end of a log file, empty when there is none."""
    return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""
