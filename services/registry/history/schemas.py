"""The past of a trial on the wire."""

from typing import Any, Literal

from pydantic import Field

from services.registry.history.model import Difference, Version
from services.registry.model.shown import Trial
from services.registry.trials.model import Cause
from shared.values.wire import ApiModel, Instant

_SOURCE = (
    "Who or what made it: the source of a record, such as `ctgov`; `curated`: a person; `declared`: a site; `rules`: "
    "other rules of merging or scope; null: not known."
)
_AUTHOR = "Who made it: the organisation, and the member or client; null: not a person, or the caller may not see it."


class _Made(ApiModel):
    """When a version was made, and by whom."""

    version: int = Field(description="The version.")
    at: Instant = Field(description="When it was written.")
    source: str | None = Field(description=_SOURCE)
    author: str | None = Field(description=_AUTHOR)


def _made(one: Version, *, with_author: bool) -> dict[str, Any]:
    cause = one.cause or Cause("")
    author = cause.author if with_author else None
    return {"version": one.version, "at": one.at, "source": cause.source or None, "author": author}


class TrialVersion(_Made):
    """One version of a trial."""

    audience: Literal["public", "internal"] = Field(description="Who saw it: all, or coordination and authorities.")
    changed: list[str] = Field(description="The fields that it changed.")
    trial: Trial = Field(description="The trial as it was then.")

    @classmethod
    def of(cls, one: Version, *, with_author: bool) -> dict[str, Any]:
        """Return a version as readers get it."""
        made = _made(one, with_author=with_author)
        return {
            **made,
            "at": one.document["updated_at"],
            "audience": "public" if one.published else "internal",
            "changed": list(one.changed),
            "trial": one.document,
        }


class History(ApiModel):
    """A page of the versions of a trial."""

    items: list[TrialVersion] = Field(description="The versions of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class FieldDifference(_Made):
    """A field that differs. ``version``, ``at``, ``source``, ``author``: of the version that changed it last."""

    path: str = Field(description="The field: `status`, `titles.fr`, `eligibility.maximum_age`.")
    before: Any = Field(description="The value in the earlier version; null: none.")
    after: Any = Field(description="The value in the later version; null: none.")

    @classmethod
    def of(cls, one: Difference, *, with_author: bool) -> "FieldDifference":
        """Return a difference as readers get it."""
        made = _made(one.by, with_author=with_author)
        return cls(path=one.path, before=one.before, after=one.after, **made)


class TrialDiff(ApiModel):
    """What differs between two versions of a trial."""

    trial: str = Field(description="The preferred public number of the trial.")
    trial_id: str = Field(description="The id of the trial.")
    from_: int = Field(alias="from", description="The earlier version.")
    to: int = Field(description="The later version.")
    items: list[FieldDifference] = Field(description="The fields that differ.")
