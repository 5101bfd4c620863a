"""Token buckets compared with a plain simulation, and the memory they may take."""

from hypothesis import given
from hypothesis import strategies as st

from shared.http.limits.buckets import Buckets, Quota


class Simulated:
    """A simulated bucket: tokens are added over time, up to its size."""

    def __init__(self, quota: Quota) -> None:
        self.quota, self.tokens, self.at = quota, float(quota.requests), 0.0

    def take(self, now: float) -> bool:
        self.tokens = min(self.quota.requests, self.tokens + (now - self.at) / self.quota.interval)
        self.at = now
        if self.tokens < 1 - 1e-6:
            return False
        self.tokens -= 1
        return True


# Moments are whole thousandths, so that no rounding decides.
@given(st.integers(1, 50), st.integers(1, 120), st.lists(st.integers(0, 40_000), max_size=200))
def test_a_bucket_gives_what_a_simulated_one_gives(requests: int, window: int, gaps: list[int]) -> None:
    quota = Quota(requests, window)
    buckets, simulated, now = Buckets(), Simulated(quota), 0.0
    for gap in gaps:
        now += gap / 1000
        level = buckets.take("one", quota, now)
        assert level.taken == simulated.take(now)
        assert (
            level.left == (int(simulated.tokens + 1e-3) if level.taken else 0)
            or abs(simulated.tokens - round(simulated.tokens)) < 1e-3
        )
        assert level.seconds >= 1
        if not level.taken:
            # A caller that waits as stated is served.
            assert buckets.take("one", quota, now + level.seconds).taken
            simulated.take(now + level.seconds)
            now += level.seconds


def test_a_burst_and_then_the_steady_rate() -> None:
    buckets, quota = Buckets(), Quota(60, 60)
    assert [buckets.take("a", quota, 0.0).left for _ in range(60)] == list(range(59, -1, -1))
    refused = buckets.take("a", quota, 0.0)
    assert (refused.taken, refused.left, refused.seconds) == (False, 0, 1)
    assert buckets.take("b", quota, 0.0).taken, "a caller has its own"
    assert [buckets.take("a", quota, 2.0).taken for _ in range(3)] == [True, True, False]


def test_ever_new_addresses_take_no_more_memory() -> None:
    buckets, quota = Buckets(most=1_000), Quota(10, 60)
    for number in range(50_000):
        buckets.take(number, quota, number / 10_000)
        assert len(buckets) <= 1_000


def test_buckets_that_are_full_again_are_dropped() -> None:
    buckets, quota = Buckets(), Quota(10, 60)
    for number in range(1_000):
        buckets.take(number, quota, 0.0)
    for number in range(1_000):
        buckets.take("late", quota, 100.0 + number * 10)
    assert len(buckets) == 1


def test_a_request_may_cost_several_units() -> None:
    buckets, quota = Buckets(), Quota(60, 60)
    assert buckets.take("a", quota, 0.0, 50).left == 10
    refused = buckets.take("a", quota, 0.0, 20)
    assert (refused.taken, refused.left, refused.seconds) == (False, 10, 10)
    assert buckets.take("a", quota, 0.0, 10).taken, "cheaper requests are still served"
    assert buckets.take("a", quota, 20.0, 20).taken


def test_a_request_that_costs_more_than_a_whole_quota_needs_a_full_bucket() -> None:
    buckets, quota = Buckets(), Quota(60, 60)
    assert buckets.take("a", quota, 0.0, 1_000).taken
    assert not buckets.take("a", quota, 59.0, 1_000).taken
    assert buckets.take("a", quota, 60.0, 1_000).taken


def test_later_charges_may_be_more_than_is_left_and_are_paid_back_by_waiting() -> None:
    buckets, quota = Buckets(), Quota(60, 60)
    buckets.take("a", quota, 0.0)
    charged = buckets.charge("a", quota, 0.0, 80)
    assert (charged.left, charged.seconds) == (0, 22)
    assert not buckets.take("a", quota, 21.0).taken
    assert buckets.take("a", quota, 22.0).taken
    buckets.charge("b", quota, 0.0, 100_000)
    assert buckets.take("b", quota, 61.0).taken, "the debt is at most one whole quota"
