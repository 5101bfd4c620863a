"""Read places over the API, and send what a form decides."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, trials_of
from services.portal.clients.pages_of_lists import every
from services.portal.pages.forms import Form
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import act
from services.portal.work.places.view import (
    TrialPlaces,
    cohorts_of,
    decision_of,
    declaration_of,
    release_of,
    sets_staggering,
)
from services.portal.work.workers import may_edit

_API = "/registry/v1"
Row = Mapping[str, Any]


async def places_of_all(api: Api) -> tuple[Sequence[tuple[str, Sequence[Row]]], Mapping[str, Row]]:
    """Return the places of the visitor's trials by trial, and the trials by id."""
    found: dict[str, list[Row]] = {}
    for one in await every(api, f"{_API}/enrolment"):
        found.setdefault(one["trial_id"], []).append(one)
    return list(found.items()), await trials_of(api, found)


async def number_of(api: Api, trial: str) -> str | None:
    """Return the id of a trial whose places the visitor may read; None: there is no such trial."""
    found = await api.find(f"{_API}/trials/{segment(trial)}/enrolment")
    return None if found is None else str((await api.get(f"{_API}/trials/{segment(trial)}"))["id"])


async def places_of(visitor: Visitor, trial: str) -> TrialPlaces:
    """Return the places of a trial, with those who wait and those who have one, as far as the visitor may see them.

    :raises ApiError: 404, there is no such trial, or it is of another sponsor.
    """
    assert visitor.me is not None
    api, path = visitor.api, f"{_API}/trials/{segment(trial)}"
    offered, document, sites, centres = await asyncio.gather(
        api.get(f"{path}/enrolment"), api.get(path), api.get(f"{path}/sites"), centres_of(api)
    )
    lists = await asyncio.gather(
        *(api.find(f"{_site(path, one['centre'], one['cohort'])}/places") for one in offered["items"])
    )
    mine = [
        one["centre"]
        for one in sites["items"]
        if visitor.me["kind"] != "centre" or one["centre"] == visitor.me["centre"]
    ]
    rows = list(zip(offered["items"], lists, strict=True))
    writes = may_edit(visitor)
    cohorts = cohorts_of(
        document["cohorts"], rows, mine if writes else (), releases=writes and sets_staggering(visitor.me)
    )
    return TrialPlaces(document, centres, cohorts, mine)


async def send(visitor: Visitor, trial: str, form: Form) -> None:
    """Send what a form of the page says.

    :raises ApiError: the API refused it.
    """
    assert visitor.me is not None
    path, cohort = f"{_API}/trials/{segment(trial)}", form.one("cohort")
    site = _site(path, form.one("centre"), cohort)
    if form.one("action") == "release":
        await act(visitor, f"{path}/enrolment/{segment(cohort)}/release", form, release_of(form))
    elif form.one("action") == "declare":
        version = {"If-Match": form.one("etag")} if form.one("etag") else {"If-None-Match": "*"}
        await visitor.api.call("PUT", site, json=declaration_of(form, visitor.me["kind"]), headers=version)
    else:
        await act(visitor, f"{site}/places/{segment(form.one('referral'))}/decision", form, decision_of(form))


def _site(path: str, centre: str, cohort: str) -> str:
    return f"{path}/sites/{segment(centre)}/enrolment/{segment(cohort)}"
