"""Referrals as each kind of reader gets them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from services.registry.enrolment.model import Place
from services.registry.referrals.model import AFTER_CONSENT, BEFORE_CONSENT, CHECK_AGAIN, Referral
from services.registry.referrals.repository import Party
from services.registry.referrals.schemas import (
    AccessClock,
    FileAddress,
    PatientAgreement,
    ReferralHead,
    ReferralPlace,
    ReferralStep,
    TrialConsent,
    last_day,
)
from services.registry.referrals.schemas import Referral as ReferralDocument
from services.registry.referrals.standing import View
from services.registry.steps.model import Step
from shared.values.wire import Label
from shared.values.working_days import working_days

CLOCKS: Final = {
    "answer": frozenset({"accepted", "declined", "more_asked", "not_now"}),
    "contact": frozenset({"contacted"}),
    "pre_screening": frozenset({"pre_screened", "pre_screen_failure"}),
    "consent": frozenset({"consented"}),
    "inclusion": frozenset({"included"}),
    "collection": frozenset({"collection"}),
    "dosing": frozenset({"dosed"}),
}
_BEFORE_DOSING: Final = (BEFORE_CONSENT | AFTER_CONSENT) - {"dosed", "follow_up", "treatment_withdrawn"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document says beside the referral itself.

    ``trial``: the preferred number of the trial. ``mailbox``: of the centre. ``answer_days``: within which it answers.
    ``fellows``: references of the other referrals of the patient. ``place``: its own, or its wait for one.
    """

    trial: str
    today: date
    answer_days: int
    mailbox: str | None = None
    fellows: tuple[str, ...] = ()
    place: Place | None = None


def answer_due(state: str, since: date, days: int) -> date | None:
    """Return when the answer of the centre is due; None: it is not its turn."""
    return since + timedelta(days=days) if state == "sent" else None


def is_too_late(referral: Referral, state: str, today: date) -> bool:
    """Return whether a limit has passed before dosing."""
    request = referral.request
    limits = [request.dosing_limit, last_day(request.refer_before) if request.refer_before else None]
    return state in _BEFORE_DOSING and any(limit is not None and limit < today for limit in limits)


def head_of(referral: Referral, party: Party, around: Surroundings) -> ReferralHead:
    """Return a referral as it stands in a list."""
    return ReferralHead(**_head(referral, party, around))


def document_of(
    referral: Referral, view: View, party: Party, possible: Sequence[str], around: Surroundings
) -> ReferralDocument:
    """Return a referral with the steps of ``view``. The coordination gets states and dates only."""
    request, parties_only = referral.request, party.kind != "coordination"
    details: dict[str, Any] = {
        "patient_agreement": PatientAgreement(given=True, on=request.agreement.on, by=request.agreement.by),
        "minor": request.minor,
        "adult_on": request.adult_on,
        "dosing_limit": request.dosing_limit,
        "too_late": is_too_late(referral, view.state, around.today),
        "disclose_after_consent": request.disclosure_asked,
        "follows": referral.follows,
        "place": _place(around.place) if around.place and view.whole else None,
        "file": FileAddress(
            mailbox=around.mailbox,
            quote=(_expected if party.kind == "centre" else _to_send)(referral.reference, around.mailbox),
        ),
    }
    due = referral.standing.own_consent_due
    return ReferralDocument(
        **_head(referral, party, around),
        **(details if parties_only else dict.fromkeys(details)),
        own_consent_due=due is not None and due <= f"{around.today:%Y-%m}" if party.kind == "centre" else None,
        same_patient=list(around.fellows) if party.kind == "hospital" else None,
        steps=[_step(step, referral, with_details=parties_only) for step in view.steps],
        possible=list(possible),  # type: ignore[arg-type]
        clocks=list(clocks_of(view)),
    )


def clocks_of(view: View) -> Iterator[AccessClock]:
    """Yield the time from sending to the first step of each kind."""
    sent = view.steps[0].on or view.steps[0].at.date()
    for name, actions in CLOCKS.items():
        step = next((one for one in view.steps if one.action in actions), None)
        if step is not None and step.on is not None:
            yield AccessClock(
                to=name,  # type: ignore[arg-type]
                on=step.on,
                days=(step.on - sent).days,
                working_days=working_days(sent, step.on),
            )


def _head(referral: Referral, party: Party, around: Surroundings) -> dict[str, Any]:
    standing, of_hospital, parties_only = referral.standing, party.kind == "hospital", party.kind != "coordination"
    state = standing.hospital_state if of_hospital else standing.state
    since = standing.hospital_since if of_hospital else standing.since
    return {
        "reference": referral.reference,
        "version": standing.hospital_version if of_hospital else standing.version,
        "state": state,
        "since": since,
        "sent_at": referral.sent_at,
        "trial": around.trial,
        "trial_id": referral.trial,
        "centre": referral.centre,
        "hospital": referral.hospital if parties_only else None,
        "cohort": referral.request.cohort if parties_only else None,
        "urgency": referral.request.urgency if parties_only else None,
        "refer_before": referral.request.refer_before if parties_only else None,
        "answer_due": answer_due(state, since, around.answer_days),
        "ask_again_on": standing.ask_again_on if parties_only and state == "not_now" else None,
        "check_again": standing.hospital_check_again if of_hospital else standing.check_again,
    }


def _step(step: Step, referral: Referral, *, with_details: bool) -> ReferralStep:
    given = step.detail if with_details else {}
    consent = {name: given[name] for name in TrialConsent.model_fields if name in given}
    by = "hospital" if step.organisation == referral.hospital else "centre"
    return ReferralStep(
        action=step.action,  # type: ignore[arg-type]
        state=step.state,  # type: ignore[arg-type]
        on=step.on or step.at.date(),
        by="registry" if step.action == CHECK_AGAIN else by,  # type: ignore[arg-type]
        reason=step.reason if with_details or step.action == CHECK_AGAIN else None,
        items=given.get("items"),
        ask_again_on=_day(given.get("ask_again_on")),
        consent=TrialConsent(**consent) if consent else None,
        disclose=given.get("disclose"),
        out_of_specification=given.get("out_of_specification"),
        accepted_on=_day(given.get("accepted_on")),
        of=given.get("of"),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _place(place: Place) -> ReferralPlace:
    return ReferralPlace(
        state=place.state, position=place.position, expires_at=place.expires_at, too_late=place.too_late
    )


def _to_send(reference: str, mailbox: str | None) -> Label:
    """Return what the hospital has to do with the file of the patient."""
    to_fr = f"à {mailbox}" if mailbox else "à la boîte fonctionnelle du centre (demandez-la-lui)"
    to_en = f"to {mailbox}" if mailbox else "to the centre's organisational mailbox (ask the centre for it)"
    return Label(
        fr=f"Envoyez l'identité et le dossier du patient par MSSanté {to_fr}, avec la référence {reference}. "
        "N'envoyez ici ni nom ni numéro.",
        en=f"Send the identity and the file of the patient by MSSanté {to_en}, quoting {reference}. "
        "Send no name or number here.",
    )


def _expected(reference: str, mailbox: str | None) -> Label:
    """Return how the centre gets the file of the patient."""
    to_fr = (
        f"à {mailbox}" if mailbox else "à votre boîte fonctionnelle : elle n'est pas déclarée, donnez-la à l'hôpital"
    )
    to_en = f"to {mailbox}" if mailbox else "to your organisational mailbox: it is not stated, give it to the hospital"
    return Label(
        fr=f"L'hôpital vous envoie l'identité et le dossier du patient par MSSanté, avec la référence {reference}, "
        f"{to_fr}. N'écrivez ici ni nom ni numéro.",
        en=f"The hospital sends you the identity and the file of the patient by MSSanté, quoting {reference}, "
        f"{to_en}. Write no name or number here.",
    )
