import pytest

from shared.http.limits import ConcurrencyLimiter
from shared.values.problems import OverloadedError


def test_a_place_is_given_up_for_the_next_stage_and_at_the_end() -> None:
    load = ConcurrencyLimiter(most_working=1, most_waiting=1)
    one, other = load.place(), load.place()
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
    load.place().take("waiting")
    with pytest.raises(OverloadedError):
        load.place().take("waiting")
    other.leave()
    load.place().take("working")
