"""Events of capabilities. Pure."""

from services.registry.capabilities.model import Capability
from shared.feed.changes import NOT_VISIBLE, Change, Routing

_STATED = ("held", "scope", "scope_note", "valid_from", "valid_until", "planned_from", "evidence")


def change_of_capability(before: Capability | None, after: Capability, departement: str | None) -> Change:
    """Return the feed entry of a new version: for everyone, since everyone sees what is valid."""
    facets = {"centre": frozenset({after.centre}), "departement": frozenset({departement} if departement else ())}
    public = Routing(frozenset({"public"}), facets)
    was_there = before is not None and not before.removed
    changed = tuple(name for name in _STATED if before is None or getattr(before, name) != getattr(after, name))
    sides = (public if was_there else NOT_VISIBLE, NOT_VISIBLE if after.removed else public)
    extra = {"centre": after.centre, "code": after.code}
    subject = f"capability/{after.centre}/{after.code}"
    return Change("capability.changed", subject, after.version, *sides, changed, extra)


def alarm_of(one: Capability, days: int) -> Change:
    """Return the feed entry of a capability that expires. It has a subject of its own: other readers do not get it."""
    parties = Routing(frozenset({"coordination", f"centre:{one.centre}"}), {"centre": frozenset({one.centre})})
    extra = {"centre": one.centre, "code": one.code, "days": str(days)}
    subject = f"capability_expiry/{one.centre}/{one.code}"
    return Change("capability.expiring", subject, one.version, parties, parties, ("state",), extra)
