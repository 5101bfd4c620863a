"""Reads the request of `$match`: a Bundle, or Parameters with one, and the wishes beside it. Pure.

The CodeX services send a Bundle with one entry of Parameters: ``zipCode``, ``travelRadius`` (miles), ``phase`` and
``recruitmentStatus``. The operation style sends Parameters with the Bundle as the resource of ``patient``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.matching.patients.problems import FormatNotSupportedError
from shared.values.problems import Fault
from shared.values.wire import Label

KILOMETRES_PER_MILE: Final = 1.609344
_NO_BUNDLE: Final = Label(
    fr="attendu : un Bundle, ou Parameters dont le paramètre patient est un Bundle",
    en="expected: a Bundle, or Parameters whose parameter patient is a Bundle",
)
_ANY: Final = frozenset({"", "any", "all", "na"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller wants beside the patient. ``radius_km``: greatest distance of the nearest site."""

    departement: str | None = None
    radius_km: float | None = None
    phase: str | None = None
    only_recruiting: bool = False


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """The Bundle of the patient, where it is in the body, and the wishes."""

    bundle: Mapping[str, Any]
    pointer: str
    wishes: Wishes


def read_request(document: Mapping[str, Any]) -> MatchRequest:
    """Return the parts of a request.

    :raises FormatNotSupportedError: 422, there is no Bundle.
    """
    kind = document.get("resourceType")
    if kind == "Bundle":
        entries = document.get("entry")
        if not isinstance(entries, list):
            return MatchRequest(document, "", Wishes())
        wishes = [_resource(entry) for entry in entries if _resource(entry).get("resourceType") == "Parameters"]
        if not wishes:
            return MatchRequest(document, "", Wishes())
        # Entries keep their places: pointers of warnings stay those of the body.
        kept = [entry if _resource(entry) not in wishes else {} for entry in entries]
        return MatchRequest({**document, "entry": kept}, "", _wishes(wishes[0]))
    if kind == "Parameters":
        for index, one in enumerate(_parameters(document)):
            resource = one.get("resource")
            if one.get("name") == "patient" and isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
                return MatchRequest(resource, f"/parameter/{index}/resource", _wishes(document))
    raise FormatNotSupportedError(errors=[Fault(pointer="", code="format_not_supported", detail=_NO_BUNDLE)])


def _wishes(parameters: Mapping[str, Any]) -> Wishes:
    given = {}
    for one in _parameters(parameters):
        values = [value for name, value in one.items() if name.startswith("value")]
        if isinstance(one.get("name"), str) and values:
            given[one["name"]] = str(values[0]).strip()
    miles = given.get("travelRadius", "")
    phase = given.get("phase", "").lower().replace("_", "-").replace(" ", "-")
    status = given.get("recruitmentStatus", "").lower()
    return Wishes(
        _departement(given.get("zipCode", "")),
        float(miles) * KILOMETRES_PER_MILE if miles.replace(".", "", 1).isdigit() else None,
        None if phase in _ANY else phase,
        status in {"active", "recruiting", "open"},
    )


def _departement(postal_code: str) -> str | None:
    """Return the département of a French postal code: `59000` is 59, `97400` is 974, `20200` is 2B."""
    if len(postal_code) != 5 or not postal_code.isdigit():
        return None
    if postal_code.startswith("20"):
        return "2A" if postal_code < "20200" else "2B"
    return postal_code[:3] if postal_code.startswith(("97", "98")) else postal_code[:2]


def _parameters(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = document.get("parameter")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _resource(entry: Any) -> Mapping[str, Any]:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return resource if isinstance(resource, dict) else {}
