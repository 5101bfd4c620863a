"""Read and declare the sites of the visitor's centre over the API."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.pages_of_lists import every
from services.portal.clients.problems import ApiError
from services.portal.pages.forms import Form

_TRIALS = "/registry/v1/trials"
_STALE = 412
_FIELDS = "id,identifier,acronym,titles,status,cohorts,sample"
# A field of open places is named by its cohort; an empty one declares none.
OPEN = "open-"
# Statuses that a centre declares for its own site.
STATUSES = ("not_yet_recruiting", "recruiting", "suspended", "active_not_recruiting", "completed", "terminated")


@dataclass(frozen=True, slots=True)
class CentreSite:
    """A site of the centre with its trial, both as the API shows them."""

    trial: Mapping[str, Any]
    site: Mapping[str, Any]

    @property
    def places(self) -> Mapping[str, int | str]:
        """Open places by cohort of the trial; empty: none are declared."""
        declared = {one["cohort"]: one["open"] for one in self.site["slots"]}
        return {**{one["id"]: "" for one in self.trial["cohorts"]}, **declared}


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


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A site that was confirmed now. ``before``: the time of its confirmation before, None: there was none."""

    trial: str
    version: int
    before: str | None

    @property
    def undoing(self) -> str:
        """What the form that undoes it sends."""
        return f"{self.trial}|{self.version}|{self.before}" if self.before else ""


async def confirm(api: Api, centre: str, seen: Iterable[str]) -> tuple[Sequence[Confirmation], Sequence[str]]:
    """Say of sites that their declared status and places are still true.

    ``seen``: ``trial|version`` of each, as the visitor saw it. Return what was confirmed, and the trials whose sites
    have changed since: these stay as they are.
    """
    asked = dict(one.split("|", 1) for one in seen if "|" in one)
    sites = [one for one in await sites_of(api, centre) if one.trial["id"] in asked and one.site["declared_status"]]
    made = await asyncio.gather(*(_again(api, centre, one, asked[one.trial["id"]], None) for one in sites))
    done = [
        Confirmation(one.trial["id"], version, one.site["confirmed_at"])
        for one, version in zip(sites, made, strict=True)
        if version is not None
    ]
    return done, sorted(asked.keys() - {one.trial for one in done})


async def undo(api: Api, centre: str, undoing: Iterable[str]) -> Sequence[str]:
    """Give sites the time of their confirmation before. Return the trials whose sites have changed since."""
    asked = {trial: (version, before) for trial, version, before in (one.split("|", 2) for one in undoing)}
    sites = [one for one in await sites_of(api, centre) if one.trial["id"] in asked]
    made = await asyncio.gather(*(_again(api, centre, one, *asked[one.trial["id"]]) for one in sites))
    return [one.trial["id"] for one, version in zip(sites, made, strict=True) if version is None]


async def _again(api: Api, centre: str, one: CentreSite, version: str, confirmed_at: str | None) -> int | None:
    """Declare what a site has already. ``confirmed_at``: None: now. Return its version; None: it has changed since."""
    slots = [{"cohort": slot["cohort"], "open": slot["open"]} for slot in one.site["slots"]]
    declared = {"status": one.site["declared_status"], "confirmed_at": confirmed_at, "slots": slots}
    try:
        answer = await api.call(
            "PUT", _path(one.trial["id"], centre), json=declared, headers={"If-Match": f'"v{version}"'}
        )
    except ApiError as error:
        if error.status != _STALE:
            raise
        return None
    return int(answer.body["version"])


async def declare(api: Api, trial: str, centre: str, form: Form) -> None:
    """Declare status and open places of a site as of now. The form holds the version that the visitor saw.

    :raises ApiError: 412, the site has changed since; 422, a value is wrong.
    """
    declared = {
        "status": form.one("status"),
        "confirmed_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "slots": [
            {"cohort": name.removeprefix(OPEN), "open": int(count) if count.isdecimal() else count}
            for name in form.names()
            if name.startswith(OPEN) and (count := form.one(name))
        ],
    }
    await api.call("PUT", _path(trial, centre), json=declared, headers={"If-Match": form.one("etag")})


def _path(trial: str, centre: str) -> str:
    return f"{_TRIALS}/{segment(trial)}/sites/{segment(centre)}"
