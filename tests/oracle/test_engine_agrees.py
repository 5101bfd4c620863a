"""Compare the engine with the oracle: every verdict of every day, every state, every date."""

import json
from datetime import timedelta

import pytest

from tests.oracle.by_hand import case as case_of
from tests.oracle.engine import asked_of_the_engine
from tests.oracle.generator import build
from tests.oracle.oracle import cohort_compatible, cohort_open, criteria_of, criterion_states, listing
from tests.oracle.spans import clears_on, trial

OPEN_VERDICTS = ("compatible", "possible")
SOME_DAYS = (
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    10,
    11,
    14,
    20,
    21,
    28,
    29,
    30,
    31,
    32,
    40,
    41,
    45,
    60,
    61,
    89,
    90,
    91,
    92,
    120,
    150,
    151,
    200,
    201,
    250,
    300,
    365,
    366,
    400,
    500,
    730,
)


def verdicts_on(timeline, day):
    return [
        interval.verdict
        for interval in timeline
        if interval.start <= day and (interval.until is None or day < interval.until)
    ]


def differences(seed):
    """Return (number of verdicts compared, differences) for one generated pair."""
    document, patient, dosing_date = build(seed)
    return compare(document, patient, dosing_date, {"1", "b"} if seed % 5 == 0 else None)


def compare(document, patient, dosing_date=None, recruiting=None):
    engine = asked_of_the_engine(document, patient, dosing_date, recruiting)
    case = case_of(document, patient, dosing_date=dosing_date)
    found, compared = [], 1

    def same(what, ours, theirs):
        if ours != theirs:
            found.append(f"{what}: oracle {ours}, engine {theirs}")

    oracle = trial(case, 1, recruiting)
    same("listing", oracle["listing"], engine.listing)
    if oracle["listing"] != "listed" or engine.listing != "listed":
        return compared, found
    found += differing_states(case, engine)
    same("best", oracle["best"]["cohort"], engine.best.id)
    theirs = {cohort.id: cohort for cohort in engine.cohorts}
    days = len(oracle["timeline"])
    for cohort in oracle["cohorts"]:
        answer = theirs[cohort["cohort"]]
        same(f"verdict of {answer.id}", cohort["verdict"], answer.verdict)
        same(f"from of {answer.id}", cohort["from"], answer.start)
        for name in ("until", "refer_before", "retest"):
            same(f"{name} of {answer.id}", cohort[name], getattr(answer, name))
        criteria = {criterion.id: criterion for criterion in engine.criteria}
        for criterion in criteria_of(document, cohort["cohort"]):
            same(
                f"clears_on of {criterion['id']}",
                clears_on(criterion, cohort["span"]),
                criteria[criterion["id"]].clears_on,
            )
        compared += each_day(f"cohort {answer.id}", cohort["span"].verdicts(days), answer.timeline, case.as_of, found)
    for name, theirs_of_trial in (("from", engine.dates.start), ("until", engine.dates.until)):
        same(f"{name} of the trial", oracle[name], theirs_of_trial)
    same("refer_before of the trial", oracle["refer_before"], engine.dates.refer_before)
    compared += each_day("trial", oracle["timeline"], engine.dates.timeline, case.as_of, found)
    return compared, found


def each_day(what, verdicts, timeline, as_of, found):
    """Compare a verdict of each day with a timeline; return how many were compared."""
    for number, verdict in enumerate(verdicts):
        by_engine = verdicts_on(timeline, as_of + timedelta(days=number))
        if by_engine != [verdict]:
            found.append(f"{what} on {as_of + timedelta(days=number)}: oracle {verdict}, engine {by_engine}")
            return number + 1
    return len(verdicts)


def differing_states(case, engine):
    """Compare each criterion's state and reasons on `as_of`."""
    ours = {
        name: (now, reasons)
        for name, (now, _last_known, _best_case, reasons) in criterion_states(case, case.as_of).items()
    }
    theirs = {criterion.id: (criterion.state, set(criterion.reasons)) for criterion in engine.criteria}
    if list(ours) != list(theirs):
        return [f"criteria: oracle {list(ours)}, engine {list(theirs)}"]
    differ = [name for name in ours if ours[name] != theirs[name]]
    return [f"criterion {name}: oracle {ours[name]}, engine {theirs[name]}" for name in differ]


def differences_on_some_days(seed):
    """Compare one generated pair on some days."""
    document, patient, dosing_date = build(seed)
    return some_days(document, patient, dosing_date)


def some_days(document, patient, dosing_date=None):
    """Compare without looking ahead: the listing, the criteria on `as_of`, and on some days whether each cohort is
    compatible, possible or neither.
    """
    engine = asked_of_the_engine(document, patient, dosing_date, None)
    case = case_of(document, patient, dosing_date=dosing_date)
    if engine.listing != listing(case):
        return 1, [f"listing: oracle {listing(case)}, engine {engine.listing}"]
    if engine.listing != "listed":
        return 1, []
    compared, found = 0, differing_states(case, engine)
    for cohort in engine.cohorts:
        for number in SOME_DAYS:
            day = case.as_of + timedelta(days=number)
            by_engine = verdicts_on(cohort.timeline, day)
            compared += 1
            if by_engine[0] not in OPEN_VERDICTS:
                by_engine = ["closed"]
            ours = "closed"
            if cohort_open(case, cohort.id, day):
                ours = "compatible" if cohort_compatible(case, cohort.id, day) else "possible"
            if by_engine != [ours]:
                found.append(f"cohort {cohort.id} on {day}: oracle {ours}, engine {by_engine}")
                break
    return compared, found


def describe(seed, found):
    document, patient, dosing_date = build(seed)
    lines = [
        f"seed {seed}",
        *found,
        json.dumps(document["criteria"]),
        json.dumps({**document, "criteria": []}),
        json.dumps(patient),
        f"dosing {dosing_date}",
    ]
    return "\n".join(lines)


def check(compare_one, seeds, at_least):
    """Compare each pair; ``at_least`` so many verdicts must have been compared, so that none is skipped."""
    answers = {seed: compare_one(seed) for seed in seeds}
    different = {seed: found for seed, (_compared, found) in answers.items() if found}
    assert not different, "\n\n".join(
        [f"{len(different)} pairs differ"] + [describe(seed, found) for seed, found in list(different.items())[:5]]
    )
    assert sum(compared for compared, _found in answers.values()) >= at_least


# Each case is a unit of work by itself (tests/scheduling.py). The long versions compare 1,100 and 500,000 more pairs.
@pytest.mark.parametrize("first", range(0, 20, 10))
def test_engine_and_oracle_agree_on_every_day_of_the_generated_pairs(first):
    check(differences, range(first, first + 10), 5_000)


@pytest.mark.parametrize("first", range(200, 1_200, 250))
def test_engine_and_oracle_agree_on_some_days_of_many_more_pairs(first):
    check(differences_on_some_days, range(first, first + 250), 6_250)


@pytest.mark.full
@pytest.mark.parametrize("first", [*range(20, 180, 40), *range(10_000, 11_000, 40)])
def test_engine_and_oracle_agree_on_every_day_of_many_more(first):
    check(differences, range(first, first + 40), 20_000)


@pytest.mark.full
@pytest.mark.parametrize("first", [*range(1_200, 10_000, 2_500), *range(11_000, 513_500, 2_500)])
def test_engine_and_oracle_agree_on_some_days_of_very_many_pairs(first):
    check(differences_on_some_days, range(first, first + 2_500), 50_000)
