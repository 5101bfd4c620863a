"""Which cohorts recruit in France: status is per trial, country, site and cohort. Pure."""

from collections.abc import Iterable

from services.matching.clients.documents import Site, Trial, TrialRecord

OPEN = frozenset({"recruiting", "enrolling_by_invitation", "available"})
# Nobody is taken into these anywhere, whatever a place still says.
OVER = frozenset(
    {
        "in_review",
        "active_not_recruiting",
        "suspended",
        "completed",
        "terminated",
        "withdrawn",
        "refused",
        "expired",
        "no_longer_available",
    }
)


def open_cohorts(record: TrialRecord, cohorts: Iterable[str]) -> frozenset[str]:
    """Those of ``cohorts`` (``all`` in a trial without any) that recruit in France."""
    if not recruits_in_france(record.trial, record.sites):
        return frozenset()
    statuses = {cohort.id: cohort.status for cohort in record.trial.cohorts}
    return frozenset(cohort for cohort in cohorts if (statuses.get(cohort) or "recruiting") in OPEN)


def recruits_in_france(trial: Trial, sites: tuple[Site, ...]) -> bool:
    """A member centre or another French place recruits; where none is named, a trial that names France does."""
    if trial.status in OVER:
        return False
    if any(site.status in OPEN for site in sites) or any((status or trial.status) in OPEN for status in trial.french):
        return True
    return not sites and not trial.french and trial.in_france and trial.status in OPEN
