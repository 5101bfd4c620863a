"""Read the opening checklist of a site over the API, and state its items."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of
from services.portal.pages.forms import Form

FIELDS = {"/due": "due", "/done_on": "done_on", "/reference": "reference"}
_TRIALS = "/registry/v1/trials"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """The checklist of a site, its trial, and its centre (None: not known)."""

    checklist: Row
    trial: Row
    centre: Row | None


async def opening_of(api: Api, trial: str, centre: str) -> Opening:
    """Return the opening of a site.

    :raises ApiError: 404, there is no such site, or the visitor is no party of it.
    """
    checklist, document, centres = await asyncio.gather(
        api.get(_path(trial, centre)), api.get(f"{_TRIALS}/{segment(trial)}"), centres_of(api)
    )
    return Opening(checklist, document, centres.get(centre))


async def state_item(api: Api, trial: str, centre: str, form: Form) -> None:
    """State an item as the form says; whose task it is stays. The form holds the version that the visitor saw.

    :raises ApiError: 409, the green light is too early; 412, the item has changed since; 422, a value is wrong.
    """
    version = {"If-Match": form.one("etag")} if form.one("etag") else {"If-None-Match": "*"}
    stated = {name: form.one(name) or None for name in FIELDS.values()}
    await api.call("PUT", f"{_path(trial, centre)}/{segment(form.one('item'))}", json=stated, headers=version)


def _path(trial: str, centre: str) -> str:
    return f"{_TRIALS}/{segment(trial)}/sites/{segment(centre)}/checklist"
