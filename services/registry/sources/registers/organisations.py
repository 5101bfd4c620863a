"""Organisations of a trial beside its sponsor, and the member centres among its places."""

from collections.abc import Iterable, Sequence

from services.registry.model.trial import Location, Sponsor, TrialSite
from services.registry.sources import ctgov_codes
from services.registry.sources.places import CentreRule, member_centre
from shared.vocabulary.recruitment import RecruitmentStatus, site_status


def collaborators(lead: Sponsor | None, names: Iterable[str | None]) -> list[str]:
    """Return each organisation once, whatever the case of its name, without the sponsor."""
    others: dict[str, str] = {}
    for name in names:
        if name is not None and (lead is None or name.casefold() != lead.name.casefold()):
            others.setdefault(name.casefold(), name)
    return list(others.values())


def sponsor(name: str | None, *, commercial: bool) -> Sponsor | None:
    """Return a sponsor of which it is known whether it is commercial."""
    if name is None:
        return None
    return Sponsor(name=name, kind="industry" if commercial else ctgov_codes.sponsor_kind("OTHER", name))


def member_sites(
    places: Iterable[Location], status: RecruitmentStatus, centres: Sequence[CentreRule]
) -> list[TrialSite]:
    """Return the member centres among the places.

    ``status``: of the trial, or of France. A centre has it only where it says that no centre recruits.
    """
    found = {
        centre: TrialSite(centre=centre, status=site_status(status))
        for place in places
        if place.country == "FR" and (centre := member_centre(place.facility, place.city, centres)) is not None
    }
    return list(found.values())
