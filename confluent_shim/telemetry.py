"""What an operator sees: metrics for Prometheus, and one log line per request."""

import json
import logging
import os
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Container
from pathlib import Path
from typing import Generic, Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from jsonschema_bridge.registry import LoggingObserver

access_log = logging.getLogger("confluent_shim.access")

_LATENCY_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_CHATTY = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3")  # they tell each request to a registry
_MAX_TOPICS = 1000
_OTHER = "(other)"
_TALLY_SECONDS = 0.1


M = TypeVar("M", Counter, Gauge, Histogram)


class _Children(dict[tuple[str, ...], M], Generic[M]):
    """The children of a metric by their labels, found without asking the metric again."""

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._metric: M = metric

    def __missing__(self, labels: tuple[str, ...]) -> M:
        child: M = self._metric.labels(*labels)
        self[labels] = child
        return child


class _Tally:
    """What happened and is to be counted: noted by requests, counted a moment later by a thread of its own.

    A count takes a lock that all metrics share and, where processes count together, writes to a file's memory. A note
    is one append. The thread starts with the first note, in the process that notes.
    """

    def __init__(self) -> None:
        self._noted: deque[tuple[Counter | Gauge | Histogram, float]] = deque()
        self._settling = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, metric: Counter | Gauge | Histogram, amount: float) -> None:
        """Have `amount` added to a counter or gauge, or observed by a histogram."""
        self._noted.append((metric, amount))
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._settling:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(_TALLY_SECONDS):
            self.settle()

    def settle(self) -> None:
        """Count what was noted so far."""
        with self._settling:
            sums: dict[Counter | Gauge, float] = defaultdict(float)
            for _ in range(len(self._noted)):
                metric, amount = self._noted.popleft()
                if isinstance(metric, Histogram):
                    metric.observe(amount)
                else:
                    sums[metric] += amount
            for counter, total in sums.items():
                counter.inc(total)

    def close(self) -> None:
        """Count the rest and end the thread; closed already is fine."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.settle()


class Metrics:
    """The metrics of one process, or of all processes of the host that share a folder.

    Labels are bounded: topics only once they are bound, and at most _MAX_TOPICS of them; reasons are keywords.
    """

    def __init__(self, shared_folder: str | None = None) -> None:
        self._shared_folder = shared_folder
        self._topics: set[str] = set()
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "confluent_shim_requests_total",
            "HTTP requests answered, by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "confluent_shim_request_seconds",
            "Seconds from a request's arrival to its answer, by route.",
            ["route"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self.records = Counter(
            "confluent_shim_records_total",
            "Records by topic and outcome: written, not_written, unknown.",
            ["topic", "outcome"],
            registry=registry,
        )
        self.rejections = Counter(
            "confluent_shim_rejected_records_total",
            "Records refused by their topic's rule, by topic and keyword; a record counts once per keyword.",
            ["topic", "reason"],
            registry=registry,
        )
        self.observations = Counter(
            "confluent_shim_observed_records_total",
            "Records of bindings that only observe, by topic and what enforcing them would have said.",
            ["topic", "verdict"],
            registry=registry,
        )
        self.registry_requests = Counter(
            "confluent_shim_registry_requests_total",
            "Requests to schema registries, by operation and outcome.",
            ["operation", "outcome"],
            registry=registry,
        )
        self.registry_stale = Counter(
            "confluent_shim_registry_stale_answers_total",
            "Answers given from a cache past its time because the registry was down.",
            ["operation"],
            registry=registry,
        )
        self.registry_staleness = Gauge(
            "confluent_shim_registry_staleness_seconds",
            "Seconds since a cluster's registry last answered, 0 while it does, as the worker that is asked sees it.",
            ["cluster"],
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.table_revision = Gauge(
            "confluent_shim_table_revision",
            "Revision of the topic map in force.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.table_staleness = Gauge(
            "confluent_shim_table_staleness_seconds",
            "Seconds since the topic map could last be read, 0 while it can.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.in_flight = Gauge(
            "confluent_shim_records_in_flight",
            "Records handed to a cluster's sink and not yet answered.",
            ["cluster"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.upstream_refusals = Counter(
            "confluent_shim_upstream_refusals_total",
            "Requests with admitted records that an upstream REST Proxy refused as a whole, by its status.",
            ["status"],
            registry=registry,
        )
        self.versions_not_adopted = Gauge(
            "confluent_shim_versions_not_adopted",
            "Versions of a topic's subject that are newer than the one in force, as they were last looked at.",
            ["topic"],
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._not_adopted: set[str] = set()
        self._records = _Children(self.records)
        self._rejections = _Children(self.rejections)
        self._observations = _Children(self.observations)
        self._requests = _Children(self.requests)
        self._seconds = _Children(self.request_seconds)
        self._in_flight = _Children(self.in_flight)
        self._tally = _Tally()

    def handed_over(self, cluster: str, count: int) -> None:
        """Count records that a cluster's sink has taken on; `settled` must follow."""
        self._tally.note(self._in_flight[cluster,], count)

    def settled(self, cluster: str, count: int) -> None:
        """Count records out that were handed over, whatever became of them."""
        self._tally.note(self._in_flight[cluster,], -count)

    def delivered(self, topic: str, outcome: str, count: int) -> None:
        """Count records that were handed to Kafka."""
        self._tally.note(self._records[self._topic(topic), outcome], count)

    def rejected(self, topic: str, reason: str, count: int = 1) -> None:
        """Count records that were refused for `reason`: a keyword, or the name of an error."""
        self._tally.note(self._rejections[self._topic(topic), reason], count)

    def upstream_refused(self, status: int) -> None:
        """Count a request that a REST Proxy refused although its records were admitted."""
        self._tally.note(self.upstream_refusals.labels(str(status)), 1)

    def observed(self, topic: str, verdict: str, count: int) -> None:
        """Count records that were judged and went their way all the same: admit, reject or unknown."""
        self._tally.note(self._observations[self._topic(topic), verdict], count)

    def not_adopted(self, topic: str, count: int) -> None:
        """Tell how many versions a binding has met and does not adopt."""
        self._not_adopted.add(topic)
        self.versions_not_adopted.labels(self._topic(topic)).set(count)

    def keep_bound(self, topics: Container[str]) -> None:
        """Let go of what was told of topics that are no longer bound."""
        for topic in [topic for topic in tuple(self._not_adopted) if topic not in topics]:
            self.not_adopted(topic, 0)
            self._not_adopted.discard(topic)

    def answered(self, route: str, status: str, seconds: float) -> None:
        """Count a request."""
        self._tally.note(self._requests[route, status], 1)
        self._tally.note(self._seconds[route,], seconds)

    def close(self) -> None:
        """Count what is still to be counted."""
        self._tally.close()

    def _topic(self, topic: str) -> str:
        if topic not in self._topics:
            if len(self._topics) >= _MAX_TOPICS:
                return _OTHER
            self._topics.add(topic)
        return topic

    def exposition(self) -> bytes:
        """Return every metric in Prometheus' text format, over all processes that share the folder.

        What other processes have seen in the last tenth of a second may be missing.
        """
        self._tally.settle()
        if self._shared_folder is None:
            return generate_latest(self._registry)
        _forget_dead_processes(Path(self._shared_folder))
        everywhere = CollectorRegistry()
        MultiProcessCollector(everywhere, path=self._shared_folder)  # type: ignore[no-untyped-call]
        return generate_latest(everywhere)


def _forget_dead_processes(folder: Path) -> None:
    """Let go of what processes count only while they live, once they are gone without having said so."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}:
        if not _alive(pid):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class JsonLines(logging.Formatter):
    """One JSON object per line; what a call passes as `extra={"facts": {...}}` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class HumanLines(logging.Formatter):
    """Time, level, text, and the facts as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        facts: dict[str, object] = getattr(record, "facts", {})
        tail = "".join(f" {name}={_one_word(value)}" for name, value in facts.items())
        return super().formatMessage(record) + tail


def _one_word(value: object) -> str:
    """Write a fact so that no client can forge a line or a fact of its own."""
    text = str(value)
    return text if text.isprintable() and " " not in text else json.dumps(text)


def configure_logging(form: Literal["human", "json"], level: str) -> None:
    """Send all logs of the process to standard error in one form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in _CHATTY:
        logging.getLogger(library).setLevel("WARNING")


class RegistryWatch(LoggingObserver):
    """Counts what a cluster's registry is asked, beside the log lines that its observer writes."""

    def __init__(self, identity: str, metrics: Metrics) -> None:
        super().__init__(identity)
        self._metrics = metrics

    def on_request(self, operation: str, outcome: str, seconds: float) -> None:
        super().on_request(operation, outcome, seconds)
        self._metrics.registry_requests.labels(operation, outcome).inc()

    def on_stale(self, operation: str, age_seconds: float) -> None:
        super().on_stale(operation, age_seconds)
        self._metrics.registry_stale.labels(operation).inc()
