"""Whether a patient can be referred to a trial at a centre. Pure."""

from collections.abc import Sequence
from typing import Final

from services.registry.referrals.problems import NotReferableError
from services.registry.trials.model import StoredSite, StoredTrial
from services.registry.trials.problems import UnknownCohortError
from shared.values.problems import Fault
from shared.values.wire import Label
from shared.vocabulary.recruitment import CLOSED_STATUSES, is_open

_NOT_PUBLIC: Final = Label(
    fr="cet essai n'est pas publié dans ce registre", en="this trial is not published in this registry"
)


def check_open(trial: StoredTrial | None, sites: Sequence[StoredSite], centre: str, cohort: str | None) -> StoredTrial:
    """Return the trial if it takes patients at this centre. ``trial``: None: none is public.

    :raises NotReferableError: 409, says what is not open.
    :raises UnknownCohortError: 422.
    """
    if trial is None:
        raise _not_referable("/trial", "not_published", _NOT_PUBLIC)
    status = trial.trial.status
    if status in CLOSED_STATUSES:
        raise _closed("/trial", "trial_not_open", "l'essai", "the trial", status)
    site = next((one for one in sites if one.centre == centre), None)
    if site is None or not site.is_known or not is_open(site.status):
        raise _closed("/centre", "site_not_open", "le centre", "the centre", site.status if site else "unknown")
    if cohort is not None:
        known = {one.id: one.status for one in trial.trial.cohorts}
        if cohort not in known:
            fault = Fault(pointer="/cohort", code=UnknownCohortError.code, detail=UnknownCohortError.title)
            raise UnknownCohortError(errors=[fault])
        declared = {one.cohort: one.status for one in site.cohorts}
        own = declared.get(cohort) or known[cohort]
        if own is not None and not is_open(own):
            raise _closed("/cohort", "cohort_not_open", "la cohorte", "the cohort", own)
    return trial


def _closed(pointer: str, code: str, fr: str, en: str, status: str) -> NotReferableError:
    detail = Label(fr=f"{fr} ne recrute pas : {status}", en=f"{en} is not recruiting: {status}")
    return _not_referable(pointer, code, detail)


def _not_referable(pointer: str, code: str, detail: Label) -> NotReferableError:
    return NotReferableError(detail, errors=[Fault(pointer=pointer, code=code, detail=detail)])
