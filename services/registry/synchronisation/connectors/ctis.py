"""CTIS, the portal's own API: a search by page, the most recent first, and each trial by its number.

The search ends at 10,000 results. Dates of update are not in order throughout: hence the overlap.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from services.registry.synchronisation.connectors.dated import DatedConnector
from services.registry.synchronisation.connectors.fetching import line, members, parsed
from services.registry.synchronisation.model import Item, Page, Position, SourceError

BASE: Final = "https://euclinicaltrials.eu/ctis-public-api"
PAGE_SIZE: Final = 20
MOST: Final = 10_000
_NUMBER: Final = re.compile(r"\d{4}-5\d{5}-\d{2}(-\d{2})?")
_DAY: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})|(\d{4})-(\d{2})-(\d{2}).*")
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class CtisConnector(DatedConnector):
    """``at``: the number of the page, from 1: page 0 is empty without an error."""

    default_query: ClassVar[str] = (
        "gene therapy, cell therapy, advanced therapy, gene transfer, gene editing, CRISPR, adeno-associated,"
        " lentiviral, stem cell, stromal cells, tissue engineered, CAR-T"
    )

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:  # noqa: ARG002 - trials are read singly
        """Fetch a page of trials. Listing what changed ends at the first page with nothing recent."""
        number = position["at"] or 1
        asked = {
            "searchCriteria": {"containAny": self.query},
            "pagination": {"page": number, "size": PAGE_SIZE},
            "sort": {"property": "lastUpdated", "direction": "DESC"},
        }
        found = await self.fetcher.json("/search", body=asked)
        rows = members(found, "data")
        total = _total(found)
        if total is not None and total > MOST:
            raise SourceError("too_many_records", f"{total} results, {MOST} can be read: narrow the query")
        since = position["since"]
        recent = [row for row in rows if since is None or _latest(row) >= since]
        items = [item for row in recent if (item := await self._retrieve(row)) is not None]
        is_last = len(rows) < PAGE_SIZE or not recent
        return self.page(position, items, None if is_last else number + 1, total if since is None else None)

    async def record(self, source_id: str) -> Item | None:
        """Fetch one trial."""
        return await self._retrieve({"ctNumber": source_id}) if _NUMBER.fullmatch(source_id) else None

    async def _retrieve(self, row: Any) -> Item | None:
        """Fetch the trial of a row of the search. One that cannot be had affects only itself."""
        number = row.get("ctNumber") if isinstance(row, dict) else None
        if not isinstance(number, str) or not _NUMBER.fullmatch(number):
            return Item(None, line(row))
        try:
            answer = await self.fetcher.answer(f"/retrieve/{number}", passed=frozenset({_NOT_FOUND}))
            trial = parsed(answer.body) if answer.status != _NOT_FOUND else None
        except SourceError as fault:
            return Item(number, None, fault.code)
        if trial is None:
            return Item(number, None, "not_found")
        return Item(number, line({**row, **trial} if isinstance(trial, dict) else trial))


def _total(found: Mapping[str, Any]) -> int | None:
    pagination = found.get("pagination")
    total = pagination.get("totalRecords") if isinstance(pagination, dict) else None
    return total if isinstance(total, int) else None


def _latest(row: Any) -> str:
    """Return the later of the days of update and of publication; without one the row counts as recent."""
    days = [_iso(row.get(name)) for name in ("lastUpdated", "lastPublicationUpdate")] if isinstance(row, dict) else []
    return max((day for day in days if day is not None), default="9999-12-31")


def _iso(text: Any) -> str | None:
    found = _DAY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    return f"{found[3]}-{found[2]}-{found[1]}" if found[3] else f"{found[4]}-{found[5]}-{found[6]}"
