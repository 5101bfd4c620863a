"""The registry's documents as matching reads them. Fields that no answer needs are ignored, known or not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from shared.values.wire import write_instant

Document = Mapping[str, Any]
# What an answer says of the product under trial.
CONTACT_FIELDS = ("function", "organisation", "email", "url")
PRODUCT_FIELDS = ("name", "atmp_class", "delivery", "vector", "serotype", "genes")


class UnreadableDocumentError(ValueError):
    """A document of the registry lacks a field that matching needs."""


@dataclass(frozen=True, slots=True)
class Site:
    """A trial at a member centre.

    ``slots``: pairs of a cohort and its places declared open; ``stale``: as the registry said when it was read;
    ``cohorts``: pairs of a cohort and its own recruitment status there.
    """

    centre: str
    version: int
    status: str
    confirmed_at: datetime | None
    slots: tuple[tuple[str, int], ...]
    stale: bool
    cohorts: tuple[tuple[str, str], ...] = ()

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
            cohorts=tuple((one["cohort"], one["status"]) for one in document.get("cohorts") or ()),
        )

    def write(self) -> dict[str, Any]:
        """Return the document that reads as this site."""
        return {
            "centre": self.centre,
            "version": self.version,
            "status": self.status,
            "confirmed_at": write_instant(self.confirmed_at) if self.confirmed_at else None,
            "slots": [{"cohort": cohort, "open": places} for cohort, places in self.slots],
            "stale": self.stale,
            "cohorts": [{"cohort": cohort, "status": status} for cohort, status in self.cohorts],
        }


@dataclass(frozen=True, slots=True)
class Cohort:
    id: str
    label: Mapping[str, str]
    status: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """The fields of a trial that a match needs. ``identifier``: its preferred public number.

    ``criteria_outdated``: the source's text has changed since its criteria were signed.
    ``locations``: the distinct pairs of country and recruitment status (None where not given) of its places.
    """

    id: str
    identifier: str
    version: int
    acronym: str | None
    title_fr: str | None
    title_en: str | None
    identifiers: tuple[tuple[str, str], ...]
    phase: str | None
    sponsor: str | None
    contact: Mapping[str, Any] | None
    product: Mapping[str, Any]
    status: str
    countries: tuple[str, ...]
    locations: tuple[tuple[str, str | None], ...]
    cohorts: tuple[Cohort, ...]
    illustrative: bool
    published: bool
    criteria_version: int | None
    criteria_outdated: bool
    minimum_age: str | None
    maximum_age: str | None
    sex: str | None

    @classmethod
    def read(cls, document: Document) -> Self:
        """:raises UnreadableDocumentError: id, version or status is missing."""
        try:
            titles = document.get("titles") or {}
            eligibility = document.get("eligibility") or {}
            product = document.get("product") or {}
            contact = document.get("contact") or {}
            places = {
                (place["country"], place.get("status"))
                for place in document.get("locations") or ()
                if place.get("country")
            }
            return cls(
                id=document["id"],
                # A registry of an earlier version has the public number as the id.
                identifier=document.get("identifier") or document["id"],
                version=int(document["version"]),
                acronym=document.get("acronym"),
                title_fr=titles.get("fr"),
                title_en=titles.get("en"),
                identifiers=tuple((one["type"], one["value"]) for one in document.get("identifiers") or ()),
                phase=document.get("phase"),
                sponsor=(document.get("sponsor") or {}).get("name"),
                contact={name: contact.get(name) for name in CONTACT_FIELDS} if contact.get("function") else None,
                product={name: product[name] for name in PRODUCT_FIELDS if product.get(name)},
                status=document["status"],
                countries=tuple(document.get("countries") or ()),
                locations=tuple(sorted(places, key=lambda place: (place[0], place[1] or ""))),
                cohorts=tuple(
                    Cohort(one["id"], dict(one["label"]), one.get("status")) for one in document.get("cohorts") or ()
                ),
                illustrative=bool(document.get("illustrative")),
                published=bool(document.get("published", True)),
                criteria_version=(document.get("criteria") or {}).get("version"),
                criteria_outdated=bool((document.get("criteria") or {}).get("outdated")),
                minimum_age=eligibility.get("minimum_age"),
                maximum_age=eligibility.get("maximum_age"),
                sex=eligibility.get("sex"),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableDocumentError(type(error).__name__) from None

    def write(self) -> dict[str, Any]:
        """Return the smallest document that reads as this trial."""
        return {
            "id": self.id,
            "identifier": self.identifier,
            "version": self.version,
            "acronym": self.acronym,
            "titles": {"fr": self.title_fr, "en": self.title_en},
            "identifiers": [{"type": kind, "value": value} for kind, value in self.identifiers],
            "phase": self.phase,
            "sponsor": {"name": self.sponsor} if self.sponsor else None,
            "contact": self.contact,
            "product": dict(self.product),
            "status": self.status,
            "countries": list(self.countries),
            "locations": [{"country": country, "status": status} for country, status in self.locations],
            "cohorts": [{"id": one.id, "label": dict(one.label), "status": one.status} for one in self.cohorts],
            "illustrative": self.illustrative,
            "published": self.published,
            "criteria": {"version": self.criteria_version, "outdated": self.criteria_outdated},
            "eligibility": {"minimum_age": self.minimum_age, "maximum_age": self.maximum_age, "sex": self.sex},
        }


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial with its sites and its criteria; the criteria are kept as they came."""

    trial: Trial
    criteria: Document | None
    sites: tuple[Site, ...]

    @classmethod
    def read(cls, document: Document) -> Self:
        """Read a line of the export or of a snapshot.

        :raises UnreadableDocumentError: a trial or site lacks a field that matching needs.
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
        """Return the document that reads as this record."""
        return {
            "kind": "trial",
            "trial": self.trial.write(),
            "criteria": self.criteria,
            "sites": [site.write() for site in self.sites],
        }


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre of the network. ``lat``, ``lon``: degrees (WGS 84)."""

    id: str
    version: int
    name: str
    city: str
    lat: float
    lon: float

    @classmethod
    def read(cls, document: Document) -> Self:
        """:raises UnreadableDocumentError: a field is missing."""
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
        """Return the document that reads as this centre."""
        return {name: getattr(self, name) for name in ("id", "version", "name", "city", "lat", "lon")}


def canonical(document: Document) -> bytes:
    """Return compact JSON with sorted keys: equal documents give equal bytes."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
