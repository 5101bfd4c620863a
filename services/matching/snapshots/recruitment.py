"""Which cohorts recruit in France: status is per trial, country, site and cohort. Pure."""

from collections.abc import Iterable

from services.matching.clients.documents import Site, Trial, TrialRecord
from shared.vocabulary.recruitment import CLOSED_STATUSES, is_open


def open_cohorts(record: TrialRecord, cohorts: Iterable[str]) -> frozenset[str]:
    """Those of ``cohorts`` (``all`` in a trial without any) that recruit in France."""
    if not recruits_in_france(record.trial, record.sites):
        return frozenset()
    statuses = {cohort.id: cohort.status for cohort in record.trial.cohorts}
    return frozenset(cohort for cohort in cohorts if is_open(statuses.get(cohort) or "recruiting"))


def recruits_in_france(trial: Trial, sites: tuple[Site, ...]) -> bool:
    """A member centre or another French place recruits; where none is named, a trial that names France does."""
    if trial.status in CLOSED_STATUSES:
        return False
    if any(is_open(site.status) for site in sites) or any(is_open(status or trial.status) for status in trial.french):
        return True
    return not sites and not trial.french and trial.in_france and is_open(trial.status)
