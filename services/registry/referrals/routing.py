"""The feed entries of referrals: references, states and dates. Pure.

Hospital and centre get entries of their own: the version and the state in that of the hospital are those that it sees.
"""

from collections.abc import Iterator
from datetime import date

from services.registry.referrals.model import ANSWERS, CHECK_AGAIN, Referral, Standing
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Change, Routing


def changes_of(before: Standing | None, after: Referral, action: str, on: date) -> Iterator[Change]:
    """Yield the entries of a step. ``before``: where the referral stood; None: it was sent."""
    kind = _type_of(action)
    now = after.standing
    yield _change(kind, after, _inside(after), before is None, now.version, now.state, on)
    if before is None or now.hospital_version != before.hospital_version:
        yield _change(kind, after, _of_hospital(after), before is None, now.hospital_version, now.hospital_state, on)


def removal_of(referral: Referral) -> Change:
    """Return the tombstone of a referral that is deleted."""
    inside, hospital = _inside(referral), _of_hospital(referral)
    everyone = Routing(inside.audience | hospital.audience, inside.facets)
    version = referral.standing.hospital_version
    return Change("referral.updated", _subject(referral), version, everyone, NOT_VISIBLE)


def _type_of(action: str) -> str:
    if action in ANSWERS:
        return "referral.answered"
    return {"sent": "referral.sent", CHECK_AGAIN: "referral.check_again"}.get(action, "referral.updated")


def _change(kind: str, referral: Referral, side: Routing, is_new: bool, version: int, state: str, on: date) -> Change:
    before = NOT_VISIBLE if is_new else side
    extra = {"state": state, "on": on.isoformat()}
    return Change(kind, _subject(referral), version, before, side, ("steps",), extra)


def _subject(referral: Referral) -> str:
    return f"referral/{referral.reference}"


def _inside(referral: Referral) -> Routing:
    return Routing(frozenset({"coordination", f"centre:{referral.centre}"}), _facets(referral))


def _of_hospital(referral: Referral) -> Routing:
    return Routing(frozenset({f"organisation:{referral.hospital}"}), _facets(referral))


def _facets(referral: Referral) -> dict[str, frozenset[str]]:
    return {TRIAL_FACET: frozenset({referral.trial}), "centre": frozenset({referral.centre})}
