"""Answers lists, counts and suggestions of trials from the index."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tantivy import Query

from services.registry.geography.atlas import Atlas
from services.registry.geography.current import CurrentGeography
from services.registry.search.index import EVERYTHING, Hit, Levels, Place, View, all_of, any_term
from services.registry.search.query import SearchReader
from services.registry.search.words import index_words
from services.registry.terminology.terminology import Terminology
from services.registry.trials.listing import suggesting
from services.registry.trials.listing.diseases import disease_json
from services.registry.trials.listing.filters import Caller, FilterReader, by_opening, by_openness, check_facets
from services.registry.trials.listing.follower import IndexFollower
from services.registry.trials.listing.parameters import ListParameters, TrialFilters
from services.registry.trials.listing.schemas import FacetValue, ListedSite, Suggestion
from services.registry.trials.problems import UnknownFilterError
from shared.access import Principal
from shared.access.policy import Rows, decide
from shared.values.problems import Fault, InvalidCursorError
from shared.values.wire import Label

MOST_VALUES = 50
STATISTICS = ("status", "phase", "atmp_class", "condition", "departement")
# Facets whose name in the index is another one; and those of the places where a trial recruits.
_FIELDS = {"condition": "disease_code"}
_OPEN_FIELDS = {"centre": "open_centre", "departement": "open_departement", "region": "open_region"}


class Source(Protocol):
    """Where the documents come from, with what their reader may see."""

    async def plain(self, after: int, limit: int, *, demo: bool) -> Sequence[Sequence[Any]]:
        """Return (number, document) of trials with numbers above ``after``, in their order; ``demo``: also those."""

    async def plain_count(self, *, demo: bool) -> int:
        """Return how many trials there are."""

    async def documents(self, numbers: Sequence[int]) -> Mapping[int, str]:
        """Return the documents of trials by number, in this order, without those that the reader no longer sees."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list: documents, the place of the last one if more follow, total and facets if asked for.

    ``nearest``: the nearest open site of each document; None: no place was asked for.
    """

    documents: list[str]
    last: list[int] | None
    total: int | None
    facets: dict[str, list[FacetValue]] = field(default_factory=dict)
    nearest: list[ListedSite | None] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the index found, one hit more than the page if more follow. ``distances``: of the centres asked for."""

    hits: Sequence[Hit]
    total: int | None
    facets: dict[str, list[FacetValue]]
    distances: Mapping[str, float]


def caller_of(principal: Principal, rows: Rows) -> Caller:
    """Return what a caller sees in the index."""
    sites = decide(principal, "read", "site")
    owners = decide(principal, "read", "statement")
    return Caller(rows == "all", sites is not None and sites.fields == "all", owners is not None)


class TrialSearch:
    """Searches of one process."""

    def __init__(self, index: IndexFollower, terminology: Terminology, geography: CurrentGeography) -> None:
        self._index = index
        self._geography = geography
        self._terminology = terminology
        self._reader = SearchReader(terminology)

    async def page(self, asked: ListParameters, caller: Caller, after: Sequence[int] | None, source: Source) -> Listed:
        """Return the page of a list after a place: a number of a plain list, or two numbers of a search.

        :raises UnknownFilterError, ReservedFilterError: 400.
        :raises InvalidCursorError: 400, the place is one of another version.
        :raises IndexStartingError: 503.
        """
        if asked.is_plain:
            return await _plain(asked, after, source)
        if after is not None and len(after) != len(Place._fields):
            raise InvalidCursorError
        place = Place(*after) if after else None
        atlas = await self._geography.atlas()
        found = await asyncio.to_thread(self._page, await self._index.current(), asked, caller, place, atlas)
        shown = found.hits[: asked.limit]
        last = list(shown[-1].place) if len(found.hits) > asked.limit else None
        documents = await source.documents([one.number for one in shown])
        nearest = [self._nearest(number, found.distances) for number in documents] if asked.near else None
        return Listed(list(documents.values()), last, found.total, found.facets, nearest)

    def _nearest(self, number: int, distances: Mapping[str, float]) -> ListedSite | None:
        """Return the nearest open site of a trial among some centres, the nearest of which comes first."""
        places = self._index.places.get(number)
        open_sites = {one.centre: one for one in places.open_sites} if places else {}
        for centre, km in distances.items():
            if centre in open_sites:
                facts, site = self._index.centres[centre], open_sites[centre]
                return ListedSite.model_validate(
                    {
                        "centre": centre,
                        "name": facts.name,
                        "city": facts.city,
                        "departement": facts.departement,
                        "status": site.status,
                        "confirmed_at": site.confirmed_at,
                        "distance_km": round(km, 1),
                    }
                )
        return None

    async def statistics(self, asked: TrialFilters, caller: Caller) -> tuple[int, dict[str, list[FacetValue]]]:
        """Return the number of trials, and their numbers by status, phase, class, disease and département."""
        atlas = await self._geography.atlas()
        return await asyncio.to_thread(self._statistics, await self._index.current(), asked, caller, atlas)

    def _statistics(
        self, view: View, asked: TrialFilters, caller: Caller, atlas: Atlas | None
    ) -> tuple[int, dict[str, list[FacetValue]]]:
        query, _ = self._query(view, asked, caller, self._filters(view, caller, atlas))
        return self._counted(view, query, asked, STATISTICS)

    async def disease(self, code: str, caller: Caller) -> dict[str, Any] | None:
        """Return a disease among the others as JSON; None: no concept has the code."""
        view = await self._index.current()
        return await asyncio.to_thread(disease_json, code, view, caller.visible, self._terminology, self._reader)

    async def suggestions(self, typed: str, caller: Caller) -> tuple[list[Suggestion], list[int], list[Suggestion]]:
        """Return diseases, the numbers of trials, and centres that a typed text may mean."""
        return await asyncio.to_thread(self._suggestions, await self._index.current(), typed, caller)

    def _suggestions(
        self, view: View, typed: str, caller: Caller
    ) -> tuple[list[Suggestion], list[int], list[Suggestion]]:
        return (
            suggesting.diseases(view, typed, caller.visible, self._terminology, self._reader),
            suggesting.trials(view, typed, caller.visible, self._reader),
            suggesting.centres(typed, self._index.centres.values()),
        )

    def _page(
        self, view: View, asked: ListParameters, caller: Caller, after: Place | None, atlas: Atlas | None = None
    ) -> Found:
        names = asked.facets.split(",") if asked.facets else []
        check_facets(names, caller)
        filters = self._filters(view, caller, atlas)
        query, tiers = self._query(view, asked, caller, filters)
        levels, order = self._order(asked, filters, tiers)
        hits = view.page(query, levels, order, after, asked.limit + 1, rising=order == "by_identifier")
        nearest = filters.nearest(asked)
        if not asked.count and not names:
            return Found(hits, None, {}, nearest)
        total, facets = self._counted(view, query, asked, names)
        return Found(hits, total if asked.count else None, facets, nearest)

    def _query(
        self, view: View, asked: TrialFilters, caller: Caller, filters: FilterReader
    ) -> tuple[Query, list[Query]]:
        """Return the query for a list, and its groups by relevance."""
        narrowed = all_of(caller.visible, *filters.constraints(asked, caller))
        if not asked.q.strip():
            return narrowed, [EVERYTHING]
        typed = self._reader.read(asked.q)
        return all_of(narrowed, typed.matching(view, caller.visible)), typed.tiers()

    def _order(self, asked: ListParameters, filters: FilterReader, tiers: Sequence[Query]) -> tuple[Levels, str]:
        sort = asked.sort or "relevance"
        if sort == "distance":
            if not asked.near:
                detail = Label(fr="distance demande near", en="distance needs near")
                raise UnknownFilterError(errors=[Fault(pointer="/query/sort", code="unknown_sort", detail=detail)])
            return [filters.by_distance(asked), by_opening()], "by_relevance"
        if sort != "relevance":
            return [], f"by_{sort}"
        levels = [by_openness() if asked.q.strip() else by_opening(), tiers, filters.by_distance(asked)]
        return [level for level in levels if len(level) > 1], "by_relevance"

    def _filters(self, view: View, caller: Caller, atlas: Atlas | None) -> FilterReader:
        def knows(codes: frozenset[str]) -> bool:
            return view.count(all_of(caller.visible, any_term("condition", codes))) > 0

        return FilterReader(self._reader, self._index.centres, atlas, knows)

    def _counted(
        self, view: View, query: Query, asked: TrialFilters, names: Sequence[str]
    ) -> tuple[int, dict[str, list[FacetValue]]]:
        others = {**_FIELDS, **_OPEN_FIELDS} if asked.open else _FIELDS
        fields = {name: others.get(name, name) for name in names}
        total, found = view.facets(query, list(fields.values()), MOST_VALUES)
        return total, {
            name: [FacetValue(value=value, count=count, label=self._label(name, value)) for value, count in found[one]]
            for name, one in fields.items()
        }

    def _label(self, facet: str, value: str) -> Label | None:
        if facet == "region":
            names = (one.region for one in self._index.centres.values() if index_words(one.region) == value.split())
            name = next(names, value)
            return Label(fr=name, en=name)
        concept = self._terminology.concept(value) if facet == "condition" else None
        return Label(fr=concept.label_fr, en=concept.label_en) if concept else None


async def _plain(asked: ListParameters, after: Sequence[int] | None, source: Source) -> Listed:
    demo = asked.sample is None
    rows = await source.plain(after[0] if after else 0, asked.limit + 1, demo=demo)
    total = await source.plain_count(demo=demo) if asked.count else None
    last = [rows[asked.limit - 1][0]] if len(rows) > asked.limit else None
    return Listed([row[1] for row in rows[: asked.limit]], last, total)
