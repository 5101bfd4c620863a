"""The page of a trial: from the JSON of the API to what the template shows. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from services.portal.pages.ages import age_range
from services.portal.pages.formats import Formats
from services.portal.pictures.timeline import Timeline
from services.portal.trial_pages.criteria_view import CriteriaView, criteria_view
from services.portal.trial_pages.milestones import Milestone, milestones_of, timeline_of
from services.portal.trial_pages.origins import Origins, origins_of
from services.portal.trial_pages.participation import Participation, participation_of
from services.portal.trial_pages.reading import TrialParts
from services.portal.trial_pages.sites_view import SiteLine, site_lines
from shared.values.wire import Label
from shared.vocabulary.recruitment import CLOSED_STATUSES, OPEN_STATUSES

# Texts of these sources were written or approved by a person of the network. Any other text is recruitment material
# that no ethics committee is known to have approved: neutral facts are shown instead.
APPROVING_SOURCES = frozenset({"curated", "sample"})
_PLAIN_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NO_LIMIT = Label(fr="sans limite d'âge indiquée", en="no age limit stated")
_REGISTERS = {
    "nct": "https://clinicaltrials.gov/study/{}",
    "euct": "https://euclinicaltrials.eu/ctis-public/view/{}",
    "eudract": "https://www.clinicaltrialsregister.eu/ctr-search/search?query={}",
    "isrctn": "https://www.isrctn.com/{}",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its language, where that is not the language of the page."""

    text: str
    lang: str | None


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the trial: the register that gave it, and the record there (None: no public page)."""

    register: str
    value: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease of the trial. ``code``: of its page; None: it has none."""

    name: str
    code: str | None


@dataclass(frozen=True, slots=True)
class TrialView:
    """What the template shows of a trial."""

    trial: dict[str, Any]
    title: Text
    summary: Text | None
    neutral: list[str]
    facts: str
    diseases: list[Disease]
    who: str
    numbers: list[Number]
    sites: list[SiteLine]
    near_error: str
    criteria: CriteriaView | None
    milestones: list[Milestone]
    timeline: Timeline | None
    origins: Origins
    participation: Participation
    holds: list[dict[str, Any]]
    path: dict[str, Any] | None
    contact: dict[str, Any] | None
    places_elsewhere: list[str]

    @property
    def is_closed_above_sites(self) -> bool:
        """Whether a site says that it recruits although the trial, or a safety hold on all of it, says otherwise."""
        holds = any(one["scope"] in {"trial", "product"} for one in self.holds)
        is_closed = holds or self.trial["status"] in CLOSED_STATUSES
        return is_closed and any(one.status in OPEN_STATUSES for one in self.sites)


def trial_view(parts: TrialParts, formats: Formats, today: date) -> TrialView:
    """Return what the page of a trial shows on a day."""
    trial = parts.trial
    milestones = milestones_of(trial, today, formats)
    diseases = _diseases(parts, formats)
    who = people(trial["eligibility"], formats)
    neutral = neutral_facts(trial, [one.name for one in diseases], who, formats)
    return TrialView(
        trial=trial,
        title=title_of(trial, formats),
        summary=_summary(parts, formats),
        neutral=neutral,
        facts=" ".join(neutral[:2]),
        diseases=diseases,
        who=who,
        numbers=_numbers(trial, formats),
        sites=site_lines(parts.sites, parts.centres),
        near_error=parts.near_error,
        criteria=criteria_view(parts, formats) if parts.criteria else None,
        milestones=milestones,
        timeline=timeline_of(milestones, today, formats),
        origins=origins_of(parts.origins, formats),
        participation=participation_of(trial, parts.follow_up, formats),
        holds=parts.holds,
        path=parts.path,
        contact=trial["contact"],
        places_elsewhere=_places(trial),
    )


def address_of(trial: dict[str, Any]) -> str:
    """Return the number of a trial in the address of its page: the one by which people name it."""
    number: str = trial["identifier"]
    identity: str = trial["id"]
    return number if _PLAIN_NUMBER.fullmatch(number) else identity


def title_of(trial: dict[str, Any], formats: Formats) -> Text:
    """Return the title: in the language of the page, else in the other one, else the acronym or number."""
    return _text(trial["titles"], formats) or _text(trial["official_titles"], formats) or Text(_name(trial), None)


def _name(trial: dict[str, Any]) -> str:
    name: str = trial["acronym"] or trial["identifier"]
    return name


def _text(texts: dict[str, Any], formats: Formats) -> Text | None:
    other = "en" if formats.language == "fr" else "fr"
    if texts.get(formats.language):
        return Text(texts[formats.language], None)
    return Text(texts[other], other) if texts.get(other) else None


def _summary(parts: TrialParts, formats: Formats) -> Text | None:
    """Return the summary, if a person approved it."""
    found = _text(parts.trial["summary"], formats)
    if found is None:
        return None
    path = f"summary.{found.lang or formats.language}"
    sources = {one["source"] for one in parts.origins if one["path"] in {path, "summary"}}
    return found if sources and sources <= APPROVING_SOURCES else None


def neutral_facts(trial: dict[str, Any], diseases: list[str], who: str, formats: Formats) -> list[str]:
    """Return sentences that state facts and promise nothing."""
    is_french = formats.language == "fr"
    kind = formats.word("atmp_class", trial["product"]["atmp_class"]).lower()
    name = trial["product"]["name"]
    product = " : ".join([one for one in (kind, name) if one]) if is_french else ": ".join(filter(None, (kind, name)))
    sentences = []
    if diseases:
        listed = formats.listed(diseases[:4])
        sentences.append(f"Maladie étudiée : {listed}." if is_french else f"Disease under study: {listed}.")
    if product:
        sentences.append(f"Produit à l'essai : {product}." if is_french else f"Product under trial: {product}.")
    if trial["phase"]:
        phase = formats.word("phase", trial["phase"])
        sentences.append(f"Étape de la recherche : {phase}." if is_french else f"Stage of research: {phase}.")
    sentences.append(f"Qui peut participer : {who}." if is_french else f"Who may take part: {who}.")
    if trial["sponsor"]:
        sponsor = trial["sponsor"]["name"].rstrip(".")
        sentences.append(f"Responsable de l'essai : {sponsor}." if is_french else f"Responsible: {sponsor}.")
    return sentences


def people(eligibility: dict[str, Any], formats: Formats) -> str:
    """Return who may take part, by sex and age."""
    sex = formats.word("participants", eligibility["sex"]) or formats.word("participants", "all")
    ages = age_range(eligibility["minimum_age"], eligibility["maximum_age"], formats.language).lower()
    return f"{sex}, {ages or formats.label(_NO_LIMIT)}"


def _diseases(parts: TrialParts, formats: Formats) -> list[Disease]:
    targets = [one for one in parts.trial["conditions"] if one["role"] == "target"] or parts.trial["conditions"]
    return [
        Disease(formats.label(parts.names.get(one["code"])) or one["text"], one["code"])
        for one in {one["code"] or one["text"]: one for one in targets}.values()
    ]


def _numbers(trial: dict[str, Any], formats: Formats) -> list[Number]:
    return [
        Number(
            formats.word("register", one["type"]),
            one["value"],
            _REGISTERS[one["type"]].format(quote(one["value"])) if one["type"] in _REGISTERS else None,
        )
        for one in trial["identifiers"]
    ]


def _places(trial: dict[str, Any]) -> list[str]:
    """Return the places that registers name, each once."""
    places = (
        " · ".join([one[field] for field in ("facility", "city", "country") if one[field]])
        for one in trial["locations"]
    )
    return list(dict.fromkeys(places))
