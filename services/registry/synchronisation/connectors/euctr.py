"""EUCTR, the former European register: pages of protocols as text, always all of them.

The register says nothing of when a protocol changed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from services.registry.sources.registers.euctr import EuctrReader
from services.registry.sources.registers.euctr_record import flat
from services.registry.synchronisation.connectors.dated import DatedConnector
from services.registry.synchronisation.connectors.fetching import line
from services.registry.synchronisation.model import Item, Page, Position, SourceError

BASE: Final = "https://www.clinicaltrialsregister.eu/ctr-search"
_PAGES: Final = re.compile(r"page\s+\d+\s+of\s+([\d,.]+)", re.IGNORECASE)
_RECORD: Final = re.compile(r"^Summary\s*$", re.MULTILINE)
_HEAD: Final = re.compile(
    r"(EudraCT Number|Trial Status|Date on which this record was first entered in the EudraCT database):\s*(.*)"
)
# "D.3.11.3 Advanced Therapy IMP (ATIMP): Yes"; "D.IMP: 1" and "B.Sponsor: 1" begin a part that is filled in again.
_ANSWER: Final = re.compile(r"([A-P])\.(\d[\d.]*\d|\d)(?: and [A-P]\.[\d.]+)?\s+([^:]+):\s*(.*)")
_PART: Final = re.compile(r"([BD])\.(?:Sponsor|IMP):\s*(\d{1,3})\s*")
_SECTION: Final = re.compile(r"([A-P])\. \S.*")
_LETTERS: Final = {"B": "S", "D": "I"}


@dataclass(frozen=True, slots=True)
class EuctrConnector(DatedConnector):
    """``at``: the number of the page and of the last one."""

    default_query: ClassVar[str] = (
        '"gene therapy" OR "cell therapy" OR "advanced therapy" OR "stem cells" OR "tissue engineered"'
    )

    def first(self, cursor: str | None, today: date) -> Position:  # noqa: ARG002 - always everything
        """Return where the listing begins."""
        return {"since": None, "began": today.isoformat(), "at": None}

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:  # noqa: ARG002 - the text has no parts
        """Fetch a page of protocols."""
        number, last = position["at"] or (1, await self._pages())
        if last == 0:
            return self.page(position, [], None, None)
        items = [Item(None, line(one)) for one in protocols(await self._text(self.query, number))]
        if not items:
            raise SourceError("unexpected_answer", "no protocol")
        return self.page(position, items, [number + 1, last] if number < last else None, None)

    async def record(self, source_id: str) -> Item | None:
        """Fetch one protocol: that of a country, as ``2019-002663-10-ES``."""
        for one in protocols(await self._text(source_id[:14], 1)):
            if EuctrReader().source_id(one) == source_id:
                return Item(source_id, line(one))
        return None

    async def _pages(self) -> int:
        answer = await self.fetcher.answer("/search", {"query": self.query}, accept="text/html")
        text = answer.body.decode("utf-8", "replace")
        found = _PAGES.search(text)
        if found is None and "result(s) found" not in text:
            raise SourceError("unexpected_answer", "no number of pages")
        return int(re.sub(r"\D", "", found[1])) if found is not None else 0

    async def _text(self, query: str, page: int) -> str:
        asked = {"query": query, "page": str(page), "mode": "current_page"}
        answer = await self.fetcher.answer("/rest/download/full", asked, accept="text/plain")
        try:
            return answer.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SourceError("not_utf8") from None


def protocols(text: str) -> Iterator[dict[str, Any]]:
    """Yield the protocols of a download, each as a record of the reader of EUCTR."""
    for part in _RECORD.split(text.replace("\r\n", "\n"))[1:]:
        yield flat(_protocol(part))


def _protocol(text: str) -> dict[str, Any]:
    """Return the answers of a protocol by question, with those of repeated parts as the form by section has them."""
    record: dict[str, Any] = {}
    answers: dict[str, str] = {}
    parts: dict[str, str] = {}
    last = ""
    for given in text.splitlines():
        row = given.strip()
        if part := _PART.fullmatch(row):
            parts[part[1]], last = f"{_LETTERS[part[1]]}{part[2]}.", ""
        elif _SECTION.fullmatch(row):
            parts, last = {}, ""
        elif found := _ANSWER.match(row):
            last = f"{found[1]}.{parts.get(found[1], '')}{found[2]} {found[3].strip()}"
            answers.setdefault(last, found[4])
        elif head := _HEAD.match(row):
            record.setdefault(head[1], head[2])
        elif last and row:
            answers[last] += f"\n{row}"
    return {**record, "A. Protocol Information": answers}
