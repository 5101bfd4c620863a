"""Collects the worklist of a caller."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import author_of
from services.registry.worklists.model import Item, Reader
from services.registry.worklists.schemas import Worklist, WorklistItem
from services.registry.worklists.sources import SOURCES
from shared.access.policy import Access, decide
from shared.access.principal import Principal
from shared.persistence import Reading
from shared.values.problems import ForbiddenError

# What has no day comes after what has one.
_LAST: Final = date.max


class WorklistService:
    """Worklists in one transaction."""

    def __init__(self, connection: Reading) -> None:
        self.connection = connection

    async def read(self, reader: Reader) -> Worklist:
        """Return what waits for a reader: what is due first comes first."""
        items = [item for source in SOURCES[reader.kind] for item in await source(self.connection, reader)]
        items.sort(key=lambda one: (one.due or _LAST, one.since, one.kind, one.subject))
        names = await self._names(items)
        return Worklist(day=reader.today, items=[WorklistItem.of(one, reader.today, names) for one in items])

    async def _names(self, items: Iterable[Item]) -> dict[str, str]:
        """Return the preferred numbers of the trials of items, by key."""
        heads = await TrialRepository(self.connection).heads({one.trial for one in items if one.trial})
        return {key: head.identifier for key, head in heads.items()}


def reader_id(access: Access) -> str:
    """Return the id for which a caller reads its worklist; empty: the coordination.

    :raises ForbiddenError: 403, the organisation of a centre names no centre.
    """
    caller = access.principal
    if access.rows == "all":
        return ""
    of = caller.centre if caller.kind == "centre" else caller.organisation
    if not of:
        raise ForbiddenError
    return of


def signs_as(principal: Principal) -> str:
    """Return the author as whom a caller may sign criteria; empty: it may not."""
    return author_of(principal).name if decide(principal, "write", "trial") is not None else ""
