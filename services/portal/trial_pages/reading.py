"""What the API says of a trial, read for its page."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, concepts_of
from services.portal.clients.problems import ApiError, ApiUnavailableError


@dataclass(frozen=True, slots=True)
class TrialParts:
    """The answers of the API, as JSON. What is None or empty is not there, or not for this visitor.

    ``centres``: by id. ``sentences``: of the criteria, by the id of the criterion. ``names``: of the diseases, by code.
    ``near_error``: why the sites have no distances although a place was asked for.
    """

    trial: dict[str, Any]
    criteria: dict[str, Any] | None
    sentences: dict[str, Any]
    sites: list[dict[str, Any]]
    near_error: str
    origins: list[dict[str, Any]]
    centres: Mapping[str, Mapping[str, Any]]
    follow_up: dict[str, Any] | None
    holds: list[dict[str, Any]]
    path: dict[str, Any] | None
    names: dict[str, Any]


async def read_trial(api: Api, identifier: str) -> dict[str, Any]:
    """Return a trial by any of its numbers.

    :raises ApiError: 404, there is none, or not for this visitor.
    """
    found: dict[str, Any] = await api.get(f"/registry/v1/trials/{segment(identifier)}")
    return found


async def read_parts(api: Api, trial: dict[str, Any], near: str) -> TrialParts:
    """Return everything else that the page of a trial shows.

    ``near``: a place; the sites then have their distance.
    """
    path = f"/registry/v1/trials/{trial['id']}"
    (overview, near_error), centres, steps, concepts = await asyncio.gather(
        _overview(api, path, near),
        centres_of(api),
        # For those who take part in opening its sites.
        api.find(f"{path}/regulatory-path") if api.has_token else _nothing(),
        concepts_of(api, [one["code"] for one in trial["conditions"] if one["code"]]),
    )
    criteria = overview["criteria"]
    return TrialParts(
        trial=trial,
        criteria=criteria,
        sentences=await sentences_of(api, criteria) if criteria else {},
        sites=overview["sites"],
        near_error=near_error,
        origins=overview["provenance"],
        centres=centres,
        follow_up=overview["follow_up"],
        holds=[one for one in overview["holds"] if one["in_force"]],
        path=steps,
        names={code: one["label"] for code, one in concepts.items()},
    )


async def _overview(api: Api, path: str, near: str) -> tuple[dict[str, Any], str]:
    """Return what belongs to a trial, and what is wrong with the place, if anything is."""
    try:
        return await api.get(f"{path}/overview", near=near), ""
    except ApiError as error:
        if not near or error.status != 400:
            raise
        fault = error.faults[0]["detail"] if error.faults else error.title
        return await api.get(f"{path}/overview"), fault


async def _nothing() -> None:
    return None


async def sentences_of(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    """Return what each criterion asks in words; nothing where the matching service does not answer: texts remain."""
    try:
        answer = await api.call("POST", "/matching/v1/criteria/check", json=document)
    except (ApiError, ApiUnavailableError):
        return {}
    return {one["criterion"]: one["sentence"] for one in answer.body["sentences"]}


@dataclass(frozen=True, slots=True)
class HistoryParts:
    """A page of versions, and what the chosen version changed; None: none was chosen, or it is the first one."""

    versions: dict[str, Any]
    diff: dict[str, Any] | None


async def read_history(api: Api, trial: str, version: int | None, cursor: str | None) -> HistoryParts:
    """Return the versions of a trial, newest first, and what ``version`` changed; None: what the newest changed."""
    of_trial = f"/registry/v1/trials/{trial}"
    versions, diff = await asyncio.gather(
        api.get(f"{of_trial}/history", limit=20, cursor=cursor), api.find(f"{of_trial}/history/diff", to=version)
    )
    return HistoryParts(versions, diff)
