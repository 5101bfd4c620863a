"""Answers of the trial endpoints that hold more than one trial or site."""

import json
from collections.abc import Sequence

from services.registry.model.trial import Site, Trial
from shared.values.wire import ApiModel


class TrialPage(ApiModel):
    items: list[Trial]
    next: str | None
    total: int | None = None


class SiteList(ApiModel):
    items: list[Site]


class TrialVersion(ApiModel):
    """One version of a trial: which fields it changed, and the trial as it was then."""

    version: int
    at: str
    changed: list[str]
    trial: Trial


class History(ApiModel):
    items: list[TrialVersion]
    next: str | None


def page_text(documents: Sequence[str], following: str | None, total: int | None) -> str:
    """Return a page of stored documents as JSON, without parsing them."""
    count = "" if total is None else f',"total":{total}'
    return f'{{"items":[{",".join(documents)}],"next":{json.dumps(following)}{count}}}'
