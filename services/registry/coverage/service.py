"""Computes the coverage from the index of trials and the geography. Nothing of it is stored."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from tantivy import Query

from services.registry.coverage.reach import Reach
from services.registry.coverage.schemas import (
    Confirmation,
    Coverage,
    CoverageRow,
    EstimatedTravel,
    NamedCode,
    NearestSite,
)
from services.registry.geography.atlas import Atlas
from services.registry.geography.current import CurrentGeography
from services.registry.search.documents import SiteFacts, TrialPlaces
from services.registry.search.index import View, all_of, any_term, term
from services.registry.search.query import Part, SearchReader
from services.registry.terminology.terminology import Terminology
from services.registry.trials.listing.filters import age_in_days
from services.registry.trials.listing.follower import IndexFollower
from services.registry.trials.problems import UnknownFilterError
from shared.values.problems import Fault
from shared.values.wire import Label
from shared.vocabulary.durations import STALE_AFTER

TWO_HOURS: Final = 2
MOST_DISEASES: Final = 10_000
MOST_ANSWERS: Final = 32
METHOD: Final = Label(
    fr="Temps estimés par une formule, pour tout le trajet, aller simple : par la route, 1,25 fois la distance à vol"
    " d'oiseau, à 40 km/h sur 20 km puis à 100 km/h ; en avion depuis l'outre-mer et la Corse, 4 h au sol plus le vol."
    " Aucun itinéraire ni horaire n'est consulté.",
    en="Times estimated by a formula, for the whole journey, one way: by road, 1.25 times the straight line, at 40 km/h"
    " for 20 km, then at 100 km/h; by air from overseas and Corsica, 4 h on the ground and the flight. No route or"
    " timetable is consulted.",
)
_WITH_DEMO: Final = term("published", "yes")
_PUBLISHED: Final = all_of(_WITH_DEMO, term("demo", "no"))
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CoverageFilters:
    """``condition``: a code or words; ``departement``: its number; ``hours``: of `CoverageRow.within_hours`.

    ``demo``: the fictitious trials count too. ``age``: of a person, as days or a duration; only trials that take it
    count.
    """

    condition: str | None
    departement: str | None
    hours: int
    demo: bool = False
    age: str | None = None


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease: the codes that are the same, and the broader ones by which trials for it may be coded."""

    code: str
    label: Label
    codes: frozenset[str]
    broader: frozenset[str]


# The best open site of a disease at each centre.
OpenSites = Mapping[str, tuple[TrialPlaces, SiteFacts]]


class CoverageService:
    """The coverage as of the last commit, with one terminology."""

    def __init__(self, index: IndexFollower, geography: CurrentGeography, terminology: Terminology) -> None:
        self._index = index
        self._geography = geography
        self._terminology = terminology
        self._reader = SearchReader(terminology)
        self._reach: Reach | None = None
        self._basis: object = None
        self._answers: dict[CoverageFilters, Coverage] = {}
        self._disease = lru_cache(maxsize=5_000)(self._read_disease)

    async def coverage(self, asked: CoverageFilters) -> Coverage:
        """Return the coverage.

        :raises GeographyMissingError: 409, no geography is loaded.
        :raises UnknownFilterError: 400, the disease or the département is unknown, or the age is no duration.
        :raises IndexStartingError: 503.
        """
        atlas = await self._geography.required()
        if asked.departement is not None and asked.departement not in atlas.departements:
            raise _unknown("departement")
        view = await self._index.current()
        # Within a minute only a site that becomes stale could change the answer.
        basis = (self._index.position, atlas.version, datetime.now(UTC).replace(second=0, microsecond=0))
        if basis != self._basis or len(self._answers) >= MOST_ANSWERS:
            self._basis, self._answers = basis, {}
        if asked not in self._answers:
            self._answers[asked] = await asyncio.to_thread(self._coverage, view, atlas, asked)
        return self._answers[asked]

    def _coverage(self, view: View, atlas: Atlas, asked: CoverageFilters) -> Coverage:
        reach, now = self._reach_of(atlas), datetime.now(UTC)
        age = age_in_days(asked.age) if asked.age else None
        trials = _OpenTrials(self._index.places.values(), age, demo=asked.demo)
        published = _WITH_DEMO if asked.demo else _PUBLISHED
        departements = [asked.departement] if asked.departement else list(atlas.departements)
        if asked.condition:
            disease = self._asked(asked.condition, view, published)
            listed = [disease]
            whole = _Report(reach, asked.hours, now, disease, trials.of(disease))
            rows = [whole.row(code) for code in departements]
        else:
            listed = [self._disease(code) for code in _treated(view, published)]
            whole = _Report(reach, asked.hours, now, None, trials.all)
            reports = (_Report(reach, asked.hours, now, one, of) for one in listed if (of := trials.of(one)))
            rows = [one.row(asked.departement) for one in reports]
        return Coverage(
            geography=atlas.version,
            hours=asked.hours,
            method=METHOD,
            france=whole.row(None),
            items=rows,
            diseases_without_site=[_named(one) for one in listed if not trials.of(one)],
            departements_without_site=whole.without_site(departements),
            departements_out_of_reach=whole.out_of_reach(departements),
        )

    def _reach_of(self, atlas: Atlas) -> Reach:
        centres = self._index.centres
        if self._reach is None or self._reach.atlas is not atlas or self._reach.centres != centres:
            self._reach = Reach(atlas, centres)
        return self._reach

    def _asked(self, text: str, view: View, published: Query) -> Disease:
        """:raises UnknownFilterError: 400, the text names no disease, or more than one thing."""
        part = self._reader.disease(text)
        if part is None:
            raise _unknown("condition")
        found = self._of(part, text)
        of_trials = all_of(published, any_term("condition", found.codes))
        if not self._reader.knows(found.codes) and not view.count(of_trials):
            raise _unknown("condition")
        return found

    def _read_disease(self, code: str) -> Disease:
        return self._of(self._reader.code(code), code)

    def _of(self, part: Part, text: str) -> Disease:
        """Return the disease of a part. ``text``: its name if it is a group of diseases, or unknown."""
        codes = part.named or tuple(code for topic in part.topics for code in topic.codes)
        same = frozenset(one for code in codes for one in self._terminology.same_as(code))
        concept = self._terminology.concept(codes[0]) if len(codes) == 1 else None
        label = Label(fr=concept.label_fr, en=concept.label_en) if concept else Label(fr=text, en=text)
        return Disease(concept.code if concept else ",".join(codes), label, part.codes | same, part.broader)


class _OpenTrials:
    """The published trials with an open site, by the diseases that they treat. ``age``: in days; None: any."""

    def __init__(self, places: Iterable[TrialPlaces], age: int | None, *, demo: bool) -> None:
        public = (one for one in places if one.open_sites and one.is_public and (demo or not one.is_demo))
        self.all = [one for one in public if age is None or one.ages[0] <= age <= one.ages[1]]
        self._by_target: dict[str, set[int]] = defaultdict(set)
        self._by_own: dict[str, set[int]] = defaultdict(set)
        for number, trial in enumerate(self.all):
            for code in trial.targets:
                self._by_target[code].add(number)
            for code in trial.own:
                self._by_own[code].add(number)

    def of(self, disease: Disease) -> list[TrialPlaces]:
        """Return the trials that treat a disease, a form of it, or one above it that was named by hand."""
        targets = (self._by_target[code] for code in disease.codes if code in self._by_target)
        broader = (self._by_own[code] for code in disease.broader if code in self._by_own)
        return [self.all[number] for number in sorted(set().union(*targets, *broader))]


class _Report:
    """The rows of one disease (None: any). ``trials``: those with an open site."""

    def __init__(
        self, reach: Reach, hours: int, now: datetime, disease: Disease | None, trials: Sequence[TrialPlaces]
    ) -> None:
        self._reach = reach
        self._now = now
        self._condition = _named(disease) if disease else None
        self._trials = trials
        self._sites = self._best(trials)
        self._two_hours = reach.inhabitants(frozenset(self._sites), TWO_HOURS)
        self._within = reach.inhabitants(frozenset(self._sites), hours)

    def row(self, departement: str | None) -> CoverageRow:
        """Return the row of a département, or of the whole of France (None)."""
        known = self._reach.atlas.departements
        areas = [known[departement]] if departement else list(known.values())
        here = {one for one in self._sites if departement in {None, self._reach.centres[one].departement}}
        people = sum(one.population for one in areas)
        return CoverageRow(
            condition=self._condition,
            departement=self._departement(departement) if departement else None,
            trials=sum(any(site.centre in here for site in trial.open_sites) for trial in self._trials) if here else 0,
            sites=len(here),
            nearest=self._nearest(departement) if departement else None,
            population=people,
            within_two_hours=round(sum(self._two_hours[one.code] for one in areas) / people, 4),
            within_hours=round(sum(self._within[one.code] for one in areas) / people, 4),
        )

    def without_site(self, departements: Iterable[str]) -> list[NamedCode]:
        """Return those of these départements in which no site is open."""
        having = {self._reach.centres[one].departement for one in self._sites}
        return [self._departement(one) for one in departements if one not in having]

    def out_of_reach(self, departements: Iterable[str]) -> list[NamedCode]:
        """Return those of these départements of which no inhabitant is within the hours of an open site."""
        return [self._departement(one) for one in departements if not self._within[one]]

    def _best(self, trials: Iterable[TrialPlaces]) -> OpenSites:
        """Return by centre its open site that was confirmed last, with its trial."""
        found = [(trial, one) for trial in trials for one in trial.open_sites if one.centre in self._reach.centres]
        found.sort(key=lambda pair: (pair[1].confirmed_at or _NEVER, -pair[0].number))
        return {site.centre: (trial, site) for trial, site in found}

    def _nearest(self, departement: str) -> NearestSite | None:
        for centre, way in self._reach.nearest[departement]:
            if centre in self._sites:
                (trial, site), facts = self._sites[centre], self._reach.centres[centre]
                return NearestSite(
                    centre=centre,
                    name=facts.name,
                    city=facts.city,
                    departement=facts.departement,
                    trial=trial.id,
                    identifier=trial.identifier,
                    confirmation=self._confirmation(site),
                    confirmed_at=site.confirmed_at,
                    distance_km=round(way.km, 1),
                    travel=EstimatedTravel(mode=way.mode, minutes=round(way.minutes)),
                )
        return None

    def _confirmation(self, site: SiteFacts) -> Confirmation:
        if site.confirmed_at is None:
            return "unconfirmed"
        return "stale" if self._now - site.confirmed_at > STALE_AFTER else "confirmed"

    def _departement(self, code: str) -> NamedCode:
        name = self._reach.atlas.departements[code].name
        return NamedCode(code=code, label=Label(fr=name, en=name))


def _treated(view: View, published: Query) -> list[str]:
    """Return the codes of the diseases that published trials treat, the most frequent first."""
    _, found = view.facets(published, ["disease_code"], MOST_DISEASES)
    return [code for code, _ in found["disease_code"]]


def _named(disease: Disease) -> NamedCode:
    return NamedCode(code=disease.code, label=disease.label)


def _unknown(name: str) -> UnknownFilterError:
    return UnknownFilterError(
        errors=[Fault(pointer=f"/query/{name}", code=f"unknown_{name}", detail=UnknownFilterError.title)]
    )
