"""The prefetch of a call as one Bundle of a patient. Pure."""

from collections.abc import Mapping
from typing import Any

from services.matching.cds_hooks.catalogue import PATIENT
from services.matching.cds_hooks.problems import PrefetchMissingError


def bundle_of(prefetch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a searchset of all resources, with a link ``next`` where one of the Bundles has more pages.

    :raises PrefetchMissingError: 412, the patient is missing.
    """
    given = prefetch or {}
    patient = given.get(PATIENT)
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise PrefetchMissingError
    entries: list[dict[str, Any]] = [{"resource": patient}]
    links: list[Any] = []
    for name, value in given.items():
        if name == PATIENT or not isinstance(value, dict):
            continue
        if value.get("resourceType") == "Bundle":
            listed = value.get("entry")
            entries += [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            pages = value.get("link")
            links += [one for one in pages if isinstance(one, dict)] if isinstance(pages, list) else []
        else:
            entries.append({"resource": value})
    following = [link for link in links if link.get("relation") == "next"][:1]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | (
        {"link": following} if following else {}
    )
