"""ClinicalTrials.gov, API version 2: pages of studies by token, changed since a day."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from services.registry.sources.registers.documents import records_in
from services.registry.synchronisation.connectors.dated import DatedConnector
from services.registry.synchronisation.connectors.fetching import line, members, parsed
from services.registry.synchronisation.model import Item, Page, Position, SourceError

BASE: Final = "https://clinicaltrials.gov/api/v2"
PAGE_SIZE: Final = 100
# Results are not read, and can be many times as long as the rest.
_FIELDS: Final = "protocolSection,derivedSection,documentSection"
_NCT: Final = re.compile(r"NCT[0-9]{8}")
_BAD_REQUEST, _NOT_FOUND, _MOVED = 400, 404, 301


@dataclass(frozen=True, slots=True)
class CtgovConnector(DatedConnector):
    """Asks for the studies of a query in the order of their last update."""

    default_query: ClassVar[str] = (
        'AREA[InterventionType]GENETIC OR "gene therapy" OR "gene transfer" OR "gene editing" OR CRISPR'
        ' OR "adeno-associated virus" OR lentiviral OR "cell therapy" OR "stem cell" OR "stromal cells"'
        ' OR "tissue engineered" OR "CAR-T"'
    )

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:
        """Fetch a page of studies."""
        query = {
            "query.term": self.query,
            "pageSize": str(PAGE_SIZE),
            "countTotal": "true",
            "sort": "LastUpdatePostDate:asc",
            "fields": "NCTId" if singly else _FIELDS,
        }
        if position["since"] is not None:
            query["filter.advanced"] = f"AREA[LastUpdatePostDate]RANGE[{position['since']},MAX]"
        if position["at"] is not None:
            query["pageToken"] = position["at"]
        answer = await self.fetcher.answer("/studies", query, passed=frozenset({_BAD_REQUEST}))
        if answer.status == _BAD_REQUEST:
            # A token ends with the release of the data that it was made for.
            raise SourceError("http_400", restarts=position["at"] is not None)
        document = parsed(answer.body)
        studies = members(document, "studies")
        items = await self._each(studies) if singly else [_item(one) for one in studies]
        following, total = document.get("nextPageToken"), document.get("totalCount")
        # The last page can have a token too: the page after it is empty.
        is_last = not following or not studies
        return self.page(position, items, None if is_last else following, total if isinstance(total, int) else None)

    async def record(self, source_id: str) -> Item | None:
        """Fetch one study."""
        if not source_id.startswith("NCT"):
            return None
        answer = await self.fetcher.answer(
            f"/studies/{source_id}", {"fields": _FIELDS}, passed=frozenset({_NOT_FOUND, _MOVED})
        )
        return _item(parsed(answer.body), source_id) if answer.status not in {_NOT_FOUND, _MOVED} else None

    async def _each(self, studies: list[Any]) -> list[Item]:
        """Fetch each study of a page on its own: one that cannot be had affects only itself."""
        items = []
        for study in studies:
            number = _number(study)
            try:
                item = await self.record(number) if number else _item(study)
            except SourceError as fault:
                item = Item(number, None, fault.code)
            items += [item] if item is not None else []
        return items


def _item(study: Any, source_id: str | None = None) -> Item:
    (record,) = records_in("ctgov", study)
    return Item(_number(study) or source_id, line(record))


def _number(study: Any) -> str | None:
    try:
        number = study["protocolSection"]["identificationModule"]["nctId"]
    except (TypeError, KeyError):
        return None
    return number if isinstance(number, str) and _NCT.fullmatch(number) else None
