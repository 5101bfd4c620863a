"""What the API says of a trial, read for its page."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.problems import ApiError, ApiUnavailableError

MAX_CENTRES = 200


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
    centres: dict[str, dict[str, Any]]
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
    of_trial = f"/registry/v1/trials/{trial['id']}"
    criteria, sites, origins, centres, follow_up, holds, path, names = await asyncio.gather(
        _criteria(api, of_trial),
        _sites(api, of_trial, near),
        api.find(f"{of_trial}/provenance"),
        api.get("/registry/v1/centres", limit=MAX_CENTRES),
        api.find(f"{of_trial}/follow-up"),
        api.find(f"{of_trial}/holds"),
        api.find(f"{of_trial}/regulatory-path"),
        _names(api, [one["code"] for one in trial["conditions"] if one["code"]]),
    )
    return TrialParts(
        trial=trial,
        criteria=criteria[0],
        sentences=criteria[1],
        sites=sites[0],
        near_error=sites[1],
        origins=_items(origins),
        centres={one["id"]: one for one in centres["items"]},
        follow_up=follow_up,
        holds=[one for one in _items(holds) if one["in_force"]],
        path=path,
        names=names,
    )


async def _sites(api: Api, of_trial: str, near: str) -> tuple[list[dict[str, Any]], str]:
    """Return the sites, and what is wrong with the place, if anything is."""
    try:
        return _items(await api.get(f"{of_trial}/sites", near=near)), ""
    except ApiError as error:
        if not near or error.status != 400:
            raise
        fault = error.faults[0]["detail"] if error.faults else error.title
        return _items(await api.get(f"{of_trial}/sites")), fault


async def _criteria(api: Api, of_trial: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    document = await api.find(f"{of_trial}/criteria")
    return document, await sentences_of(api, document) if document else {}


async def sentences_of(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    """Return what each criterion asks in words; nothing where the matching service does not answer: texts remain."""
    try:
        answer = await api.call("POST", "/matching/v1/criteria/check", json=document)
    except (ApiError, ApiUnavailableError):
        return {}
    return {one["criterion"]: one["sentence"] for one in answer.body["sentences"]}


async def _names(api: Api, codes: list[str]) -> dict[str, Any]:
    found = await asyncio.gather(*(api.find("/registry/v1/terminology", code=code) for code in codes))
    return {
        code: answer["concepts"][0]["label"]
        for code, answer in zip(codes, found, strict=True)
        if answer and answer["concepts"]
    }


def _items(answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    return answer["items"] if answer else []


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
