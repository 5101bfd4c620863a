"""What must be true before a referral is sent and before a step is recorded. Pure.

Which step needs which details is data: ``needs`` and ``may_have`` in ``steps.json``.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib import resources
from typing import Any, Final

from services.registry.referrals.codes import CODES, REASONS
from services.registry.referrals.model import Request
from services.registry.referrals.problems import AgreementRequiredError, BothHoldersRequiredError, OwnConsentDueError
from services.registry.referrals.schemas import DETAILS, ReferralInput, ReferralStepInput, TrialConsent
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_ASK_AGAIN_WITHIN: Final = timedelta(days=2 * 366)
_CHILDHOOD_YEARS: Final = 19
# What is done to the patient in the trial.
TRIAL_ACTS: Final = frozenset({"screening", "included", "collection", "conditioning", "dosed"})

_IN_FUTURE: Final = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")


def _details() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    rows = json.loads((resources.files(__package__) / "steps.json").read_text("utf-8"))
    return {row["action"]: (frozenset(row.get("needs", ())), frozenset(row.get("may_have", ()))) for row in rows}


NEEDED: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = _details()


def month_of(day: date) -> str:
    """Return the month of a day, ``YYYY-MM``."""
    return f"{day:%Y-%m}"


def check_request(given: ReferralInput, today: date) -> None:
    """Check what a hospital sends.

    :raises AgreementRequiredError: 422, the patient does not agree, or not in the form that the age needs.
    :raises InvalidBodyError: 422, a date or a month is impossible.
    """
    agreement = given.patient_agreement
    if not agreement.given:
        raise AgreementRequiredError(errors=[_fault("/patient_agreement/given", AgreementRequiredError)])
    wanted = {"one_holder", "both_holders", "representative"} if given.minor else {"patient", "representative"}
    if agreement.by not in wanted:
        detail = Label(
            fr=f"pour un {'mineur' if given.minor else 'majeur'} : {', '.join(sorted(wanted))}",
            en=f"for {'a minor' if given.minor else 'an adult'}: {', '.join(sorted(wanted))}",
        )
        raise AgreementRequiredError(errors=[Fault(pointer="/patient_agreement/by", code="of_age", detail=detail)])
    if faults := list(_faults_of_request(given, today)):
        raise InvalidBodyError(errors=faults)


def _faults_of_request(given: ReferralInput, today: date) -> Iterator[Fault]:
    if given.patient_agreement.on > today:
        yield Fault(pointer="/patient_agreement/on", code="in_the_future", detail=_IN_FUTURE)
    if given.adult_on is None:
        return
    if not given.minor:
        only = Label(fr="seulement pour un mineur", en="only of a minor")
        yield Fault(pointer="/adult_on", code="of_minor", detail=only)
    elif not month_of(today) <= given.adult_on <= f"{today.year + _CHILDHOOD_YEARS}-12":
        within = Label(
            fr="le mois des 18 ans d'un mineur : ce mois-ci au plus tôt, dans 19 ans au plus tard",
            en="the month in which a minor becomes 18: this month at the earliest, in 19 years at the latest",
        )
        yield Fault(pointer="/adult_on", code="impossible_month", detail=within)


def check_step(
    given: ReferralStepInput, request: Request, since: date, own_consent_due: str | None, today: date
) -> None:
    """Check details and dates of a step. ``since``: the day of the state until now, as the caller sees it.

    :raises InvalidBodyError: 422, with a fault for each field.
    :raises BothHoldersRequiredError: 422, one holder consents alone for a minor.
    :raises OwnConsentDueError: 409, the patient has come of age and has not consented.
    """
    if faults := [*_faults_of_details(given), *_faults_of_dates(given, since, today)]:
        raise InvalidBodyError(errors=faults)
    if given.action in TRIAL_ACTS and own_consent_due is not None and own_consent_due < month_of(given.on):
        raise OwnConsentDueError
    if given.consent is not None:
        _check_consent(given.consent, request, month_of(given.on))


def _faults_of_details(given: ReferralStepInput) -> Iterator[Fault]:
    needs, may_have = NEEDED[given.action]
    for name in DETAILS:
        is_given = getattr(given, name) is not None
        if name in needs and not is_given:
            missing = Label(fr="cette action demande ce champ", en="this action needs this field")
            yield Fault(pointer=f"/{name}", code="missing", detail=missing)
        elif is_given and name not in needs | may_have:
            unknown = Label(fr="cette action n'a pas ce champ", en="this action does not have this field")
            yield Fault(pointer=f"/{name}", code="not_of_this_action", detail=unknown)
    codes = CODES[REASONS[given.action]] if given.action in REASONS else {}
    if given.reason is not None and codes and given.reason not in codes:
        names = ", ".join(codes)
        allowed = Label(fr=f"codes de cette action : {names}", en=f"codes of this action: {names}")
        yield Fault(pointer="/reason", code="unknown_code", detail=allowed)


def _faults_of_dates(given: ReferralStepInput, since: date, today: date) -> Iterator[Fault]:
    if given.on > today:
        yield Fault(pointer="/on", code="in_the_future", detail=_IN_FUTURE)
    elif given.on < since:
        earlier = Label(
            fr=f"ne peut précéder l'étape d'avant, du {since}", en=f"cannot be before the step before, of {since}"
        )
        yield Fault(pointer="/on", code="before_the_step_before", detail=earlier)
    again = given.ask_again_on
    if again is not None and not given.on < again <= given.on + _ASK_AGAIN_WITHIN:
        within = Label(fr="après cette réponse, dans les deux ans", en="after this answer, within two years")
        yield Fault(pointer="/ask_again_on", code="impossible_date", detail=within)
    if given.accepted_on is not None and given.accepted_on > given.on:
        before = Label(fr="au plus tard le jour du transfert", en="not after the day of the transfer")
        yield Fault(pointer="/accepted_on", code="impossible_date", detail=before)


def _check_consent(consent: TrialConsent, request: Request, month: str) -> None:
    """Check who consents. In the month of the 18th birthday both forms are possible: the day is not known."""
    is_minor = request.minor and (request.adult_on is None or month <= request.adult_on)
    is_adult = not request.minor or (request.adult_on is not None and month >= request.adult_on)
    if (consent.by == "sole_authority") != (consent.sole_authority is not None):
        ground = Label(fr="avec by: sole_authority, et seulement alors", en="with by: sole_authority, and only then")
        raise InvalidBodyError(errors=[Fault(pointer="/consent/sole_authority", code="ground", detail=ground)])
    if is_adult and consent.by in {"patient", "representative"}:
        return
    if not is_minor:
        adult = Label(
            fr="un majeur consent lui-même : patient ou representative", en="an adult: patient or representative"
        )
        raise InvalidBodyError(errors=[Fault(pointer="/consent/by", code="own_consent", detail=adult)])
    if consent.by not in {"both_holders", "sole_authority"}:
        raise BothHoldersRequiredError(errors=[_fault("/consent/by", BothHoldersRequiredError)])
    if consent.assent is None:
        assent = Label(
            fr="l'assentiment du mineur, ou not_able s'il ne peut s'exprimer",
            en="the assent of the minor, or not_able if the minor cannot express it",
        )
        raise InvalidBodyError(errors=[Fault(pointer="/consent/assent", code="missing", detail=assent)])


def _fault(pointer: str, problem: type[InvalidBodyError]) -> Fault:
    return Fault(pointer=pointer, code=problem.code, detail=problem.title)


def detail_of(given: ReferralStepInput) -> dict[str, Any]:
    """Return the codes and dates of a step as they are stored."""
    found = given.model_dump(mode="json", include=set(DETAILS) - {"reason", "consent"}, exclude_none=True)
    return found | (given.consent.model_dump(mode="json", exclude_none=True) if given.consent else {})
