"""Items of worklists from places, sites and feasibility."""

from datetime import date, timedelta
from typing import Final

from services.registry.worklists.model import Item, Reader
from services.registry.worklists.repository import Due, DueRepository
from shared.persistence import Reading
from shared.vocabulary.durations import STALE_AFTER

# How early the end of a held place is shown.
AHEAD: Final = timedelta(days=7)
CAPABILITIES_AHEAD: Final = timedelta(days=90)
_API: Final = "/registry/v1"


async def of_centre(connection: Reading, reader: Reader) -> list[Item]:
    """Return what a centre has to do about places, sites and feasibility."""
    limits = (reader.now + AHEAD, reader.now - STALE_AFTER, reader.today + CAPABILITIES_AHEAD)
    found = await DueRepository(connection).of_centre(reader.id, *limits)
    return [_item(one, reader) for one in found]


async def of_sponsor(connection: Reading, reader: Reader) -> list[Item]:
    """Return places to decide on or to assign, and staggered cohorts to release, in the trials of a sponsor."""
    return [_item(one, reader) for one in await DueRepository(connection).of_owner(reader.id)]


def _item(one: Due, reader: Reader) -> Item:
    due = _day(one)
    since = due if one.kind == "stale_site" and due is not None else reader.today
    subject, path = _subject(one, reader)
    return Item(one.kind, subject, due, since, f"{_API}/{path}", one.trial, one.centre)


def _day(one: Due) -> date | None:
    if one.at is not None:
        return (one.at + (STALE_AFTER if one.kind == "stale_site" else timedelta())).date()
    return one.day and one.day + timedelta(days=one.days or 0)


def _subject(one: Due, reader: Reader) -> tuple[str, str]:
    """Return the subject of an item, and the path to read."""
    if one.kind == "stale_site":
        return f"site/{one.trial}/{one.centre}", f"trials/{one.trial}/sites"
    if one.kind == "feasibility_to_answer":
        return f"feasibility/{one.name}/{one.centre}", f"feasibility/{one.name}/{one.centre}"
    if one.kind == "capability_expiring":
        return f"capability/{one.centre}/{one.name}", f"centres/{one.centre}/capabilities"
    if reader.kind == "centre" and one.kind in {"expiring_place", "place_decision"}:
        return f"place/{one.name}", f"referrals/{one.name}"
    if one.centre is None:
        return f"enrolment/{one.trial}/{one.name}", f"trials/{one.trial}/enrolment"
    return (
        f"enrolment/{one.trial}/{one.centre}/{one.name}",
        f"trials/{one.trial}/sites/{one.centre}/enrolment/{one.name}/places",
    )
