"""Follows the publication of dossiers and safety holds, in their transactions."""

from services.registry.feasibility.asking_again import ask_again
from services.registry.referrals.upkeep import mark_check_again
from services.registry.safety_holds.model import Hold
from services.registry.safety_holds.routing import HoldChange
from services.registry.submissions.publishing import Publication
from shared.persistence import Writing
from shared.values.clock import utc_now


async def follow_publication(connection: Writing, published: Publication) -> None:
    """Where an amendment changed the criteria, ask centres again and mark the open referrals of the trial."""
    if published.criteria_changed:
        await ask_again(connection, published.reference, utc_now())
        await mark_check_again(connection, published.trial_id, "criteria_changed", utc_now())


async def follow_hold(connection: Writing, trial: str, hold: Hold, change: HoldChange) -> None:
    """Mark the open referrals of a trial that are in the scope of a hold that begins or ends."""
    why = "safety_hold" if change == "imposed" else "hold_lifted"
    await mark_check_again(connection, trial, why, utc_now(), hold=hold.id)
