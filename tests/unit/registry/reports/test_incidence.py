from services.registry.reports.incidence import Case, Point, clocks


def test_with_one_event_and_no_open_case_it_is_the_share_of_cases() -> None:
    clock = clocks([Case(1, "answer"), Case(2, "answer"), Case(2, "answer"), Case(9, "answer")], ["answer"])["answer"]
    assert clock.curve == (Point(1, 0.25), Point(2, 0.75), Point(9, 1.0))
    assert (clock.median, clock.share_within(2), clock.share_within(0)) == (2, 0.75, 0.0)


def test_open_cases_are_counted_until_now() -> None:
    """By hand: 10 cases. Day 5: 2 of 10 dosed. Day 6: 4 go on waiting, no longer observed. Day 8: 1 of 4 dosed."""
    cases = [*[Case(5, "dosing")] * 2, *[Case(6, None)] * 4, Case(8, "dosing"), *[Case(20, None)] * 3]
    clock = clocks(cases, ["dosing"])["dosing"]
    assert [(day, round(share, 6)) for day, share in clock.curve] == [(5, 0.2), (8, 0.4)]
    assert (clock.ended, clock.otherwise, clock.open, clock.median) == (3, 0, 7, None)


def test_who_died_is_not_dropped_nor_counted_as_still_waiting() -> None:
    """Half died before dosing: at most half can be dosed, and the median of the dosed alone would say 10 days."""
    cases = [*[Case(10, "dosing")] * 5, *[Case(3, "died")] * 5]
    found = clocks(cases, ["dosing", "died"])
    assert [(day, round(share, 6)) for day, share in found["dosing"].curve] == [(10, 0.5)]
    assert [(day, round(share, 6)) for day, share in found["died"].curve] == [(3, 0.5)]
    assert found["dosing"].otherwise == 5


def test_the_shares_of_all_events_never_exceed_one() -> None:
    cases = [Case(day % 17, ("a", "b", None)[day % 3]) for day in range(300)]
    found = clocks(cases, ["a", "b"])
    assert found["a"].curve[-1].share + found["b"].curve[-1].share <= 1 + 1e-9


def test_without_cases_nothing_is_claimed() -> None:
    clock = clocks([], ["answer"])["answer"]
    assert (clock.cases, clock.median, clock.share_within(14)) == (0, None, None)
