"""Events of what the parties of a trial state. Pure."""

from services.registry.preparation.model import Party, Stated
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Change, Routing


def change_of_preparation(party: Party, stated: Stated) -> Change:
    """Return the feed entry of a new version, for the owner of the trial, its centres and the coordination."""
    trial, place = party.stored, stated.place
    centres = {place.centre} if place.centre else party.sites
    audience = {"coordination", *(f"centre:{one}" for one in centres)}
    if party.owner is not None:
        audience.add(f"organisation:{party.owner}")
    facets = {TRIAL_FACET: trial.aliases, "centre": frozenset(centres)}
    parties = Routing(frozenset(audience), facets)
    extra = {"trial": trial.trial.identifier, "trial_id": trial.key, "part": place.part}
    extra |= {name: value for name, value in (("centre", place.centre), ("item", place.item)) if value}
    subject = "/".join(filter(None, ("activation", trial.key, place.part, place.centre, place.item)))
    before = NOT_VISIBLE if stated.version == 1 else parties
    return Change("activation.changed", subject, stated.version, before, parties, (), extra)
