"""Whether a trial and its cohorts recruit in a country: a status is given for a trial, a place and a cohort. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from services.matching.clients.documents import TrialRecord
from shared.vocabulary.geography import country_of
from shared.vocabulary.recruitment import CLOSED_STATUSES, is_open

Recruitment = Literal["open", "not_yet_open", "not_in_country", "closed", "unknown"]
_EXPECTED = frozenset({"in_review", "not_yet_recruiting"})
_ENDED = CLOSED_STATUSES - _EXPECTED


def recruitment_of(record: TrialRecord, cohorts: Iterable[str], country: str) -> Mapping[str, Recruitment]:
    """Return the recruitment of each of ``cohorts`` (``all`` in a trial without any) in the country."""
    trial = recruitment_in(record, country)
    statuses = {cohort.id: cohort.status for cohort in record.trial.cohorts}
    return {cohort: _of_cohort(trial, statuses.get(cohort)) for cohort in cohorts}


def recruitment_in(record: TrialRecord, country: str) -> Recruitment:
    """Return the recruitment of a trial in the country.

    ``open``: a member centre or another place in the country recruits; without any place there, a recruiting trial
    that names the country. ``not_in_country``: it recruits, or will, but not there. ``closed``: it recruits nowhere.
    ``unknown``: the status, or where the trial takes place, is not known.
    """
    trial = record.trial
    if trial.status in _ENDED:
        return "closed"
    if trial.status == "in_review":
        return "not_yet_open"
    local = [site.status for site in record.sites]
    local += [status or trial.status for where, status in trial.locations if country_of(where) == country]
    if not local and country in map(country_of, trial.countries):
        local = [trial.status]
    if any(is_open(status) for status in local):
        return "open"
    if _EXPECTED & set(local):
        return "not_yet_open"
    if trial.status == "unknown" or "unknown" in local or not (local or trial.countries or trial.locations):
        return "unknown"
    return "not_in_country"


def _of_cohort(trial: Recruitment, status: str | None) -> Recruitment:
    if status in _ENDED:
        return "closed"
    if trial != "open" or status is None or is_open(status):
        return trial
    return "not_yet_open" if status in _EXPECTED else "unknown"
