"""The pages of dossiers."""

import json
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.names import names_of
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.formats import Formats
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.dossiers.clocks import Waiting, picture_of, table_of
from services.portal.work.dossiers.pages import dossier_page, not_json, written
from services.portal.work.dossiers.reading import DOSSIERS, create, listed
from services.portal.work.dossiers.view import DECISIONS, step_of
from services.portal.work.pages import act, check_correctable, work_page
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
# A digital protocol, in the encoding of a form.
PROTOCOL_BYTES = 12 * 1024 * 1024
CSV = "text/csv"


@router.api_route("/workspace/dossiers", methods=["GET", "HEAD"], summary="Dossiers")
@produces(HTML)
async def list_dossiers(request: Request, access: Reader, visitor: Worker) -> Response:
    """List the dossiers that the visitor may read, by state."""
    return await _list(request, visitor)


@router.get("/workspace/dossiers.csv", summary="Dossiers, as a table")
@produces(CSV)
async def dossier_table(access: Reader, visitor: Worker) -> Response:
    """Return the list with its clocks as CSV."""
    groups = await listed(visitor.api)
    names = await names_of(visitor.api, visitor.me, _owners(groups))
    headers = {"Content-Disposition": 'attachment; filename="cleio-dossiers.csv"', "Cache-Control": "no-store"}
    return Response(table_of(groups, names.organisations), 200, headers, f"{CSV}; charset=utf-8")


@router.post("/workspace/dossiers", summary="Create a dossier")
@accepts(FORM, body_bytes=PROTOCOL_BYTES)
@produces(HTML)
async def create_dossier(request: Request, access: Sender, visitor: Worker, form: SubmittedForm) -> Response:
    """Create a draft: from a number of this registry, from a digital protocol, or empty."""
    try:
        made = await create(visitor, form)
    except json.JSONDecodeError:
        return await _list(request, visitor, error=not_json(visitor), form=form)
    except ApiError as error:
        check_correctable(error)
        return await _list(request, visitor, error=error, form=form)
    return redirect(visitor, f"/workspace/dossiers/{made}", done="create")


@router.api_route("/workspace/dossiers/{submission}", methods=["GET", "HEAD"], summary="A dossier")
@produces(HTML)
async def show_dossier(
    request: Request, access: Reader, visitor: Worker, submission: str, done: str = "", earlier: str = ""
) -> Response:
    """Show a dossier. ``earlier``: the number of the version with which to compare."""
    return await dossier_page(request, visitor, submission, done=done, earlier=earlier)


@router.post("/workspace/dossiers/{submission}", summary="Take a step of a dossier")
@accepts(FORM)
@produces(HTML)
async def take_step(
    request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm
) -> Response:
    """Take a step or decision."""
    where = "decisions" if form.one("action") in DECISIONS else "steps"
    path = f"{DOSSIERS}/{segment(submission)}/{where}"
    return await written(request, visitor, submission, form, lambda: act(visitor, path, form, step_of(form)))


@router.post("/workspace/dossiers/{submission}/comments", summary="Comment on a dossier")
@accepts(FORM)
@produces(HTML)
async def comment(request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm) -> Response:
    """Add a comment."""
    body = {"text": form.one("text"), "pointer": form.one("pointer") or None, "internal": bool(form.one("internal"))}
    path = f"{DOSSIERS}/{segment(submission)}/comments"
    return await written(request, visitor, submission, form, lambda: act(visitor, path, form, body))


@router.post("/workspace/dossiers/{submission}/content", summary="Replace the content of a draft")
@accepts(FORM, body_bytes=PROTOCOL_BYTES)
@produces(HTML)
async def replace_content(
    request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm
) -> Response:
    """Replace the content of a draft."""
    path, version = f"{DOSSIERS}/{segment(submission)}/content", {"If-Match": form.one("etag")}
    return await written(
        request,
        visitor,
        submission,
        form,
        lambda: visitor.api.call("PUT", path, json={"content": json.loads(form.text("content"))}, headers=version),
    )


async def _list(
    request: Request, visitor: Visitor, *, error: ApiError | None = None, form: Form | None = None
) -> Response:
    groups = await listed(visitor.api)
    return await work_page(
        request,
        visitor,
        "work/dossiers.html",
        parties=_owners(groups),
        error=error,
        form=form,
        groups=groups,
        picture=picture_of(groups, Formats(visitor.language)),
    )


def _owners(groups: Sequence[tuple[str, Sequence[Waiting]]]) -> set[str]:
    return {one.dossier["owner"] for _, rows in groups for one in rows}
