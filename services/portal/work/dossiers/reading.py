"""Read and create dossiers over the API."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.portal.clients.api import Api, segment
from services.portal.clients.pages_of_lists import every
from services.portal.pages.ages import age_range
from services.portal.pages.forms import Form
from services.portal.pages.visitors import Visitor
from services.portal.work.dossiers.view import NEED_REASON, days_in_state, possible, pretty, value_text
from services.portal.work.pages import act
from shared.values.language import Language

DOSSIERS = "/registry/v1/submissions"
_PARIS = ZoneInfo("Europe/Paris")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier with all that its page shows. ``diff``: None: nothing is compared."""

    document: Row
    screening: Row
    versions: Sequence[Row]
    comments: Sequence[Row]
    diff: Row | None
    since: str
    working_days: int

    @property
    def actions(self) -> Sequence[str]:
        """What the visitor can do."""
        return possible(self.document)

    @property
    def content(self) -> str:
        """The content as JSON."""
        return pretty(self.document["content"])

    def ages(self, language: Language) -> str:
        """Write the age range of the study."""
        eligibility = (self.document["content"].get("trial") or {}).get("eligibility") or {}
        return age_range(eligibility.get("minimum_age"), eligibility.get("maximum_age"), language)

    def needs_reason(self, action: str) -> bool:
        """Return whether the API wants a reason for an action."""
        return action in NEED_REASON

    def text(self, value: Any) -> str:
        """Write a value of the diff."""
        return value_text(value)


async def read(api: Api, submission: str, earlier: str) -> Dossier:
    """Return a dossier. ``earlier``: the number of the version with which to compare; empty: none."""
    path = f"{DOSSIERS}/{segment(submission)}"
    document, screening, versions, comments, diff = await asyncio.gather(
        api.get(path),
        api.get(f"{path}/screening"),
        api.get(f"{path}/versions"),
        every(api, f"{path}/comments"),
        _diff(api, path, earlier),
    )
    since, days = days_in_state(document["steps"], datetime.now(_PARIS).date())
    return Dossier(document, screening, versions["items"], comments, diff, since, days)


async def _diff(api: Api, path: str, earlier: str) -> Row | None:
    if not earlier.isdecimal():
        return None
    found: Row | None = await api.find(f"{path}/versions/diff", **{"from": earlier})
    return found


async def create(visitor: Visitor, form: Form) -> str:
    """Create a draft from a protocol (``usdm``) or from a number (``from``). Return its reference.

    :raises ApiError: the API refused it. :raises json.JSONDecodeError: the protocol is not JSON.
    """
    if form.one("usdm"):
        made = await act(visitor, f"{DOSSIERS}/usdm", form, json.loads(form.text("usdm")))
        return str(made["submission"]["reference"])
    body = {"from": form.one("from")} if form.one("from") else {}
    return str((await act(visitor, DOSSIERS, form, body))["reference"])
