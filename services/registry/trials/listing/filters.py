"""The filters of a list as queries of the index, and its groups by relevance and distance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from tantivy import Query

from services.registry.geography.atlas import Atlas
from services.registry.search.documents import CentreFacts, days_of
from services.registry.search.index import EVERYTHING, NOTHING, all_of, any_of, any_term, beginning, between, but, term
from services.registry.search.query import SearchReader
from services.registry.search.words import index_words
from services.registry.trials.listing.parameters import MAX_IDS, RESERVED_FACETS, TrialFilters
from services.registry.trials.nearness import distances
from services.registry.trials.problems import ReservedFilterError, UnknownFilterError
from shared.criteria.durations import parse
from shared.terminology.codes import canonical
from shared.values.problems import Fault
from shared.values.wire import Label
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.geography import COUNTRIES, country_of
from shared.vocabulary.identifiers import alias_of

# Fields whose values are in the index as they are sent.
_AS_SENT: Final = ("status", "phase", "atmp_class", "vector", "delivery", "cell_origin", "sponsor_kind")
_FOR_COORDINATION: Final = ("scope", "state", "published", "source", "stale")


@dataclass(frozen=True, slots=True)
class Caller:
    """What a caller may see: ``all_rows``, also unpublished trials; ``places``, the open places of sites; owners."""

    all_rows: bool
    places: bool
    owners: bool = False

    @property
    def visible(self) -> Query:
        return EVERYTHING if self.all_rows else term("published", "yes")


@dataclass(frozen=True, slots=True)
class FilterReader:
    """Reads filters with the present centres and the geography, if one is loaded.

    ``knows``: whether a trial that the caller sees has one of some codes.
    """

    reader: SearchReader
    centres: Mapping[str, CentreFacts]
    atlas: Atlas | None
    knows: Callable[[frozenset[str]], bool]

    def constraints(self, asked: TrialFilters, caller: Caller) -> list[Query]:
        """Return the queries that all must match.

        :raises UnknownFilterError: 400, a value does not exist.
        :raises ReservedFilterError: 400, the caller may not use a filter.
        """
        _check_reserved(asked, caller)
        found = [any_term(name, value.split(",")) for name in _AS_SENT if (value := getattr(asked, name))]
        if asked.gene:
            found.append(any_term("gene", asked.gene.upper().split(",")))
        if asked.country:
            found.append(any_term("country", _countries(asked.country)))
        if asked.age:
            age = age_in_days(asked.age)
            found += [between("minimum_age", None, age), between("maximum_age", age, None)]
        if asked.sex:
            found.append(but(EVERYTHING, term("sex", "male" if asked.sex == "female" else "female")))
        if asked.sponsor:
            found += [beginning("sponsor", word) for word in index_words(asked.sponsor)] or [NOTHING]
        if asked.condition:
            found.append(any_of(*(self._condition(code) for code in asked.condition.split(","))))
        if asked.updated_since:
            found.append(between("updated_day", _day(asked.updated_since), None))
        if asked.sample:
            found.append(term("demo", "no"))
        if asked.ids:
            found.append(any_term("alias", _aliases(asked.ids)))
        if asked.open_places:
            found.append(term("open_places", "yes"))
        return [*found, *self._places(asked), *_of_coordination(asked)]

    def _places(self, asked: TrialFilters) -> list[Query]:
        """Return the queries for the places: the trials of centres, those that recruit there if only such are asked."""
        field = "open_centre" if asked.open else "centre"
        wanted = [any_term(field, centres) for centres in self._chosen(asked)]
        return [*wanted, term("open", "yes")] if asked.open else wanted

    def _chosen(self, asked: TrialFilters) -> list[list[str]]:
        """Return the centres that each filter of places leaves."""
        chosen = [self._centres(asked.centre)] if asked.centre else []
        if asked.departement:
            wanted = asked.departement.split(",")
            chosen.append([one.id for one in self.centres.values() if one.departement in wanted])
        if asked.region:
            chosen.append([one for name in asked.region.split(",") for one in self._of_region(name)])
        if asked.radius:
            if not asked.near:
                raise _unknown("radius", "radius needs near", "radius demande near")
            chosen.append([one for one, km in self._distances(asked.near) if km <= asked.radius])
        return chosen

    def _of_region(self, name: str) -> list[str]:
        folded = index_words(name)
        found = [one.id for one in self.centres.values() if index_words(one.region) == folded]
        if not found:
            raise _unknown("region")
        return found

    def _centres(self, text: str) -> list[str]:
        asked = text.split(",")
        if any(one not in self.centres for one in asked):
            raise _unknown("centre")
        return asked

    def _condition(self, text: str) -> Query:
        part = self.reader.code(canonical(text.strip()))
        if not self.reader.knows(part.codes) and not self.knows(part.codes):
            raise _unknown("condition")
        return part.in_codes()

    def nearest(self, asked: TrialFilters) -> dict[str, float]:
        """Return the centres that the filters leave, with their distances in kilometres, the nearest first.

        Empty where no place is asked for.
        """
        if not asked.near:
            return {}
        chosen = [set(one) for one in self._chosen(asked)]
        return {one: km for one, km in self._distances(asked.near) if all(one in centres for centres in chosen)}

    def by_distance(self, asked: TrialFilters) -> list[Query]:
        """Return groups of trials by their nearest open site, then by their nearest site, then those without one."""
        if not asked.near:
            return [EVERYTHING]
        centres = self.nearest(asked)
        fields = ("open_centre",) if asked.open else ("open_centre", "centre")
        steps = [term(field, centre) for field in fields for centre in centres]
        groups = [but(one, *steps[:place]) for place, one in enumerate(steps)]
        return [*groups, but(EVERYTHING, *steps)]

    def _distances(self, near: str) -> list[tuple[str, float]]:
        """Return the centres with their distances in kilometres, the nearest first."""
        return distances(near, self.centres, self.atlas)


def by_openness() -> list[Query]:
    """Return the groups of trials: open in France, the others, and at the end the demonstrations."""
    demo, is_open = term("demo", "yes"), term("in_france", "open")
    return [but(is_open, demo), but(EVERYTHING, is_open, demo), demo]


def by_opening() -> list[Query]:
    """Return the groups of a list without a text: open in France, opening there, open elsewhere, the others.

    At the end the demonstrations, in the same groups.
    """
    demo = term("demo", "yes")
    steps = [term("in_france", "open"), term("in_france", "upcoming"), term("open", "yes")]
    groups = [*(but(one, *steps[:place]) for place, one in enumerate(steps)), but(EVERYTHING, *steps)]
    return [*(all_of(but(EVERYTHING, demo), one) for one in groups), *(all_of(demo, one) for one in groups)]


def check_facets(facets: Sequence[str], caller: Caller) -> None:
    """:raises ReservedFilterError: 400, the caller may not count by one of these facets."""
    reserved = RESERVED_FACETS.intersection(facets)
    if (reserved and not caller.all_rows) or ("owner" in reserved and not caller.owners):
        raise ReservedFilterError(errors=[_reserved("facets")])


def _check_reserved(asked: TrialFilters, caller: Caller) -> None:
    reserved = [] if caller.all_rows else [name for name in _FOR_COORDINATION if getattr(asked, name)]
    reserved += ["owner"] if asked.owner and not caller.owners else []
    reserved += ["open_places"] if asked.open_places and not caller.places else []
    if reserved:
        raise ReservedFilterError(errors=[_reserved(name) for name in reserved])


def _reserved(name: str) -> Fault:
    return Fault(pointer=f"/query/{name}", code="reserved_filter", detail=ReservedFilterError.title)


def _of_coordination(asked: TrialFilters) -> list[Query]:
    names = ("scope", "state", "source", "owner")
    found = [any_term(name, value.split(",")) for name in names if (value := getattr(asked, name))]
    found += [term("published", "yes" if asked.published == "true" else "no")] if asked.published else []
    if asked.stale:
        found.append(between("confirmed_day", None, (datetime.now(UTC) - STALE_AFTER).date().toordinal()))
    return found


def _countries(text: str) -> list[str]:
    countries = text.upper().split(",")
    if any(one not in COUNTRIES for one in countries):
        fr = "code pays inconnu : code ISO 3166-1 à deux lettres, par exemple FR"
        raise _unknown("country", "unknown country code: two letters of ISO 3166-1, for example FR", fr)
    return [country_of(one) for one in countries]


def age_in_days(text: str) -> int:
    """Return the age that a text in the form of `AGE_PATTERN` names.

    :raises UnknownFilterError: 400, it is no duration.
    """
    if text.isdecimal():
        return int(text)
    try:
        parse(text)
    except ValueError:
        fr = "un nombre de jours ou une durée, par exemple P8Y"
        raise _unknown("age", "a number of days or a duration, for example P8Y", fr) from None
    return days_of(text)


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise _unknown("updated_since", "this day does not exist", "ce jour n'existe pas") from None


def _aliases(text: str) -> list[str]:
    listed = [one for one in text.split(",") if one.strip()]
    if len(listed) > MAX_IDS:
        raise _unknown("ids", f"at most {MAX_IDS} trials", f"au plus {MAX_IDS} essais")
    return [alias_of(one) for one in listed]


def _unknown(name: str, en: str = "", fr: str = "") -> UnknownFilterError:
    detail = Label(fr=fr, en=en) if en else UnknownFilterError.title
    return UnknownFilterError(errors=[Fault(pointer=f"/query/{name}", code=f"unknown_{name}", detail=detail)])
