"""What matching reads of the registry's documents. Unknown fields are ignored, and so is whatever a trial has that no answer shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from shared.values.wire import write_instant

Document = Mapping[str, Any]


class UnreadableDocumentError(ValueError):
    """A document of the registry lacks what matching cannot do without."""


@dataclass(frozen=True, slots=True)
class Site:
    """A trial at a member centre. ``slots``: (cohort, places declared open); ``stale`` as the registry judged it when it was read."""

    centre: str
    version: int
    status: str
    confirmed_at: datetime | None
    slots: tuple[tuple[str, int], ...]
    stale: bool

    @classmethod
    def read(cls, document: Document) -> Self:
        confirmed = document.get("confirmed_at")
        return cls(
            centre=document["centre"],
            version=int(document["version"]),
            status=document["status"],
            confirmed_at=datetime.fromisoformat(confirmed).astimezone(UTC) if confirmed else None,
            slots=tuple((slot["cohort"], int(slot["open"])) for slot in document.get("slots") or ()),
            stale=bool(document.get("stale")),
        )

    def write(self) -> dict[str, Any]:
        """The inverse of `read`."""
        return {
            "centre": self.centre,
            "version": self.version,
            "status": self.status,
            "confirmed_at": write_instant(self.confirmed_at) if self.confirmed_at else None,
            "slots": [{"cohort": cohort, "open": places} for cohort, places in self.slots],
            "stale": self.stale,
        }


@dataclass(frozen=True, slots=True)
class Cohort:
    id: str
    label: Mapping[str, str]
    status: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """``french``: the status of each French place that a registry named (None where it gave none)."""

    id: str
    version: int
    acronym: str | None
    title_fr: str | None
    title_en: str | None
    status: str
    in_france: bool
    french: tuple[str | None, ...]
    cohorts: tuple[Cohort, ...]
    illustrative: bool
    published: bool
    criteria_version: int | None
    minimum_age: str | None
    maximum_age: str | None
    sex: str | None

    @classmethod
    def read(cls, document: Document) -> Self:
        """:raises UnreadableDocumentError: without id, version or status."""
        try:
            titles = document.get("titles") or {}
            eligibility = document.get("eligibility") or {}
            places = [place for place in document.get("locations") or () if place.get("country") == "FR"]
            return cls(
                id=document["id"],
                version=int(document["version"]),
                acronym=document.get("acronym"),
                title_fr=titles.get("fr"),
                title_en=titles.get("en"),
                status=document["status"],
                in_france="FR" in (document.get("countries") or ()),
                french=tuple(place.get("status") for place in places),
                cohorts=tuple(
                    Cohort(one["id"], dict(one["label"]), one.get("status")) for one in document.get("cohorts") or ()
                ),
                illustrative=bool(document.get("illustrative")),
                published=bool(document.get("published", True)),
                criteria_version=(document.get("criteria") or {}).get("version"),
                minimum_age=eligibility.get("minimum_age"),
                maximum_age=eligibility.get("maximum_age"),
                sex=eligibility.get("sex"),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableDocumentError(type(error).__name__) from None

    def write(self) -> dict[str, Any]:
        """The inverse of `read`: the least document that reads as this trial."""
        return {
            "id": self.id,
            "version": self.version,
            "acronym": self.acronym,
            "titles": {"fr": self.title_fr, "en": self.title_en},
            "status": self.status,
            "countries": ["FR"] if self.in_france else [],
            "locations": [{"country": "FR", "status": status} for status in self.french],
            "cohorts": [{"id": one.id, "label": dict(one.label), "status": one.status} for one in self.cohorts],
            "illustrative": self.illustrative,
            "published": self.published,
            "criteria": {"version": self.criteria_version},
            "eligibility": {"minimum_age": self.minimum_age, "maximum_age": self.maximum_age, "sex": self.sex},
        }


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial with its sites and its criteria, a document that the eligibility language will read."""

    trial: Trial
    criteria: Document | None
    sites: tuple[Site, ...]

    @classmethod
    def read(cls, document: Document) -> Self:
        """Reads a line of the export or of a snapshot.

        :raises UnreadableDocumentError: without what a trial or a site needs.
        """
        try:
            sites = tuple(
                sorted((Site.read(site) for site in document.get("sites") or ()), key=lambda site: site.centre)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableDocumentError(type(error).__name__) from None
        criteria = document.get("criteria")
        return cls(Trial.read(document.get("trial") or {}), criteria if isinstance(criteria, dict) else None, sites)

    def write(self) -> dict[str, Any]:
        """The inverse of `read`."""
        return {
            "kind": "trial",
            "trial": self.trial.write(),
            "criteria": self.criteria,
            "sites": [site.write() for site in self.sites],
        }


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre of the network; WGS 84 degrees."""

    id: str
    version: int
    name: str
    city: str
    lat: float
    lon: float

    @classmethod
    def read(cls, document: Document) -> Self:
        """:raises UnreadableDocumentError: without any of the fields."""
        try:
            return cls(
                id=document["id"],
                version=int(document["version"]),
                name=document["name"],
                city=document["city"],
                lat=float(document["lat"]),
                lon=float(document["lon"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableDocumentError(type(error).__name__) from None

    def write(self) -> dict[str, Any]:
        """The inverse of `read`."""
        return {name: getattr(self, name) for name in ("id", "version", "name", "city", "lat", "lon")}


@dataclass(frozen=True, slots=True)
class Concept:
    code: str
    label: Mapping[str, str]
    parents: tuple[str, ...]
    same_as: tuple[str, ...]
    exclusive_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concepts:
    """One version of the terminology."""

    version: str
    concepts: tuple[Concept, ...]

    @classmethod
    def read(cls, document: Document) -> Self:
        """:raises UnreadableDocumentError: without a version, or with a concept that has no code or label."""
        try:
            return cls(
                document["version"],
                tuple(
                    Concept(
                        one["code"],
                        {"fr": one["label"]["fr"], "en": one["label"]["en"]},
                        tuple(one.get("parents") or ()),
                        tuple(one.get("same_as") or ()),
                        tuple(one.get("exclusive_with") or ()),
                    )
                    for one in document["concepts"]
                ),
            )
        except (KeyError, TypeError) as error:
            raise UnreadableDocumentError(type(error).__name__) from None

    def write(self) -> dict[str, Any]:
        """The inverse of `read`."""
        return {
            "version": self.version,
            "concepts": [
                {
                    "code": one.code,
                    "label": dict(one.label),
                    "parents": list(one.parents),
                    "same_as": list(one.same_as),
                    "exclusive_with": list(one.exclusive_with),
                }
                for one in self.concepts
            ],
        }


def canonical(document: Document) -> bytes:
    """One line of JSON that is the same for the same document."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
