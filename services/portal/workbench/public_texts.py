"""Public texts that the workbench shows beside an answer: names of codes, and sources of criteria. Kept in memory.

They say nothing of a patient: they are the same for all visitors.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.api import Api, segment

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class CriteriaSource:
    """Where the criteria of a trial were read: the document, and the reference of each criterion."""

    document: str
    references: Mapping[str, str]


@dataclass(slots=True)
class PublicTexts:
    """Reads each text once from the API."""

    _names: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _sources: dict[tuple[str, int], CriteriaSource] = field(default_factory=dict)

    async def names(self, api: Api, codes: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Return the names of codes in both languages. A code without a name is left out."""
        wanted = list(dict.fromkeys(codes))
        await asyncio.gather(*(self._read_name(api, code) for code in wanted if code not in self._names))
        return {code: self._names[code] for code in wanted if code in self._names}

    async def sources(self, api: Api, trials: Iterable[Mapping[str, Any]]) -> dict[str, CriteriaSource]:
        """Return the sources of the criteria of trials of an answer, by id. Criteria without a version have none."""
        keys = [(one["id"], one["criteria_version"]) for one in trials if one["criteria_version"] is not None]
        await asyncio.gather(*(self._read_source(api, key) for key in keys if key not in self._sources))
        return {key[0]: self._sources[key] for key in keys if key in self._sources}

    async def _read_name(self, api: Api, code: str) -> None:
        found = await api.find("/registry/v1/terminology", code=code[:200])
        if found and found["concepts"]:
            _keep(self._names, code, found["concepts"][0]["label"])

    async def _read_source(self, api: Api, key: tuple[str, int]) -> None:
        found = await api.find(f"/registry/v1/trials/{segment(key[0])}/criteria")
        if found and found.get("version") == key[1]:
            references = {one["id"]: one["source"]["ref"] for one in found["criteria"] if one.get("source")}
            _keep(self._sources, key, CriteriaSource(found.get("source_version") or "", references))


def _keep(texts: dict[Any, Any], key: Any, value: Any) -> None:
    if len(texts) >= _MOST:
        texts.clear()
    texts[key] = value
