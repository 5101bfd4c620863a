"""Facilities as records write them, and the places that they are. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.registry.merge.reading import Record, Said
from services.registry.merge.sources import authority
from shared.vocabulary.recruitment import RecruitmentStatus, more_open, site_status
from shared.vocabulary.text import fold

PlaceKind = Literal["centre", "hospital", "none"]
# Which member centre a facility (name, city, country) is by its name.
CentreOf = Callable[[str | None, str | None, str | None], str | None]


def facility_key(facility: str | None, city: str | None, country: str | None) -> str:
    """Return the key of a facility text, the same whatever accents, case and signs."""
    parts = (fold(facility or ""), fold(city or ""), country or "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a person says which place a facility text is. ``place``: id of a centre or FINESS number of a hospital."""

    key: str
    number: int
    facility: str
    city: str | None
    country: str | None
    kind: PlaceKind
    place: str | None
    reason: str
    author: str
    at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    @property
    def centre(self) -> str | None:
        return self.place if self.kind == "centre" else None

    @property
    def finess(self) -> str | None:
        return self.place if self.kind == "hospital" else None


Assigned = Mapping[str, Assignment]


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility that a record names. ``source_status``: what it says of it; None: nothing."""

    key: str
    facility: str | None
    city: str | None
    country: str | None
    source_status: RecruitmentStatus | None = None
    centre: str | None = None
    finess: str | None = None
    named: bool = True


def facilities_of(records: Iterable[Record], assigned: Assigned, centre_of: CentreOf) -> dict[str, Facility]:
    """Return the facilities that the records of a trial name now, by key: each as the first source gives it."""
    found: dict[str, Facility] = {}
    for record in sorted(records, key=lambda one: (authority(one.source).rank, one.source, one.source_id)):
        for key, location in _located(record):
            if key not in found or found[key].source_status is None:
                place = assigned.get(key)
                found[key] = Facility(
                    key, location.get("facility"), location.get("city"), location.get("country"),
                    location.get("status"), place.centre if place else _by_name(location, centre_of),
                    place.finess if place else None,
                )  # fmt: skip
    return found


def placed(record: Record, assigned: Assigned, centre_of: CentreOf) -> Record:
    """Return a record whose sites follow what people say of its facility texts."""
    located = _located(record)
    if not any(key in assigned for key, _ in located):
        return record
    said = record.said["locations"]
    sites = {one["centre"]: one["status"] for one in _value(record, "sites") or ()}
    centres = [assigned[key].centre if key in assigned else _by_name(one, centre_of) for key, one in located]
    # The sites that gain or lose a facility are made again from those that they have; the others stay.
    concerned = {_by_name(one, centre_of) for key, one in located if key in assigned}
    concerned |= {one.centre for key, _ in located if (one := assigned.get(key))}
    for centre in concerned:
        if centre is not None:
            sites.pop(centre, None)
    for centre, (_, location) in zip(centres, located, strict=True):
        if centre is not None and centre in concerned:
            status = location.get("status") or site_status(_value(record, "status") or "unknown")
            sites[centre] = more_open(sites.get(centre, status), status)
    value = [{"centre": centre, "status": status} for centre, status in sorted(sites.items())]
    return replace(record, said={**record.said, "sites": Said(value, said.version, said.dated)})


def _located(record: Record) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the places of a record with their keys."""
    return [
        (facility_key(one.get("facility"), one.get("city"), one.get("country")), one)
        for one in _value(record, "locations") or ()
        if one.get("facility") or one.get("country")
    ]


def _by_name(location: Mapping[str, Any], centre_of: CentreOf) -> str | None:
    return centre_of(location.get("facility"), location.get("city"), location.get("country"))


def _value(record: Record, path: str) -> Any:
    said = record.said.get(path)
    return None if said is None else said.value
