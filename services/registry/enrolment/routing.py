"""Feed entries of places: ids and states, no numbers. Pure."""

from typing import Literal

from services.registry.enrolment.model import Cohort, Place
from shared.feed.changes import Change, Routing

PlaceEvent = Literal["enrolment.requested", "enrolment.decided", "enrolment.expired", "enrolment.decision_due"]


def change_of_cohort(cohort: Cohort, version: int, changed: str) -> Change:
    """Return the feed entry of changed places, for all who see the site."""
    parties = cohort.routing.audience | _parties(cohort)
    extra = {"trial": cohort.identifier, "trial_id": cohort.trial_key, "centre": cohort.centre, "cohort": cohort.cohort}
    both = _at(parties, cohort)
    return Change("enrolment.changed", f"enrolment/{'/'.join(cohort.id)}", version, both, both, (changed,), extra)


def change_of_place(what: PlaceEvent, place: Place, cohort: Cohort) -> Change:
    """Return the feed entry of the place of a referral, for the coordination and who allocates it."""
    parties = _parties(cohort)
    if cohort.allocation != "sponsor":
        parties -= {f"organisation:{cohort.owner}"}
    extra = {
        "trial": cohort.identifier, "trial_id": place.trial_key, "centre": place.centre, "cohort": place.cohort,
        "state": place.state,
    }  # fmt: skip
    both = _at(parties, cohort)
    changed = "too_late" if place.too_late else "state"
    return Change(what, f"place/{place.referral}", place.version, both, both, (changed,), extra)


def _parties(cohort: Cohort) -> frozenset[str]:
    owner = {f"organisation:{cohort.owner}"} if cohort.owner else set()
    return frozenset({"coordination", f"centre:{cohort.centre}", *owner})


def _at(audience: frozenset[str], cohort: Cohort) -> Routing:
    routing = cohort.routing
    centres = routing.facets.get("centre", frozenset()) | {cohort.centre}
    return Routing(audience, {**routing.facets, "centre": centres})
