import pytest

from shared.http.limits.concurrency import ConcurrencyLimiter
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
