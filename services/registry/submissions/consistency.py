"""What in a dossier contradicts itself, its dates or the law. Pure."""

import json
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final, TypeAlias

from services.registry.model.trial import Milestone
from services.registry.submissions.content import SubmissionContent, SubmissionTrial
from services.registry.terminology.phrases import normalise
from shared.criteria.durations import parse
from shared.vocabulary.durations import in_months
from shared.vocabulary.recruitment import is_open

# The end of the transition to Regulation (EU) 536/2014.
CTR_ALONE: Final = date(2025, 1, 31)
_FIRST: Final = frozenset({None, "early-phase-1", "phase-1", "phase-1-phase-2", "n-a"})
_STAGES: Final = ("first_posted", "start", "primary_completion", "completion")
# A code of `findings.json`, and where it was found.
Found: TypeAlias = tuple[str, str]


def inconsistencies(content: SubmissionContent, today: date) -> Iterator[Found]:
    """Yield what is inconsistent: codes and JSON Pointers into the content."""
    trial = content.trial
    yield from _ages(trial)
    yield from _sex(trial)
    yield from _dates(trial, today)
    yield from _law(content, today)
    yield from _recruitment(content, today)
    yield from _kind(content)
    for place, one in enumerate(content.attachments):
        if one.url is None and one.reference is None:
            yield "attachment_without_place", f"/attachments/{place}"


def _ages(trial: SubmissionTrial) -> Iterator[Found]:
    low, high = trial.eligibility.minimum_age, trial.eligibility.maximum_age
    if low is not None and high is not None and _months(low) > _months(high):
        yield "ages_reversed", "/trial/eligibility/maximum_age"


def _months(age: str) -> Fraction:
    span = parse(age)
    return in_months(span.months, span.days)


def _sex(trial: SubmissionTrial) -> Iterator[Found]:
    sex = trial.eligibility.sex
    texts = [f" {normalise(one.text)}" for one in trial.conditions if one.role == "target"]
    affected = {only for only, words in _one_sex().items() for word in words if any(word in text for text in texts)}
    if sex in {"male", "female"} and affected == {"female" if sex == "male" else "male"}:
        yield "sex_and_condition", "/trial/eligibility/sex"
    elif sex == "all" and len(affected) == 1:
        yield "women_and_men_and_condition", "/trial/eligibility/sex"


def _dates(trial: SubmissionTrial, today: date) -> Iterator[Found]:
    given = [(name, one) for name in _STAGES if (one := getattr(trial.dates, name)) is not None]
    for name, one in given:
        if one.type == "actual" and _is_after(one, today):
            yield "actual_date_in_future", f"/trial/dates/{name}"
    # A trial may be registered after its start.
    for (_, earlier), (name, later) in pairwise(one for one in given if one[0] != "first_posted"):
        precision = min(len(earlier.date), len(later.date))
        if earlier.date[:precision] > later.date[:precision]:
            yield "dates_out_of_order", f"/trial/dates/{name}"


def _law(content: SubmissionContent, today: date) -> Iterator[Found]:
    trial = content.trial
    advanced = trial.product.atmp_class is not None and trial.study_type in {None, "interventional"}
    if advanced and content.regulation not in {None, "REG536"} and today > CTR_ALONE:
        yield "atmp_not_under_ctr", "/regulation"
    kinds = {one.type for one in trial.identifiers}
    in_france = "FR" in trial.countries and is_open(trial.status)
    if in_france and "eudract" in kinds and "euct" not in kinds and today > CTR_ALONE:
        yield "eudract_only", "/trial/identifiers"


def _recruitment(content: SubmissionContent, today: date) -> Iterator[Found]:
    trial, ethics = content.trial, content.registration.ethics
    if ethics is not None and ethics.on is not None and ethics.on > today:
        yield "ethics_in_future", "/registration/ethics/on"
    if trial.countries and "FR" not in trial.countries:
        yield "not_in_france", "/trial/countries"
    if not is_open(trial.status):
        return
    if trial.dates.start is not None and _is_after(trial.dates.start, today):
        yield "recruiting_before_start", "/trial/dates/start"
    if ethics is not None and ethics.status in {"submitted", "refused"}:
        yield "recruiting_without_ethics", "/registration/ethics/status"


def _kind(content: SubmissionContent) -> Iterator[Found]:
    trial = content.trial
    if content.first_in_human and trial.phase not in _FIRST:
        yield "first_in_human_late_phase", "/first_in_human"
    if trial.study_type == "observational" and trial.phase not in {None, "n-a"}:
        yield "phase_of_observational", "/trial/phase"
    if trial.product.atmp_class is not None and trial.eligibility.healthy_volunteers:
        yield "healthy_volunteers", "/trial/eligibility/healthy_volunteers"


def _is_after(one: Milestone, today: date) -> bool:
    return one.date > today.isoformat()[: len(one.date)]


@cache
def _one_sex() -> dict[str, list[str]]:
    text = (resources.files("services.registry.submissions") / "one_sex.json").read_text("utf-8")
    return {sex: [f" {normalise(word)}" for word in words] for sex, words in json.loads(text).items()}
