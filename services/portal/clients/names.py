"""Names of diseases, centres and organisations: the same for every visitor, so they are kept for some minutes."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.api import Api, segment
from shared.terminology.codes import canonical

_SECONDS = 300.0
_MOST = 20_000
# Words find symptoms and drugs too.
_ASKED = 20
_AT_ONCE = 50
_FIELDS = "id,identifier,acronym,titles"
_DISEASES = frozenset({"ORPHA", "MONDO", "OMIM", "ICD10"})
_CODE = 8
_concepts: dict[str, tuple[float, Mapping[str, Any] | None]] = {}
_organisations: dict[str, tuple[float, str | None]] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """Names for what pages know by ids only. ``me``: the ids of the visitor: person and program."""

    organisations: Mapping[str, str] = field(default_factory=dict)
    me: frozenset[str] = frozenset()

    def organisation(self, party: str | None) -> str:
        """Return the name of an organisation, or of that of an author; its id where it has none."""
        key = (party or "").partition("/")[0]
        return self.organisations.get(key, key)

    def code(self, author: str) -> str:
        """Return a short code of the person or program of an author: people have no names here."""
        return author.partition("/")[2].removeprefix("demo:").partition("-")[0][: 2 * _CODE]

    def is_me(self, author: str) -> bool:
        """Return whether an author is the visitor."""
        return author.partition("/")[2] in self.me


async def names_of(api: Api, me: Mapping[str, Any] | None, parties: Iterable[str | None]) -> Names:
    """Return the names of organisations. ``parties``: ids of organisations, or of authors: ``organisation/person``."""
    ids = {party.partition("/")[0] for party in parties if party}
    ids |= {me["organisation"]} if me and me["organisation"] else set()
    now = time.monotonic()
    if wanted := sorted(one for one in ids if (kept := _organisations.get(one)) is None or kept[0] < now):
        if len(_organisations) >= _MOST:
            _organisations.clear()
        answers = await asyncio.gather(
            *(
                api.find("/registry/v1/organisation-names", ids=",".join(wanted[first : first + _AT_ONCE]))
                for first in range(0, len(wanted), _AT_ONCE)
            )
        )
        found = {one["id"]: one["name"] for answer in answers if answer for one in answer["items"]}
        _organisations.update({one: (now + _SECONDS, found.get(one)) for one in wanted})
    known = {one: kept[1] for one in ids if (kept := _organisations.get(one)) and kept[1]}
    who = (me.get("human"), me.get("client")) if me else ()
    return Names(known, frozenset(one for one in who if one))


async def trials_of(api: Api, ids: Iterable[str | None]) -> dict[str, Mapping[str, Any]]:
    """Return the trials that the visitor may read, by id and by number. ``ids``: either."""
    wanted = sorted({one for one in ids if one})
    answers = await asyncio.gather(
        *(
            api.get("/registry/v1/trials", ids=",".join(wanted[first : first + _AT_ONCE]), fields=_FIELDS, limit=200)
            for first in range(0, len(wanted), _AT_ONCE)
        )
    )
    return {key: one for answer in answers for one in answer["items"] for key in (one["id"], one["identifier"])}


async def concepts_of(api: Api, codes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the concepts of codes, as `/registry/v1/terminology` has them; unknown codes are left out."""
    wanted, now = list(dict.fromkeys(codes)), time.monotonic()
    if asked := [code for code in wanted if (kept := _concepts.get(code)) is None or kept[0] < now]:
        if len(_concepts) >= _MOST:
            _concepts.clear()
        answers = await asyncio.gather(
            *(
                api.get("/registry/v1/terminology", code=",".join(asked[first : first + _AT_ONCE]))
                for first in range(0, len(asked), _AT_ONCE)
            )
        )
        concepts = [one for answer in answers for one in answer["concepts"]]
        found = {code: one for one in concepts for code in (*one["same_as"], one["code"])}
        _concepts.update({code: (now + _SECONDS, found.get(canonical(code))) for code in asked})
    return {code: kept[1] for code in wanted if (kept := _concepts.get(code)) and kept[1]}


async def labels_of(
    api: Api, trials: Iterable[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the names of the diseases of trials by code, each with its ``label``. ``known``: those that are known."""
    codes = {one["code"] for trial in trials for one in trial["conditions"] if one["code"]}
    return {**known, **await concepts_of(api, sorted(codes - known.keys()))}


async def disease_among_others(api: Api, code: str) -> Mapping[str, Any] | None:
    """Return a disease as `/registry/v1/diseases` has it; None: the code is not known."""
    found: Mapping[str, Any] | None = await api.find(f"/registry/v1/diseases/{segment(code)}")
    return found


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
