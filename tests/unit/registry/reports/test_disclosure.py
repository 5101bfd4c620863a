import random

from services.registry.reports.disclosure import bucket_of, noisy_bucket, suppressed

SECRET = b"of the tests"


def test_buckets() -> None:
    assert [bucket_of(count) for count in (0, 10, 11, 20, 21, 50, 51, 100, 101, 250, 251)] == [
        "<11", "<11", "11-20", "11-20", "21-50", "21-50", "51-100", "51-100", "101-250", "101-250", ">250",
    ]  # fmt: skip


def test_a_small_count_cannot_be_subtracted_from_the_sums() -> None:
    """The 3 alone hidden would be the sum of its row less the others: a second count goes with it, in both ways."""
    shown = suppressed([[3, 40, 50], [60, 70, 80], [90, 100, 110]])
    assert shown == [[None, None, 50], [None, None, 80], [90, 100, 110]]


def test_zero_is_shown_and_large_tables_stay() -> None:
    assert suppressed([[0, 12], [13, 0]]) == [[0, 12], [13, 0]]


def test_asking_again_brings_nothing_new() -> None:
    query = {"trial": "CL00000012", "state": "dosed"}
    assert len({noisy_bucket(10, query, SECRET) for _ in range(1000)}) == 1
    assert noisy_bucket(10, dict(reversed(query.items())), SECRET) == noisy_bucket(10, query, SECRET)


def test_attacks_by_differencing_reveal_nothing() -> None:
    """The attacker asks for a group with and without one patient, at the edge of a bucket, where suppression fails.

    Without noise it is right each time; with it, little better than a coin (0.54 in 20,000 attacks).
    """
    dice = random.Random(7)
    order = [bucket_of(count) for count in (0, 11, 21, 51, 101, 251)]
    right = plain = 0
    attacks = 4000
    for number in range(attacks):
        member, secret = dice.random() < 0.5, dice.randbytes(16)
        count = dice.choice((10, 20, 50, 100, 250))
        group, without = {"query": number, "age": "all"}, {"query": number, "age": "not 7"}
        more = order.index(noisy_bucket(count + member, group, secret)) - order.index(
            noisy_bucket(count, without, secret)
        )
        right += (more > 0 if more else dice.random() < 0.5) == member
        plain += (bucket_of(count + member) != bucket_of(count)) == member
    assert plain == attacks
    assert right < 0.58 * attacks
