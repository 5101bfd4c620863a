"""Where the items of worklists come from: for each kind of reader a list of functions. A feature adds its own here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from services.registry.review.model import Narrowing
from services.registry.review.repository import ReviewRepository
from services.registry.trials.sites.repository import SiteRepository
from services.registry.worklists import place_items, referral_items
from services.registry.worklists.model import Item, Reader, ReaderKind
from shared.persistence import Reading
from shared.vocabulary.durations import STALE_AFTER

Source = Callable[[Reading, Reader], Awaitable[list[Item]]]


async def stale_sites(connection: Reading, reader: Reader) -> list[Item]:
    """Return the sites of a centre whose declaration is 30 days old."""
    found = await SiteRepository(connection).stale_of(reader.id, reader.now - STALE_AFTER)
    return [
        Item(
            "stale_site",
            f"site/{trial}/{reader.id}",
            (confirmed + STALE_AFTER).date(),
            (confirmed + STALE_AFTER).date(),
            f"/registry/v1/trials/{trial}/sites",
            trial,
            reader.id,
        )
        for trial, confirmed in found
    ]


async def reviews(connection: Reading, reader: Reader) -> list[Item]:
    """Return how many items of each kind wait in the review queue."""
    counts = await ReviewRepository(connection).counts(Narrowing())
    link = "/registry/v1/reviews?kind="
    return [
        Item("reviews", f"reviews/{kind}", None, reader.today, f"{link}{kind}", count=count)
        for kind, count in sorted(counts.items())
    ]


SOURCES: Final[Mapping[ReaderKind, tuple[Source, ...]]] = {
    "hospital": (referral_items.of_hospital,),
    "centre": (referral_items.of_centre, place_items.of_centre, stale_sites),
    "sponsor": (place_items.of_sponsor,),
    "coordination": (referral_items.overdue, reviews),
}
