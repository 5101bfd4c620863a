"""A trial as readers get it: as it is stored, with the present state of its sites, which is not of its version."""

from pydantic import Field

from services.registry.model import trial
from shared.values.wire import Instant


class ShownSite(trial.TrialSite):
    """A member centre of the trial and its present status."""

    confirmed_at: Instant | None = Field(
        default=None, description="When the centre or the coordination last confirmed the status; null: never."
    )
    stale: bool = Field(default=True, description="Whether it was not confirmed within the past 30 days.")


class Trial(trial.Trial):
    """A trial as readers get it."""

    sites: list[ShownSite] = Field(  # type: ignore[assignment]  # narrower, and never written
        default_factory=list,
        description="The member centres of the trial, each with its present status: what was declared, else what the "
        "sources say. It is joined when the trial is read: a change of it raises the version of the site "
        "(`/trials/{identifier}/sites`), not of the trial. Versions of the past have what the sources said.",
    )
