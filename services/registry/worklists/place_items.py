"""Items of worklists from places."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.registry.worklists.model import Item, Reader
from services.registry.worklists.repository import PlaceDue, PlacesDueRepository
from shared.persistence import Reading

# How early the end of a held place is shown.
AHEAD: Final = timedelta(days=7)


async def of_centre(connection: Reading, reader: Reader) -> list[Item]:
    """Return places that expire, those to decide on, and free ones for which someone waits."""
    places = PlacesDueRepository(connection)
    expiring = await places.expiring(reader.id, reader.now + AHEAD)
    decisions, free = await places.decisions(centre=reader.id), await places.to_assign(centre=reader.id)
    return [
        *(_of_place("expiring_place", one, reader) for one in expiring),
        *(_of_place("place_decision", one, reader) for one in decisions),
        *(_of_cohort("place_to_assign", one, reader) for one in free),
    ]


async def of_sponsor(connection: Reading, reader: Reader) -> list[Item]:
    """Return places to decide on or to assign, and staggered cohorts to release, in the trials of a sponsor."""
    places = PlacesDueRepository(connection)
    # A sponsor sees cohorts, and no referral.
    decisions = {replace(one, referral=None) for one in await places.decisions(owner=reader.id)}
    return [
        *(_of_cohort("place_decision", one, reader) for one in decisions),
        *(_of_cohort("place_to_assign", one, reader) for one in await places.to_assign(owner=reader.id)),
        *(_of_cohort("release", one, reader) for one in await places.releases(reader.id)),
    ]


def _of_place(kind: str, one: PlaceDue, reader: Reader) -> Item:
    link = f"/registry/v1/referrals/{one.referral}"
    return Item(kind, f"place/{one.referral}", one.at, reader.today, link, one.trial, one.centre)


def _of_cohort(kind: str, one: PlaceDue, reader: Reader) -> Item:
    centre = f"/{one.centre}" if one.centre else ""
    subject = f"enrolment/{one.trial}{centre}/{one.cohort}"
    return Item(kind, subject, one.at, reader.today, _cohort_path(one), one.trial, one.centre)


def _cohort_path(one: PlaceDue) -> str:
    if one.centre is None:
        return f"/registry/v1/trials/{one.trial}/enrolment"
    return f"/registry/v1/trials/{one.trial}/sites/{one.centre}/enrolment/{one.cohort}/places"
