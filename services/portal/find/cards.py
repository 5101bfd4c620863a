"""A trial as a card in plain words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.pages.ages import age_range, years
from services.portal.pages.formats import Formats
from shared.vocabulary.recruitment import CLOSED_STATUSES, OPEN_STATUSES

OPEN = OPEN_STATUSES
_CITIES = 4
_ADULT = 18


@dataclass(frozen=True, slots=True)
class Names:
    """What a card needs beside its trial: names of diseases by code, and centres by id."""

    diseases: Mapping[str, Mapping[str, Any]]
    centres: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Card:
    """A trial in plain words. Empty texts are not shown.

    ``diseases``: code (or empty) and name. ``nearest``: the nearest open site and how far it is. ``places``: the cities
    where it is open. ``confirmed``: the latest day on which an open site was confirmed.
    """

    number: str
    title: str
    status: str
    is_demonstration: bool
    diseases: list[tuple[str, str]]
    people: str
    treatment: str
    phase: str
    nearest: str
    places: str
    confirmed: str
    is_stale: bool


def card(trial: Mapping[str, Any], names: Names, formats: Formats) -> Card:
    """Describe a trial for a list."""
    eligibility, product = trial.get("eligibility") or {}, trial.get("product") or {}
    sites = open_sites(trial)
    confirmed = max((site["confirmed_at"] for site in sites if site.get("confirmed_at")), default=None)
    return Card(
        number=trial["identifier"],
        title=formats.label(trial["titles"]) or trial["identifier"],
        status=trial["status"],
        is_demonstration=trial.get("sample") == "demo",
        diseases=[(one.get("code") or "", _disease(one, names, formats)) for one in _targets(trial)][:4],
        people=people(eligibility, formats),
        treatment=_treatment(product, formats),
        phase=formats.word("phase", trial.get("phase")),
        nearest=_nearest(trial.get("nearest"), formats),
        places=formats.listed(_cities(sites, names, formats)) if sites else "",
        confirmed=formats.day(confirmed),
        is_stale=bool(sites) and all(site.get("stale") for site in sites),
    )


def open_sites(trial: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the sites that take patients: none where the trial itself takes none."""
    if trial["status"] in CLOSED_STATUSES:
        return []
    return [site for site in trial.get("sites") or () if site["status"] in OPEN]


def people(eligibility: Mapping[str, Any], formats: Formats) -> str:
    """Say who may take part, by age and sex: ``De 3 à 15 ans, garçons``. Empty: nothing is stated."""
    least, most = years(eligibility.get("minimum_age")), years(eligibility.get("maximum_age"))
    ages = age_range(eligibility.get("minimum_age"), eligibility.get("maximum_age"), formats.language)
    group = "sex"
    if most is not None and most < _ADULT:
        group = "sex_of_children"
    elif least is not None and least >= _ADULT:
        group = "sex_of_adults"
    sex = eligibility.get("sex")
    words = formats.word(group, sex) if sex in {"male", "female"} else ""
    return ", ".join(part for part in (ages, words.lower() if ages else words) if part)


def _targets(trial: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    conditions = trial.get("conditions") or []
    return [one for one in conditions if one.get("role") in {None, "target"}] or conditions


def _disease(condition: Mapping[str, Any], names: Names, formats: Formats) -> str:
    concept = names.diseases.get(condition.get("code") or "")
    return formats.label(concept["label"] if concept else None) or condition.get("text") or condition.get("code") or ""


def _treatment(product: Mapping[str, Any], formats: Formats) -> str:
    parts = [formats.word("atmp_class", product.get("atmp_class"))]
    if product.get("genes"):
        french = formats.language == "fr"
        word = formats.plural(len(product["genes"]), *(("gène", "gènes") if french else ("gene", "genes")))
        parts.append(f"{word} {formats.listed(product['genes'][:3])}")
    if product.get("cell_origin"):
        parts.append(formats.word("cell_origin", product["cell_origin"]))
    return ", ".join(part for part in parts if part)


def _nearest(site: Mapping[str, Any] | None, formats: Formats) -> str:
    if site is None:
        return ""
    kilometres = formats.number(round(site["distance_km"]))
    if formats.language == "fr":
        return f"{site['name']}, {site['city']}, à {kilometres} km à vol d'oiseau"
    return f"{site['name']}, {site['city']}, {kilometres} km away in a straight line"


def _cities(sites: Iterable[Mapping[str, Any]], names: Names, formats: Formats) -> list[str]:
    cities = list(
        dict.fromkeys(names.centres[one["centre"]]["city"] for one in sites if one["centre"] in names.centres)
    )
    more = len(cities) - _CITIES
    if more <= 0:
        return cities
    others = f"{more} autres villes" if formats.language == "fr" else f"{more} other cities"
    return [*cities[:_CITIES], others] if more > 1 else cities
