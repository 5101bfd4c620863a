import pytest

from shared.http.limits.concurrency import ANONYMOUS, IDENTIFIED, SERVICE, ConcurrencyLimiter, Occupant, Stage
from shared.values.problems import OverloadedError


def test_a_permit_is_given_up_for_the_next_stage_and_at_the_end() -> None:
    limiter = ConcurrencyLimiter(max_working=1, max_waiting=1)
    one, other = limiter.permit(), limiter.permit()
    one.take("arriving")
    with pytest.raises(OverloadedError):
        other.take("arriving")
    one.take("working")
    other.take("arriving")
    with pytest.raises(OverloadedError):
        other.take("working")
    one.leave()
    one.leave()
    other.take("working")
    limiter.permit().take("waiting")
    with pytest.raises(OverloadedError):
        limiter.permit().take("waiting")
    other.leave()
    limiter.permit().take("working")


STAGES: list[Stage] = ["arriving", "working", "waiting"]


def entered(limiter: ConcurrencyLimiter, stage: Stage, occupant: Occupant) -> int:
    """How many requests enter until one is refused."""
    count = 0
    try:
        while True:
            limiter.permit(occupant).take(stage)
            count += 1
    except OverloadedError:
        return count


@pytest.mark.parametrize("stage", STAGES)
def test_part_of_each_stage_is_reserved(stage: Stage) -> None:
    limiter = ConcurrencyLimiter(max_working=100, max_waiting=100)
    assert entered(limiter, stage, ANONYMOUS) == 60
    assert entered(limiter, stage, IDENTIFIED) == 30
    assert entered(limiter, stage, SERVICE) == 10


@pytest.mark.parametrize(("stage", "most"), [("arriving", 25), ("working", 25), ("waiting", 3)])
def test_an_address_gets_a_part_of_what_anonymous_callers_get(stage: Stage, most: int) -> None:
    limiter = ConcurrencyLimiter(max_working=100, max_waiting=100)
    assert entered(limiter, stage, Occupant("anonymous", "192.0.2.1")) == most
    assert entered(limiter, stage, Occupant("anonymous", "192.0.2.2")) == most


def test_what_is_left_can_be_entered_again() -> None:
    limiter = ConcurrencyLimiter(max_working=4, max_waiting=4)
    one = Occupant("anonymous", "192.0.2.1")
    for _ in range(3):
        permit = limiter.permit(one)
        permit.take("arriving")
        with pytest.raises(OverloadedError):
            limiter.permit(one).take("arriving")
        permit.take("working")
        permit.leave()
    assert not limiter._addresses
