"""A trial as the index has it: its words, the values by which it is filtered, and its places in each order. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from services.registry.model.trial import Trial
from services.registry.search.vocabulary import vocabulary
from services.registry.search.words import compounds, index_words
from services.registry.terminology.products import NamedProduct, products_of
from services.registry.terminology.terminology import Terminology
from shared.criteria.durations import parse
from shared.vocabulary.durations import DAYS_PER_MONTH
from shared.vocabulary.geography import country_of
from shared.vocabulary.identifiers import PREFERENCE, alias_of
from shared.vocabulary.recruitment import CLOSED_STATUSES, UPCOMING_STATUSES, is_open

Fields = dict[str, list[str] | list[int]]
Json = Mapping[str, Any]

NO_LIMIT: Final = 1_000_000
# Owns what belongs to no other organisation.
COORDINATION: Final = "coordination"
MAJORITY: Final = "P18Y"
_UNIT_DAYS: Final = {"Y": 365, "M": 30, "W": 7, "D": 1}
# Numbers of trials are below this; so an order and a number fit into one signed integer of 64 bits.
NUMBERS: Final = 2**31
_DIGITS = re.compile(r"[0-9]")


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the index needs of a site. ``confirmed_at``: None, never."""

    centre: str
    status: str
    open_places: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CentreFacts:
    """What the index needs of a member centre; ``lat`` and ``lon`` in degrees."""

    id: str
    name: str
    city: str
    departement: str
    region: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """A stored trial: its number, document, sites, all its names, also former ones, the sources of its parts, owner."""

    number: int
    document: Json
    sites: Sequence[SiteFacts]
    aliases: Sequence[str]
    sources: Collection[str] = ()
    owner: str = COORDINATION


@dataclass(frozen=True, slots=True)
class TrialPlaces:
    """Where a trial takes place: what lists and the coverage show of it beside its document.

    ``targets``: the codes of the diseases it treats, the same in other systems, and those above; ``own``: without
    those above. ``sites``: at present centres; ``open_sites``: those that recruit. ``ages``: in days, both included.
    """

    number: int
    id: str
    identifier: str
    is_public: bool
    is_demo: bool
    targets: frozenset[str]
    own: frozenset[str]
    sites: tuple[SiteFacts, ...]
    open_sites: tuple[SiteFacts, ...]
    ages: tuple[int, int]


class Documents:
    """Makes the documents of the index, with one terminology and the present centres."""

    def __init__(self, terminology: Terminology, centres: Mapping[str, CentreFacts]) -> None:
        self.terminology = terminology
        self.centres = centres
        self._disease = lru_cache(maxsize=20_000)(self._read_disease)

    def of(self, facts: TrialFacts) -> Fields:
        """Return the fields of a trial."""
        try:
            return self._of(facts, facts.document)
        except KeyError:  # a document of an earlier version lacks fields
            return self._of(facts, _completed(facts.document))

    def places_of(self, facts: TrialFacts) -> TrialPlaces | None:
        """Return where a trial takes place; None: at no present centre."""
        sites = tuple(one for one in facts.sites if one.centre in self.centres)
        if not sites:
            return None
        try:
            return self._places(facts, facts.document, sites)
        except KeyError:  # as above
            return self._places(facts, _completed(facts.document), sites)

    def _places(self, facts: TrialFacts, trial: Json, sites: tuple[SiteFacts, ...]) -> TrialPlaces:
        diseases = [self._disease(one["code"]) for one in trial["conditions"] if one["role"] != "related"]
        return TrialPlaces(
            number=facts.number,
            id=trial["id"],
            identifier=trial["identifier"],
            is_public=trial["published"],
            is_demo=trial["sample"] == "demo",
            targets=frozenset[str]().union(*(one.codes for one in diseases)),
            own=frozenset[str]().union(*(one.own for one in diseases)),
            sites=sites,
            open_sites=tuple(_open_sites(sites, trial["status"])),
            ages=_ages(trial["eligibility"]["minimum_age"], trial["eligibility"]["maximum_age"]),
        )

    def _of(self, facts: TrialFacts, trial: Json) -> Fields:
        product, eligibility = trial["product"], trial["eligibility"]
        centres = [self.centres[one.centre] for one in facts.sites if one.centre in self.centres]
        diseases = [(one["role"] != "related", one["text"], self._disease(one["code"])) for one in trial["conditions"]]
        targets = [(text, disease) for is_target, text, disease in diseases if is_target]
        named = [word for text, disease in targets for word in (*index_words(text), *disease.names)]
        titles = " ".join(one for one in (trial["acronym"], *trial["titles"].values()) if one)
        places = [f"{one['facility'] or ''} {one['city'] or ''}" for one in trial["locations"]]
        places += [f"{one.name} {one.city} {one.region}" for one in centres]
        products = products_of((product["name"], trial["acronym"], *trial["titles"].values()))
        texts = _texts_of(trial, product, products)
        topics = vocabulary().topics_of([titles, *texts, *(text for _, text, _ in diseases)], places)
        in_title = [*index_words(titles), *compounds(titles)]
        others = index_words(" ".join((*texts, *places, *facts.aliases, *(text for _, text, _ in diseases))))
        others += compounds(" ".join(texts))
        others += [word for _, _, disease in diseases for word in (*disease.names, *disease.general)]
        low, high = _ages(eligibility["minimum_age"], eligibility["maximum_age"])
        fields: dict[str, Iterable[str]] = {
            "key": (trial["id"],),
            "alias": {*facts.aliases, *(alias_of(one["value"]) for one in trial["identifiers"]), trial["id"]},
            "disease": _joined(named),
            "title": _joined(in_title),
            "text": _joined([*in_title, *named, *others]),
            "topic": topics,
            "product": (one.key for one in products),
            "condition": {code for _, _, disease in diseases for code in disease.codes},
            "target": {code for _, disease in targets for code in disease.codes},
            "own": {code for _, _, disease in diseases for code in disease.own},
            "disease_code": {disease.preferred for _, disease in targets if disease.preferred},
            "status": (trial["status"],),
            "phase": _one(trial["phase"]),
            "atmp_class": _one(product["atmp_class"]),
            "vector": _one(product["vector"]),
            "gene": {gene.upper() for gene in product["genes"]},
            "delivery": _one(product["delivery"]),
            "cell_origin": _one(product["cell_origin"]),
            "sponsor_kind": _one((trial["sponsor"] or {}).get("kind")),
            "sponsor": _joined(index_words(" ".join(_sponsors(trial)))),
            "sex": _one(eligibility["sex"]),
            "age_band": _age_bands(eligibility["minimum_age"], eligibility["maximum_age"], low, high),
            "country": {country_of(one) for one in trial["countries"]},
            **_of_sites(facts.sites, centres, trial["status"]),
            "open": (_yes(is_open(trial["status"])),),
            "in_france": (_in_france(trial, facts.sites),),
            "published": (_yes(trial["published"]),),
            "demo": (_yes(trial["sample"] == "demo"),),
            "scope": (trial["scope"]["answer"],),
            "state": (trial["state"],),
            "owner": (facts.owner,),
            "source": {trial["origin"]["source"], *facts.sources},
        }
        numbers = {
            "number": facts.number,
            "minimum_age": low,
            "maximum_age": high,
            "updated_day": _day(trial["updated_at"][:10]),
            **_orders(trial, facts.number),
            "confirmed_day": min(
                (_day(one.confirmed_at.date().isoformat()) if one.confirmed_at else 0 for one in facts.sites),
                default=NO_LIMIT,
            ),
        }
        return {name: list(values) for name, values in fields.items()} | {
            name: [value] for name, value in numbers.items()
        }

    def _read_disease(self, code: str | None) -> "_Disease":
        if code is None:
            return _Disease()
        terminology = self.terminology
        same, ancestors = terminology.same_as(code), terminology.ancestors(code)
        concept = terminology.concept(code)
        names = _distinct([*(concept.names if concept else ()), *sorted(same)])
        # General names of the tables ("genetic disease") would find nearly every trial.
        above = [terminology.concept(one) for one in sorted(ancestors) if one in terminology]
        general = _distinct([name for one in above if one for name in (one.code, *one.names)])
        return _Disease(concept.code if concept else code, same, same | ancestors, names, general)


@dataclass(frozen=True, slots=True)
class _Disease:
    """A condition's code: the preferred one, the same in other systems, those above too.

    ``names``, ``general``: the words of its names, and of those above it.
    """

    preferred: str = ""
    own: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    general: tuple[str, ...] = ()


def _completed(document: Json) -> Json:
    """Return a document with the fields that it lacks."""
    return Trial.model_validate(document, strict=False).model_dump(mode="json")


def _texts_of(trial: Json, product: Json, products: Iterable[NamedProduct]) -> list[str]:
    product_texts = [product[name] for name in ("name", "serotype", "editing_tool", "cell_type", "vector", "route")]
    named = dict.fromkeys(name for one in products for name in one.names)
    return [text for text in (*product_texts, *named, *product["genes"], *_sponsors(trial)) if text]


def _sponsors(trial: Json) -> list[str]:
    return [*([trial["sponsor"]["name"]] if trial["sponsor"] else []), *trial["collaborators"]]


def _of_sites(sites: Sequence[SiteFacts], centres: Sequence[CentreFacts], status: str) -> dict[str, Iterable[str]]:
    open_sites = _open_sites(sites, status)
    open_centres = {one.centre for one in open_sites}
    recruiting = [one for one in centres if one.id in open_centres]
    return {
        "centre": {one.centre for one in sites},
        "departement": {one.departement for one in centres},
        "region": {_folded(one.region) for one in centres},
        "open_centre": open_centres,
        "open_departement": {one.departement for one in recruiting},
        "open_region": {_folded(one.region) for one in recruiting},
        "open_places": (_yes(any(one.open_places for one in open_sites)),),
    }


def _open_sites(sites: Sequence[SiteFacts], status: str) -> list[SiteFacts]:
    """Return the sites that recruit. ``status``: of the trial."""
    return [one for one in sites if status not in CLOSED_STATUSES and is_open(one.status)]


def _in_france(trial: Json, sites: Sequence[SiteFacts]) -> str:
    """Return ``open`` if a French place recruits, ``upcoming`` if one will, else ``no``.

    Where no status of a French place is known, the trial's own counts.
    """
    status = trial["status"]
    if "FR" not in map(country_of, trial["countries"]) or status in CLOSED_STATUSES - UPCOMING_STATUSES:
        return "no"
    places = [one.status for one in sites]
    places += [
        one["status"] for one in trial["locations"] if country_of(one["country"] or "") == "FR" and one["status"]
    ]
    known = {one for one in places if one != "unknown"} or {status}
    if status not in CLOSED_STATUSES and any(map(is_open, known)):
        return "open"
    return "upcoming" if UPCOMING_STATUSES & {status, *known} else "no"


def _orders(trial: Json, number: int) -> dict[str, int]:
    """Return the place of a trial in each order, a different number for each trial. The greatest comes first."""
    below = NUMBERS - 1 - number
    dates = trial["dates"]
    changed = (dates["last_update"] or {}).get("date") or trial["updated_at"][:10]
    start = (dates["start"] or {}).get("date")
    updated = int(datetime.fromisoformat(trial["updated_at"]).timestamp())
    kind = next((one["type"] for one in trial["identifiers"] if one["value"] == trial["identifier"]), PREFERENCE[-1])
    digits = int("".join(_DIGITS.findall(trial["identifier"]))[:14] or 0)
    return {
        "by_relevance": _day(changed) * NUMBERS + below,
        "by_updated": updated * NUMBERS + below,
        "by_start": (_day(start) if start else 0) * NUMBERS + below,
        # Ascending: the kinds of number in their order of preference, then the digits.
        "by_identifier": ((PREFERENCE.index(kind) * 10**14 + digits) << 10) + number % 1024,
    }


def _day(text: str) -> int:
    """Return the number of a day; of a month or a year its first day."""
    year, month, day = (*map(int, text[:10].split("-")), 1, 1)[:3]
    return date(year, month, day).toordinal()


def day_of(moment: datetime) -> int:
    """Return the number of the day of a moment, in UTC."""
    return moment.astimezone(UTC).date().toordinal()


def _ages(lowest: str | None, highest: str | None) -> tuple[int, int]:
    """Return the ages in days that a trial takes. Up to 17 years: registries mean until the 18th birthday."""
    low = 0 if lowest is None else days_of(lowest)
    return low, NO_LIMIT if highest is None else days_of(highest) + _UNIT_DAYS[highest[-1]] - 1


def days_of(duration: str) -> int:
    """Return the days of an ISO 8601 duration, a month as its mean length."""
    span = parse(duration)
    return int(span.months * DAYS_PER_MONTH + span.days)


def _age_bands(lowest: str | None, highest: str | None, low: int, high: int) -> list[str]:
    """Return for whom a trial is. Where it states no age at all, nothing is known."""
    if lowest is None and highest is None:
        return ["unknown"]
    return [*(["child"] if low < days_of(MAJORITY) else []), *(["adult"] if high >= days_of(MAJORITY) else [])]


def _joined(words: Iterable[str]) -> tuple[str]:
    return (" ".join(dict.fromkeys(words)),)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(index_words(" ".join(texts))))


def _folded(text: str) -> str:
    return " ".join(index_words(text))


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
