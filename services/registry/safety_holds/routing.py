"""Feed entries of safety holds. Pure."""

from typing import Literal

from services.registry.safety_holds.model import Hold, TrialClass
from services.registry.trials.model import StoredTrial
from shared.feed.changes import NOT_VISIBLE, Change, Routing

HoldChange = Literal["imposed", "lifted"]


def change_of_hold(hold: Hold, trial: StoredTrial, owner: str | None, what: HoldChange) -> Change:
    """Return the feed entry of a hold: for all who see the trial, and its owner. The name of a product is a text."""
    audience = trial.routing.audience | {"coordination", *_owner(owner)}
    routing = Routing(audience, trial.routing.facets)
    extra = {"trial": trial.trial.identifier, "trial_id": trial.key, "scope": hold.scope}
    if hold.target is not None and hold.scope != "product":
        extra["target"] = hold.target
    before = NOT_VISIBLE if what == "imposed" else routing
    return Change("trial.safety_hold", f"safety_hold/{hold.id}", hold.version, before, routing, (what,), extra)


def class_alert(hold: Hold, other: TrialClass, shared: tuple[str, ...]) -> Change:
    """Return the feed entry for the parties of another trial of the same class. ``shared``: what both have."""
    parties = {"coordination", *_owner(other.owner), *(f"centre:{centre}" for centre in other.centres)}
    routing = Routing(frozenset(parties), other.facets)
    extra = {"trial": other.identifier, "trial_id": other.key, "hold": hold.id}
    return Change("trial.class_alert", f"class_alert/{other.key}", hold.version, routing, routing, shared, extra)


def _owner(owner: str | None) -> tuple[str, ...]:
    return () if owner is None else (f"organisation:{owner}",)
