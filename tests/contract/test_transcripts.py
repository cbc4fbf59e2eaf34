"""What a real Confluent stack answered, and what a shim answers to the same request.

Each exchange is replayed with its topic unbound, in a shim that passes such topics; those that 8.3.1 answered otherwise
also with `contract = "8"`; and those that have a schema for values with the topic bound to it. A difference belongs to
a class that the docs tell of, or is a defect.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import pytest

from tests.contract.bound_topics import bound, has_schema
from tests.contract.deliberate import BOUND, UNBOUND, VERSION_8, Case, Class
from tests.contract.recorded_setup import recorded_setup
from tests.contract.transcripts import Difference, Exchange, differences, exchanges

EXCHANGES = {each.id: each for each in exchanges() if each.route in ("v2", "v3", "batch")}


class Outcome(NamedTuple):
    """Which class explains each difference, and which difference none does."""

    documented: Sequence[Class]
    open: Sequence[Difference]


class Run(NamedTuple):
    """A way to replay exchanges: which of them, how, and what is known to differ."""

    takes: Callable[[Exchange], bool]
    replay: Callable[[Exchange], tuple[Case, Sequence[Difference]]]
    classes: Sequence[Class]


def unbound(exchange: Exchange) -> tuple[Case, Sequence[Difference]]:
    with recorded_setup(exchange, unbound="pass", producers_may_register=True) as scene:
        case = Case(exchange, exchange.theirs(), scene.ask())
    return case, list(differences(exchange, case.theirs, case.ours, scene.values))


def unbound_8(exchange: Exchange) -> tuple[Case, Sequence[Difference]]:
    with recorded_setup(exchange, unbound="pass", producers_may_register=True, contract="8") as scene:
        case = Case(exchange, exchange.theirs("8.3.1"), scene.ask())
    return case, list(differences(exchange, case.theirs, case.ours, scene.values))


RUNS: Mapping[str, Run] = {
    "unbound": Run(lambda _: True, unbound, UNBOUND),
    "unbound, 8": Run(lambda exchange: exchange.differs_in_8, unbound_8, VERSION_8),
    "bound": Run(has_schema, bound, BOUND),
}
CASES = [(run, name) for run in RUNS for name, exchange in EXCHANGES.items() if RUNS[run].takes(exchange)]


@cache
def outcome(run: str, name: str) -> Outcome:
    """Replay one exchange."""
    return explained(RUNS[run], EXCHANGES[name])


def explained(run: Run, exchange: Exchange) -> Outcome:
    """Replay an exchange, and sort its differences by what explains them."""
    case, found = run.replay(exchange)
    documented, unexplained = [], []
    for difference in found:
        explaining = [each for each in run.classes if each.explains(case, difference)]
        documented += explaining[:1]
        if not explaining:
            unexplained.append(difference)
    return Outcome(documented, unexplained)


@pytest.mark.parametrize(("run", "name"), CASES)
def test_an_answer_is_confluent_s_or_differs_on_purpose(run: str, name: str) -> None:
    assert outcome(run, name).open == []


@pytest.mark.parametrize("run", RUNS)
def test_every_class_is_needed(run: str) -> None:
    """A class that explains nothing is a promise to differ that is not kept."""
    used = {each.row for at, name in CASES if at == run for each in outcome(run, name).documented}
    assert [each.row for each in RUNS[run].classes if each.row not in used] == []


def test_no_exchange_is_open_and_the_count_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for run in RUNS:
        with capsys.disabled():
            assert counted(run, [outcome(run, name) for at, name in CASES if at == run])


def counted(run: str, outcomes: Sequence[Outcome]) -> bool:
    """Print how many exchanges came out how, and tell whether none is open."""
    still_open = sum(bool(each.open) for each in outcomes)
    documented = sum(bool(each.documented) and not each.open for each in outcomes)
    equal = len(outcomes) - documented - still_open
    print(  # noqa: T201 - what the tests are about
        f"\ntranscripts, {run}: {equal} equal, {documented} documented, {still_open} open"
    )
    return not still_open
