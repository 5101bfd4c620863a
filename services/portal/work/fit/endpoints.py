"""The page of the product × site grid."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.names import centres_of, trials_of
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader
from services.portal.pages.forms import Form
from services.portal.pages.rendering import HTML
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import work_page
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, produces

_SHOWN = 12
router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/workspace/fit", methods=["GET", "HEAD"], summary="Which centres can give a product")
@produces(HTML)
async def show_fit(request: Request, access: Reader, visitor: Worker, trial: str = "") -> Response:
    """Show what the product of a trial needs of a site, and where each centre stands."""
    found, error = None, None
    if trial:
        try:
            found = await visitor.api.get(_grid(trial))
            found["centres"].sort(key=lambda one: _place(one, visitor.me["centre"] if visitor.me else None))
        except ApiError as refused:
            if refused.status not in {404, 422}:
                raise
            error = refused
    return await work_page(
        request,
        visitor,
        "work/fit.html",
        error=error,
        form=Form({"trial": [trial]}),
        found=found,
        cells=_cells(found) if found else {},
        open_trials=[] if found else await _open_trials(visitor),
        centres=await centres_of(visitor.api),
        trials=await trials_of(visitor.api, [found["trial"]] if found else []),
    )


def _place(one: Mapping[str, Any], own: str | None) -> tuple[bool, int]:
    """Return what sorts the visitor's own centre first, then those of which most is known."""
    return one["centre"] != own, sum(1 for item in one["items"] if item["state"] == "to_confirm")


async def _open_trials(visitor: Visitor) -> list[Mapping[str, Any]]:
    """Return some trials that recruit, to begin with. A sponsor reads the grid of its own trials alone."""
    found = await visitor.api.get("/registry/v1/trials", status="recruiting", fields="identifier,titles", limit=_SHOWN)
    trials: list[Mapping[str, Any]] = found["items"]
    if visitor.me is None or visitor.me["kind"] != "sponsor":
        return trials
    grids = await asyncio.gather(*(visitor.api.find(_grid(one["identifier"])) for one in trials))
    return [one for one, grid in zip(trials, grids, strict=True) if grid is not None]


def _grid(trial: str) -> str:
    return f"/registry/v1/trials/{segment(trial)}/fit"


def _cells(found: Mapping[str, Any]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return where each centre stands, by centre and code: one item, or one for each population of the trial."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in found["centres"]:
        for item in one["items"]:
            cells.setdefault((one["centre"], item["code"]), []).append(item)
    return cells
