"""Removes persons from source records, before anything is hashed or stored. Pure."""

from collections.abc import Mapping
from typing import Any, Final

# Parts of records that name persons, wherever they occur, and the members that are kept of each: what they do and for
# which organisation. `docs/data-protection.md` has the same list.
KEPT: Final[Mapping[str, frozenset[str]]] = {
    "centralContacts": frozenset({"role"}),
    "contacts": frozenset({"role"}),
    "overallOfficials": frozenset({"role", "affiliation"}),
    "responsibleParty": frozenset({"type", "investigatorAffiliation", "oldOrganization"}),
    "pointOfContact": frozenset({"organization"}),
}


def without_persons(record: Any) -> Any:
    """Return a JSON value without the names, titles, telephone numbers and addresses of persons.

    The order of members stays. Free texts stay as they are.
    """
    if isinstance(record, list):
        return [without_persons(item) for item in record]
    if not isinstance(record, dict):
        return record
    return {
        name: _reduced(value, KEPT[name]) if name in KEPT else without_persons(value) for name, value in record.items()
    }


def _reduced(value: Any, kept: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_reduced(item, kept) for item in value]
    if not isinstance(value, dict):
        return None
    return {name: item for name, item in value.items() if name in kept and isinstance(item, str)}
