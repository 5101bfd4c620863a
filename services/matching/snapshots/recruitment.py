"""Which cohorts recruit in a country: a status is given for a trial, a place and a cohort. Pure."""

from collections.abc import Iterable

from services.matching.clients.documents import Site, Trial, TrialRecord
from shared.vocabulary.recruitment import CLOSED_STATUSES, is_open


def open_cohorts(record: TrialRecord, cohorts: Iterable[str], country: str) -> frozenset[str]:
    """Return those of ``cohorts`` (``all`` in a trial without any) that recruit in the country."""
    if not recruits_in(record.trial, record.sites, country):
        return frozenset()
    statuses = {cohort.id: cohort.status for cohort in record.trial.cohorts}
    return frozenset(cohort for cohort in cohorts if is_open(statuses.get(cohort) or "recruiting"))


def recruits_in(trial: Trial, sites: tuple[Site, ...], country: str) -> bool:
    """Return whether a member centre or another place in the country recruits.

    Without any place there, a recruiting trial that names the country does.
    """
    if trial.status in CLOSED_STATUSES:
        return False
    local = [status for where, status in trial.locations if where == country]
    if any(is_open(site.status) for site in sites) or any(is_open(status or trial.status) for status in local):
        return True
    return not sites and not local and country in trial.countries and is_open(trial.status)
