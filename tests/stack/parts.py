"""The programs the real stack is made of: resolved once per machine, kept in a cache folder."""

import fcntl
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.process import TIED, StackError, tail

KAFKA_VERSION = "4.4.0"
REGISTRY_VERSION = "v0.2.1"
APICURIO_VERSION = "2.6.13.Final"

_TOOLS = ("java", "mvn", "go", TIED[0])
_FILL_SECONDS = 900.0
_REGISTRY_MODULE = "github.com/axonops/axonops-schema-registry"
_APICURIO = f"io.apicurio:apicurio-registry-app:{APICURIO_VERSION}:tar.gz:all"
_MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
_POM = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>confluent-shim.tests</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
# The registry's own go.mod replaces modules, which `go install` refuses; as a dependency of ours it builds.
_GO_MOD = f"""module confluent-shim/tests/registry

go 1.26.0

require {_REGISTRY_MODULE} {REGISTRY_VERSION}
"""

_log = logging.getLogger(__name__)


def missing_parts() -> list[str]:
    """Return the programs that the real stack needs and this machine lacks."""
    return missing(_TOOLS)


def missing(tools: Iterable[str]) -> list[str]:
    """Return those of `tools` that this machine lacks."""
    return [tool for tool in tools if shutil.which(tool) is None]


def cache_folder() -> Path:
    """Return the cache folder, which may not exist yet."""
    chosen = os.environ.get("STACK_CACHE")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "confluent-shim-stack"


def kafka_folder() -> Path:
    """Return the folder with Kafka's jars, filling it first where needed. Raises StackError."""
    return part(f"kafka-{KAFKA_VERSION}", _resolve_kafka)


def registry_program() -> Path:
    """Return the schema registry's binary, building it first where needed. Raises StackError."""
    return part(f"axonops-schema-registry-{REGISTRY_VERSION}", _build_registry) / "schema-registry"


def apicurio_folder() -> Path:
    """Return the folder with the second registry, filling it first where needed. Raises StackError."""
    return part(f"apicurio-registry-{APICURIO_VERSION}", _resolve_apicurio)


def fill_cache() -> None:
    """Have Kafka and its registry in the cache. Raises StackError. One after the other: Ctrl-C ends it at once."""
    kafka_folder()
    registry_program()


def part(name: str, fill: Callable[[Path, Path], None]) -> Path:
    """Return the folder of a part, having `fill` make it first where needed. Raises StackError.

    `fill` takes a folder to work in and the folder of the result. That has its final name only when it is complete,
    whatever interrupted a fill.
    """
    cache = cache_folder()
    folder = cache / name
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{name}.lock"):
        if folder.exists():  # somebody else filled it while this run waited
            return folder
        for leftover in cache.glob(f"{name}.part-*"):
            shutil.rmtree(leftover)
        work = Path(tempfile.mkdtemp(prefix=f"{name}.part-", dir=cache))
        try:
            (work / "result").mkdir()
            _log.info("filling %s, once per machine", folder)
            fill(work, work / "result")
            (work / "result").rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file; the kernel lets go of it when the holder dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolve_kafka(work: Path, result: Path) -> None:
    (work / "pom.xml").write_text(_POM)
    _run_maven(work, "copy-dependencies", f"-DoutputDirectory={result}", "-DincludeScope=runtime")


def _resolve_apicurio(work: Path, result: Path) -> None:
    _run_maven(work, "unpack", f"-Dartifact={_APICURIO}", f"-DoutputDirectory={result}")


def _run_maven(work: Path, goal: str, *options: str) -> None:
    # A local repository of its own: Maven 3 does not guard one against a second Maven, and remembers failures in it.
    own_repository = f"-Dmaven.repo.local={work / 'repository'}"
    run(["mvn", "-B", "-q", "-ntp", own_repository, f"{_MAVEN_PLUGIN}:{goal}", *options], work)


def _build_registry(work: Path, result: Path) -> None:
    (work / "go.mod").write_text(_GO_MOD)
    # -mod=mod writes go.sum as it resolves; every version follows from the one required.
    output = ["-o", str(result / "schema-registry")]
    run(["go", "build", "-mod=mod", "-buildvcs=false", *output, f"{_REGISTRY_MODULE}/cmd/schema-registry"], work)


def run(command: list[str], work: Path) -> None:
    """Run a program that fills the cache, in the folder `work`. Raises StackError."""
    log = work / "fill.log"
    with log.open("wb") as output:
        try:
            subprocess.run(
                [*TIED, *command],
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=_FILL_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise StackError(f"{command[0]} could not fill the cache: {error}\n{tail(log)}") from error
