"""ECLAIRE, the French register: pages of a FHIR search by offset, each with the groups and sites of its studies.

The server deviates from its guide: 100 resources a page at most, 404 for an empty result, no link to the next page, and
errors that are not FHIR. Its dates of change are those of decisions, so that only a complete listing finds everything.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from services.registry.sources.registers import eclaire_record
from services.registry.synchronisation.connectors.dated import DatedConnector
from services.registry.synchronisation.connectors.fetching import line, parsed
from services.registry.synchronisation.model import UNKNOWN, Item, Page, Position, SourceError

BASE: Final = "https://eclaire-api.sante.gouv.fr/R4"
PAGE_SIZE: Final = 50
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class EclaireConnector(DatedConnector):
    """``at``: the offset of the next study."""

    default_query: ClassVar[str] = (
        '"thérapie génique" OR "thérapie cellulaire" OR "gene therapy" OR "cell therapy" OR "vecteur viral"'
        ' OR "cellules souches" OR "stem cells" OR "cellules stromales" OR "ingénierie tissulaire" OR CRISPR'
        ' OR lentiviral OR AAV OR "CAR-T"'
    )

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:
        """Fetch a page of studies."""
        offset = position["at"] or 0
        if singly:
            return await self._each(position, offset)
        studies, total = await self._search(position, offset, PAGE_SIZE)
        items = [Item(None, line(study)) for study in studies]
        following = offset + len(studies)
        is_last = not studies or (following >= total if total is not None else len(studies) < PAGE_SIZE)
        return self.page(position, items, None if is_last else following, total)

    async def record(self, source_id: str) -> Item | None:
        """Fetch one study by its number."""
        query = {"identifier": source_id, "_include": "*"}
        studies, _ = _bundle(await self._answer(query))
        return Item(source_id, line(studies[0])) if studies else None

    async def _search(self, position: Position, offset: int, count: int) -> tuple[list[Any], int | None]:
        query = {
            "_content": self.query,
            "_include": "*",
            "_count": str(count),
            "_sort": "meta.lastUpdated",
            "_getpagesoffset": str(offset),
        }
        if position["since"] is not None:
            query["_lastUpdated"] = f"ge{position['since']}"
        return _bundle(await self._answer(query))

    async def _answer(self, query: dict[str, str]) -> Any:
        answer = await self.fetcher.answer(
            "/ResearchStudy", query, accept="application/fhir+json, application/json", passed=frozenset({_NOT_FOUND})
        )
        return parsed(answer.body)

    async def _each(self, position: Position, offset: int) -> Page:
        """Fetch the studies of a page one by one: one that cannot be had affects only itself."""
        items: list[Item] = []
        total: int | None = None
        for place in range(offset, offset + PAGE_SIZE):
            try:
                studies, total = await self._search(position, place, 1)
            except SourceError as fault:
                items.append(Item(f"{UNKNOWN}study {place + 1}", None, fault.code))
                continue
            if not studies:
                return self.page(position, items, None, total)
            items.append(Item(None, line(studies[0])))
        return self.page(position, items, offset + PAGE_SIZE, total)


def _bundle(document: Any) -> tuple[list[Any], int | None]:
    """Return the studies of a Bundle, each with its groups and sites, and how many there are in all.

    :raises SourceError: this is no Bundle.
    """
    if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
        raise SourceError("unexpected_answer", "no Bundle")
    total = document.get("total")
    return list(eclaire_record.records(document)), total if isinstance(total, int) else None
