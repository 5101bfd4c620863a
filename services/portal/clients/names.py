"""Names of diseases and centres: the same for every visitor, so they are kept for some minutes."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from services.portal.clients.api import Api

_SECONDS = 300.0
_MOST = 20_000
# Words find symptoms and drugs too.
_ASKED = 20
_DISEASES = frozenset({"ORPHA", "MONDO", "OMIM", "ICD10"})
_concepts: dict[str, tuple[float, Mapping[str, Any] | None]] = {}


async def concepts_of(api: Api, codes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the concepts of codes, as `/registry/v1/terminology` has them; unknown codes are left out."""
    wanted = list(dict.fromkeys(codes))
    found = await asyncio.gather(*(_concept(api, code) for code in wanted))
    return {code: concept for code, concept in zip(wanted, found, strict=True) if concept is not None}


async def _concept(api: Api, code: str) -> Mapping[str, Any] | None:
    kept = _concepts.get(code)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1]
    answer = await api.get("/registry/v1/terminology", code=code)
    concept = next(iter(answer["concepts"]), None)
    if len(_concepts) >= _MOST:
        _concepts.clear()
    _concepts[code] = (time.monotonic() + _SECONDS, concept)
    return concept


async def diseases_named(api: Api, text: str, limit: int) -> list[Mapping[str, Any]]:
    """Return the diseases that words may mean: concepts with a place in a classification of diseases."""
    answer = await api.get("/registry/v1/terminology", q=text, limit=_ASKED)
    return [one for one in answer["concepts"] if _is_disease(one)][:limit]


def _is_disease(concept: Mapping[str, Any]) -> bool:
    codes = (concept["code"], *concept["same_as"], *concept["parents"])
    return any(code.partition(":")[0] in _DISEASES for code in codes)


async def centres_of(api: Api) -> dict[str, Mapping[str, Any]]:
    """Return all centres by id."""
    answer = await api.get("/registry/v1/centres", limit=200)
    return {centre["id"]: centre for centre in answer["items"]}


async def above(api: Api, concept: Mapping[str, Any], levels: int = 5) -> list[Mapping[str, Any]]:
    """Return the concepts above one, the nearest first, at most so many levels up."""
    found: dict[str, Mapping[str, Any]] = {}
    codes = concept["parents"]
    for _ in range(levels):
        level = await concepts_of(api, [code for code in codes if code not in found])
        if not level:
            break
        found |= level
        codes = [code for one in level.values() for code in one["parents"]]
    return list(found.values())
