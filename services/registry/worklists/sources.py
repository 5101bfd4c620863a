"""Where the items of worklists come from: for each kind of reader a list of functions. A feature adds its own here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from services.registry.criteria_proposals.repository import ProposalRepository
from services.registry.review.model import Narrowing
from services.registry.review.repository import ReviewRepository
from services.registry.worklists import due_items, referral_items
from services.registry.worklists.model import Item, Reader, ReaderKind
from shared.persistence import Reading

MOST: Final = 200
Source = Callable[[Reading, Reader], Awaitable[list[Item]]]


async def reviews(connection: Reading, reader: Reader) -> list[Item]:
    """Return how many items of each kind wait in the review queue."""
    counts = await ReviewRepository(connection).counts(Narrowing())
    link = "/registry/v1/reviews?kind="
    return [
        Item("reviews", f"reviews/{kind}", None, reader.today, f"{link}{kind}", count=count)
        for kind, count in sorted(counts.items())
    ]


async def criteria(connection: Reading, reader: Reader) -> list[Item]:
    """Return the proposed criteria that a person may sign: those of others."""
    if not reader.signs_as:
        return []
    found = await ProposalRepository(connection).waiting(reader.signs_as, MOST)
    return [
        Item(
            "criteria_to_sign",
            f"criteria_proposal/{one.trial}/{one.number}",
            None,
            one.at.date(),
            f"/registry/v1/trials/{one.trial}/criteria/proposals/{one.number}",
            one.trial,
        )
        for one in found
    ]


SOURCES: Final[Mapping[ReaderKind, tuple[Source, ...]]] = {
    "hospital": (referral_items.of_hospital,),
    "centre": (referral_items.of_centre, due_items.of_centre),
    "sponsor": (due_items.of_sponsor,),
    "coordination": (referral_items.overdue, criteria, reviews),
}
