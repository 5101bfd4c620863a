"""Feed entries of places: ids and states, no numbers. Pure."""

from typing import Literal

from services.registry.enrolment.model import Cohort, Place
from shared.feed.changes import Change, Routing

PlaceEvent = Literal["requested", "decided", "expired", "decision_due"]


def change_of_cohort(cohort: Cohort, version: int, identifier: str, routing: Routing, changed: str) -> Change:
    """Return the feed entry of changed places, for all who see the site. ``routing``: of the trial."""
    parties = routing.audience | _parties(cohort)
    extra = {"trial": identifier, "trial_id": cohort.trial_key, "centre": cohort.centre, "cohort": cohort.cohort}
    both = _at(parties, routing, cohort)
    return Change("enrolment.changed", f"enrolment/{'/'.join(cohort.id)}", version, both, both, (changed,), extra)


def change_of_place(
    what: PlaceEvent,
    place: Place,
    cohort: Cohort,
    identifier: str,
    routing: Routing,
    changed: str = "state",
) -> Change:
    """Return the feed entry of the place of a referral, for the coordination and who allocates it."""
    parties = _parties(cohort)
    if cohort.allocation != "sponsor":
        parties -= {f"organisation:{cohort.owner}"}
    extra = {
        "trial": identifier, "trial_id": place.trial_key, "centre": place.centre, "cohort": place.cohort,
        "state": place.state,
    }  # fmt: skip
    both = _at(parties, routing, cohort)
    return Change(f"enrolment.{what}", f"place/{place.referral}", place.version, both, both, (changed,), extra)


def _parties(cohort: Cohort) -> frozenset[str]:
    owner = {f"organisation:{cohort.owner}"} if cohort.owner else set()
    return frozenset({"coordination", f"centre:{cohort.centre}", *owner})


def _at(audience: frozenset[str], routing: Routing, cohort: Cohort) -> Routing:
    centres = routing.facets.get("centre", frozenset()) | {cohort.centre}
    return Routing(audience, {**routing.facets, "centre": centres})
