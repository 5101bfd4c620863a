"""ISRCTN, the XML API: it has no pages, so that periods of last editing are halved until each has few trials."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final

from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.registers import isrctn_record
from services.registry.synchronisation.connectors.dated import DatedConnector
from services.registry.synchronisation.connectors.fetching import line
from services.registry.synchronisation.model import Item, Page, Position, SourceError

BASE: Final = "https://www.isrctn.com/api/query/format/default"
PAGE_SIZE: Final = 100
# No trial was edited earlier.
FIRST_DAY: Final = "2005-01-01"
_TOTAL: Final = re.compile(rb'totalCount="([0-9]{1,7})"')
_NUMBER: Final = re.compile(rb"<(?:\w+:)?isrctn[\s>][^<]{0,200}?([0-9]{8})<")


@dataclass(frozen=True, slots=True)
class IsrctnConnector(DatedConnector):
    """``at``: the periods to ask for, each as its first day and the day after its last one."""

    default_query: ClassVar[str] = (
        '("gene therapy" OR "cell therapy" OR "gene transfer" OR "gene editing" OR CRISPR OR "stem cell"'
        ' OR "stromal cells" OR "tissue engineered" OR lentiviral OR "adeno-associated" OR "CAR-T")'
    )

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:
        """Fetch the trials of the next period, or halve it."""
        tomorrow = (date.fromisoformat(position["began"]) + timedelta(days=2)).isoformat()
        (start, end), *others = position["at"] or [[position["since"] or FIRST_DAY, tomorrow]]
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        asked = f"{self.query} AND lastEdited GE {start}T00:00:00 AND lastEdited LT {end}T00:00:00"
        is_one_day = last - first <= timedelta(days=1)
        body = await self._ask(asked, PAGE_SIZE)
        count = _count(body)
        if count > PAGE_SIZE and not is_one_day:
            middle = (first + (last - first) / 2).isoformat()
            return self.page(position, [], [[start, middle], [middle, end], *others], None)
        if count > PAGE_SIZE:
            body = await self._ask(asked, count)
        items = await self._each(body) if singly else _items(body, position["began"])
        if not singly and len(items) < count:
            raise SourceError("truncated", f"{len(items)} of {count} trials")
        return self.page(position, items, others or None, None)

    async def record(self, source_id: str) -> Item | None:
        """Fetch one trial."""
        digits = source_id.removeprefix("ISRCTN")
        if not digits.isdecimal():
            return None
        found = _items(await self._ask(f"ISRCTN{digits}", 10), date.today().isoformat())  # noqa: DTZ011 - the day here
        return next((one for one in found if one.record is not None and digits.encode() in one.record), None)

    async def _ask(self, query: str, limit: int) -> bytes:
        answer = await self.fetcher.answer("", {"q": query, "limit": str(limit)}, accept="application/xml, text/xml")
        return answer.body

    async def _each(self, body: bytes) -> list[Item]:
        """Fetch the trials of an answer one by one: one that cannot be read affects only itself."""
        items = []
        for digits in dict.fromkeys(found.decode() for found in _NUMBER.findall(body)):
            number = f"ISRCTN{digits}"
            try:
                item = await self.record(number)
            except SourceError as fault:
                item = Item(number, None, fault.code)
            items.append(item or Item(number, None, "not_found"))
        return items


def _count(body: bytes) -> int:
    found = _TOTAL.search(body[:2000])
    if found is None:
        raise SourceError("unexpected_answer", "no number of trials")
    return int(found[1])


def _items(body: bytes, retrieved: str) -> list[Item]:
    try:
        return [Item(None, line(one)) for one in isrctn_record.records(body, retrieved)]
    except InvalidStudyError:
        raise SourceError("not_xml") from None
