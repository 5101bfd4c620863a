"""Items of worklists from referrals. Pure, but for the reading of rows."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from services.registry.referrals.documents import answer_due
from services.registry.referrals.gates import month_of
from services.registry.referrals.model import BEFORE_CONSENT, Referral
from services.registry.referrals.repository import Party, ReferralRepository
from services.registry.referrals.schemas import last_day
from services.registry.worklists.model import Item, Reader
from shared.persistence import Reading

# How early a limit is shown.
AHEAD: Final = timedelta(days=60)
MOST: Final = 2_000


async def of_centre(connection: Reading, reader: Reader) -> list[Item]:
    """Return what a centre has to do about referrals."""
    found = await ReferralRepository(connection).open_of(Party("centre", reader.id), MOST)
    return [item for one in found for item in _of_centre(one, reader)]


async def of_hospital(connection: Reading, reader: Reader) -> list[Item]:
    """Return what a hospital has to do about its referrals."""
    found = await ReferralRepository(connection).open_of(Party("hospital", reader.id), MOST)
    return [item for one in found for item in _of_hospital(one, reader)]


async def overdue(connection: Reading, reader: Reader) -> list[Item]:
    """Return how many answers of each centre are overdue."""
    before = reader.today - timedelta(days=reader.answer_days)
    counts = await ReferralRepository(connection).overdue(before)
    return [
        Item(
            "overdue_answers",
            f"centre/{centre}",
            oldest + timedelta(days=reader.answer_days),
            oldest,
            f"/registry/v1/referrals?state=sent&centre={centre}",
            centre=centre,
            count=count,
        )
        for centre, count, oldest in counts
    ]


def _of_centre(referral: Referral, reader: Reader) -> Iterator[Item]:
    standing = referral.standing
    if due := answer_due(standing.state, standing.since, reader.answer_days):
        kind = "referral_completed" if standing.more_sent else "referral_to_answer"
        yield _item(kind, referral, due, standing.since)
    if standing.state in BEFORE_CONSENT:
        yield from _limits(referral, reader.today)
    month = standing.own_consent_due
    if month is not None and month <= month_of(reader.today):
        yield _item("own_consent", referral, last_day(month), date.fromisoformat(f"{month}-01"))
    if standing.check_again is not None:
        yield _item("referral_to_check", referral, None, standing.since)


def _limits(referral: Referral, today: date) -> Iterable[Item]:
    request, soon = referral.request, today + AHEAD
    month = last_day(request.refer_before) if request.refer_before else None
    for kind, limit in (("refer_before", month), ("dosing_limit", request.dosing_limit)):
        if limit is not None and limit <= soon:
            yield _item(kind, referral, limit, max(limit - AHEAD, referral.sent_at.date()))


def _of_hospital(referral: Referral, reader: Reader) -> Iterator[Item]:
    standing = referral.standing
    state, since = standing.hospital_state, standing.hospital_since
    if standing.to_inform:
        yield _item("patient_to_inform", referral, None, since)
    if state == "more_asked":
        yield _item("more_asked", referral, since + timedelta(days=reader.answer_days), since)
    if state == "not_now" and standing.ask_again_on is not None and standing.ask_again_on <= reader.today:
        yield _item("ask_again", referral, standing.ask_again_on, since)
    if standing.hospital_check_again is not None:
        yield _item("referral_to_check", referral, None, since)


def _item(kind: str, referral: Referral, due: date | None, since: date) -> Item:
    name = referral.reference
    return Item(kind, f"referral/{name}", due, since, f"/registry/v1/referrals/{name}", referral.trial, referral.centre)
