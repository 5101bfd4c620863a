"""The page of the product × site grid."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import Api, segment
from services.portal.clients.names import centres_of, trials_of
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader
from services.portal.pages.forms import Form
from services.portal.pages.rendering import HTML
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
            found = await visitor.api.get(f"/registry/v1/trials/{segment(trial)}/fit")
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
        open_trials=[] if found else await _open_trials(visitor.api),
        centres=await centres_of(visitor.api),
        trials=await trials_of(visitor.api, [found["trial"]] if found else []),
    )


def _place(one: Mapping[str, Any], own: str | None) -> tuple[bool, int]:
    """Return what sorts the visitor's own centre first, then those of which most is known."""
    return one["centre"] != own, sum(1 for item in one["items"] if item["state"] == "to_confirm")


async def _open_trials(api: Api) -> list[Mapping[str, Any]]:
    """Return some trials that recruit, to begin with."""
    found = await api.get("/registry/v1/trials", status="recruiting", fields="identifier,titles", limit=_SHOWN)
    return list(found["items"])


def _cells(found: Mapping[str, Any]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return where each centre stands, by centre and code: one item, or one for each population of the trial."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in found["centres"]:
        for item in one["items"]:
            cells.setdefault((one["centre"], item["code"]), []).append(item)
    return cells
