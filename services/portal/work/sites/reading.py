"""Read and declare the sites of the visitor's centre over the API."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.pages_of_lists import every
from services.portal.pages.forms import Form

_TRIALS = "/registry/v1/trials"
_FIELDS = "id,identifier,acronym,titles,status,cohorts,sample"
# Statuses that a centre declares for its own site.
STATUSES = ("not_yet_recruiting", "recruiting", "suspended", "active_not_recruiting", "completed", "terminated")


@dataclass(frozen=True, slots=True)
class CentreSite:
    """A site of the centre with its trial, both as the API shows them."""

    trial: Mapping[str, Any]
    site: Mapping[str, Any]


async def sites_of(api: Api, centre: str) -> Sequence[CentreSite]:
    """Return the sites of a centre: those to confirm first, then by the day of their last confirmation."""
    trials = await every(api, _TRIALS, centre=centre, fields=_FIELDS)
    listed = await asyncio.gather(*(api.get(f"{_TRIALS}/{segment(one['id'])}/sites") for one in trials))
    found = [
        CentreSite(trial, site)
        for trial, sites in zip(trials, listed, strict=True)
        for site in sites["items"]
        if site["centre"] == centre
    ]
    return sorted(found, key=lambda one: (not one.site["stale"], one.site["confirmed_at"] or ""))


async def declare(api: Api, trial: str, centre: str, form: Form) -> None:
    """Declare status and open places of a site as of now. The form holds the version that the visitor saw.

    :raises ApiError: 412, the site has changed since; 422, a value is wrong.
    """
    declared = {
        "status": form.one("status"),
        "confirmed_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "slots": [
            {"cohort": cohort, "open": int(count)}
            for cohort, count in zip(form.every("cohort"), form.every("open"), strict=True)
            if count.isdecimal()
        ],
    }
    path = f"{_TRIALS}/{segment(trial)}/sites/{segment(centre)}"
    await api.call("PUT", path, json=declared, headers={"If-Match": form.one("etag")})
