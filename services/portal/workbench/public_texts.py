"""Public texts that the workbench shows beside an answer: names of codes, and sources of criteria. Kept in memory.

They say nothing of a patient: they are the same for all visitors.
"""

import asyncio
import gzip
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import FAILURES, ApiError, ApiUnavailableError

_MOST_SOURCES = 10_000
# How long names are used before they are read again.
_SECONDS = 1800.0
# The column of the French label; the English one follows.
_FRENCH = 7


@dataclass(frozen=True, slots=True)
class CriteriaSource:
    """Where the criteria of a trial were read: the document, and the reference of each criterion.

    ``quotes``: what the register says, for the criteria that name a part of its text.
    """

    document: str
    references: Mapping[str, str]
    quotes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class PublicTexts:
    """Reads the terminology as a whole, so that no call names a code of a patient; and each source once."""

    _names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _is_read: bool = False
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sources: dict[tuple[str, int], CriteriaSource] = field(default_factory=dict)

    async def names(self, api: Api, codes: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Return the names of codes in both languages. A code without a name is left out."""
        async with self._reading:
            if not self._is_read:
                with suppress(*FAILURES):  # an answer is shown with codes rather than not
                    await self._read_names(api)
        return {code: self._names[code] for code in codes if code in self._names}

    async def keep_current(self, api: Api) -> None:
        """Read the names, before the first visitor needs them, and wait until they are to be read again.

        :raises ApiUnavailableError: they cannot be read now.
        """
        try:
            async with self._reading:
                await self._read_names(api)
        except ApiError as error:
            raise ApiUnavailableError from error
        await asyncio.sleep(_SECONDS)

    async def _read_names(self, api: Api) -> None:
        content = await api.download("/registry/v1/terminology/document")
        self._names = await asyncio.to_thread(names_in, content)
        self._is_read = True

    async def sources(self, api: Api, trials: Iterable[Mapping[str, Any]]) -> dict[str, CriteriaSource]:
        """Return the sources of the criteria of trials of an answer, by id. Criteria without a version have none."""
        keys = [(one["id"], one["criteria_version"]) for one in trials if one["criteria_version"] is not None]
        await asyncio.gather(*(self._read_source(api, key) for key in keys if key not in self._sources))
        return {key[0]: self._sources[key] for key in keys if key in self._sources}

    async def _read_source(self, api: Api, key: tuple[str, int]) -> None:
        try:
            found = await api.find(f"/registry/v1/trials/{segment(key[0])}/criteria")
            quotes = await _quotes(api, key[0], found["criteria"]) if found else {}
        except FAILURES:
            return
        if found and found.get("version") == key[1]:
            references = {one["id"]: one["source"]["ref"] for one in found["criteria"] if one.get("source")}
            if len(self._sources) >= _MOST_SOURCES:
                self._sources.clear()
            self._sources[key] = CriteriaSource(found.get("source_version") or "", references, quotes)


async def _quotes(api: Api, trial: str, criteria: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the parts of the register's text that criteria name, if it is still that text."""
    spans = {one["id"]: one["source"]["span"] for one in criteria if (one.get("source") or {}).get("span")}
    document = await api.find(f"/registry/v1/trials/{segment(trial)}") if spans else None
    if document is None or document["criteria"]["outdated"]:
        return {}
    text = document["eligibility"]["text"] or ""
    return {name: text[begin:end].strip() for name, (begin, end) in spans.items()}


def names_in(content: bytes) -> dict[str, Mapping[str, str]]:
    """Return the names of codes in an export of the terminology: compressed text, a concept a line."""
    found: dict[str, Mapping[str, str]] = {}
    for line in gzip.decompress(content).decode().splitlines()[1:]:
        fields = line.split("\t")
        french, english = fields[_FRENCH : _FRENCH + 2]
        if french or english:
            label = {"fr": french or english, "en": english or french}
            found |= dict.fromkeys(fields[0].split(" "), label)
    return found
