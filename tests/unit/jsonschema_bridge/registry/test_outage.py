import pytest

from jsonschema_bridge.errors import RegistryUnavailable
from jsonschema_bridge.registry.outage import Outage
from tests.doubles import FrozenClock


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def outage(clock: FrozenClock) -> Outage:
    return Outage("http://registry.test", clock)


def test_a_registry_is_up_until_it_fails(outage: Outage) -> None:
    """Nothing known means up: anyone may try, side by side."""
    assert outage.claim() == outage.claim()
    assert not outage.down
    assert outage.staleness() == 0.0


def test_waits_double_up_to_thirty_seconds(outage: Outage, clock: FrozenClock) -> None:
    """Each failed attempt doubles the wait before the next one, from 1 s to 30 s."""
    for wait in (1, 2, 4, 8, 16, 30, 30):
        outage.failed(outage.claim(), "silence")
        clock.advance(wait - 0.01)
        assert not outage.due()
        clock.advance(0.01)
        assert outage.due()


def test_an_answer_resets_the_wait(outage: Outage, clock: FrozenClock) -> None:
    """After a recovery the next outage begins with the shortest wait again."""
    outage.failed(outage.claim(), "silence")
    clock.advance(1)
    outage.failed(outage.claim(), "silence")
    assert outage.answered()
    assert not outage.answered()

    outage.failed(outage.claim(), "silence")
    clock.advance(1)

    assert outage.due()


def test_failures_side_by_side_count_once(outage: Outage, clock: FrozenClock) -> None:
    """Ten requests that hang together make one wait of a second, not ten doublings."""
    turns = [outage.claim() for _ in range(10)]

    for turn in turns:
        outage.failed(turn, "silence")
    clock.advance(1)

    assert outage.due()


def test_a_failure_from_before_the_recovery_is_no_new_outage(outage: Outage, clock: FrozenClock) -> None:
    """A request that was sent before the registry came back does not speak of now."""
    slow, quick = outage.claim(), outage.claim()
    outage.failed(quick, "silence")
    clock.advance(1)
    outage.claim()
    outage.answered()

    outage.failed(slow, "silence")

    assert not outage.down


def test_one_caller_at_a_time_tries_while_down(outage: Outage, clock: FrozenClock) -> None:
    """While an attempt is under way, however long, everybody else is told that the registry is down."""
    outage.failed(outage.claim(), "connection refused")
    clock.advance(1)
    turn = outage.claim()
    clock.advance(3600)

    with pytest.raises(RegistryUnavailable, match=r"down for 3601\.0 s.*connection refused"):
        outage.claim()

    outage.given_up(turn)
    assert outage.claim() == turn


def test_staleness_counts_from_the_last_answer(outage: Outage, clock: FrozenClock) -> None:
    """It is the age of what is known, and nothing while the registry is up."""
    outage.answered()
    clock.advance(5)
    outage.failed(outage.claim(), "silence")
    clock.advance(2)

    assert outage.staleness() == 7.0


def test_staleness_counts_from_the_first_failure_if_nothing_ever_answered(outage: Outage, clock: FrozenClock) -> None:
    """Without an answer there is only the outage to count."""
    outage.failed(outage.claim(), "silence")
    clock.advance(2)

    assert outage.staleness() == 2.0
