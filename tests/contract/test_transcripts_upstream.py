"""The recorded exchanges again, through a shim whose sink is a REST Proxy.

A shim that passes everything is that proxy. With its topic unbound a request goes to it as it came; with its topic
bound it is judged, and the proxy is sent bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import pytest

from confluent_shim.api.targets import is_ambiguous
from tests.contract.bound_topics import bound, has_schema
from tests.contract.deliberate import BOUND, UNBOUND, Case, Class
from tests.contract.recorded_setup import LIMITS, Scene, recorded_setup
from tests.contract.test_docs import read, rows
from tests.contract.test_transcripts import EXCHANGES, Outcome, Run, counted, explained
from tests.contract.transcripts import Difference, Exchange, differences
from tests.parts import memory_shim
from tests.rest_proxy import serving


@contextmanager
def before_a_proxy(
    exchange: Exchange, ready: Callable[[Scene], None] = lambda _: None, **settings: Any
) -> Iterator[Scene]:
    """Give a shim before the one in which the exchange was set up."""
    running, scenes = ExitStack(), list[Scene]()

    def put_before(behind: Scene) -> None:
        proxy = running.enter_context(serving(behind.shim))
        kafka, registry = behind.shim.sink, behind.shim.registry
        shim = memory_shim(sink=kafka, registry=registry, limits=LIMITS, proxy_url=proxy.url, **settings)
        scenes.append(behind._replace(shim=running.enter_context(shim)))
        ready(scenes[0])

    with recorded_setup(exchange, put_before, unbound="pass", producers_may_register=True), running:
        yield scenes[0]


def unbound(exchange: Exchange) -> tuple[Case, Sequence[Difference]]:
    with before_a_proxy(exchange, unbound="pass") as scene:
        case = Case(exchange, exchange.theirs(), scene.ask())
    return case, list(differences(exchange, case.theirs, case.ours, scene.values))


def _may_be_two_paths(case: Case, _: Difference) -> bool:
    return case.ours.status == 404 and is_ambiguous(case.exchange.path)


TWO_PATHS = Class("a path with `..`, `//` or an encoded percent sign is cleaned up", _may_be_two_paths)
RUNS: Mapping[str, Run] = {
    "unbound, upstream": Run(lambda _: True, unbound, [*UNBOUND, TWO_PATHS]),
    "bound, upstream": Run(has_schema, lambda exchange: bound(exchange, before_a_proxy), BOUND),
}
CASES = [(run, name) for run in RUNS for name, exchange in EXCHANGES.items() if RUNS[run].takes(exchange)]


@cache
def outcome(run: str, name: str) -> Outcome:
    """Replay one exchange."""
    return explained(RUNS[run], EXCHANGES[name])


@pytest.mark.parametrize(("run", "name"), CASES)
def test_an_answer_through_a_proxy_is_confluent_s_or_differs_on_purpose(run: str, name: str) -> None:
    assert outcome(run, name).open == []


def test_the_class_that_only_an_upstream_brings_is_needed_and_has_its_row() -> None:
    explained_by = [each.row for run, name in CASES for each in outcome(run, name).documented]
    assert TWO_PATHS.row in explained_by
    assert any(cells[0].startswith(TWO_PATHS.row) for cells in rows(read("compatibility.md")))


def test_no_exchange_is_open_and_the_count_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for run in RUNS:
        with capsys.disabled():
            assert counted(run, [outcome(run, name) for at, name in CASES if at == run])
