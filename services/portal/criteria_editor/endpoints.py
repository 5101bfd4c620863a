"""Routes of the editor of criteria."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.problems import ApiError
from services.portal.criteria_editor.draft import Draft, draft_in, draft_of
from services.portal.criteria_editor.reading import Edited, read_edited
from services.portal.criteria_editor.service import view_of
from services.portal.pages.access import Reader, Sender
from services.portal.pages.formats import Formats
from services.portal.pages.forms import FORM, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor, Visitor
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable
from shared.values.problems import MalformedJsonError, NotFoundError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Identifier = Annotated[str, Path(max_length=100, description="Any number of the trial.")]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="The number of the proposal.")]
BODY = 2 * 1024 * 1024
# What a form that was refused shows again, with why.
INPUT_STATUSES = frozenset({400, 403, 409, 412, 422})


@router.api_route("/criteria/{trial}", methods=["GET", "HEAD"], summary="Edit the criteria of a trial")
@produces(HTML)
async def edit(
    request: Request,
    access: Reader,
    visitor: CurrentVisitor,
    trial: Identifier,
    proposal: Annotated[int | None, Query(ge=1, le=1_000_000, description="Begin with a proposal.")] = None,
) -> Response:
    """Show the criteria in force, or a proposal, in a form beside the text of the register."""
    edited = await read_edited(visitor.api, trial)
    begun = _proposal(edited, proposal)["criteria"] if proposal else edited.in_force
    return await _editor(request, visitor, edited, draft_of(begun))


@router.post("/criteria/{trial}", summary="Check, try or propose criteria")
@repeatable("a check stores nothing; a proposal carries its own Idempotency-Key")
@accepts(FORM, body_bytes=BODY)
@produces(HTML)
async def send(
    request: Request, access: Sender, visitor: CurrentVisitor, trial: Identifier, form: SubmittedForm
) -> Response:
    """Check what was typed, add a criterion, try it on example patients, or propose it to a second person."""
    edited, draft = await read_edited(visitor.api, trial), draft_in(form, Formats(visitor.language))
    if draft is None:
        raise MalformedJsonError
    action, base, refused = form.one("action"), form.one("etag"), None
    if action == "add":
        return await _editor(request, visitor, edited, draft.with_new_line(), base=base)
    if action == "propose" and draft.is_readable:
        headers = {"Idempotency-Key": form.one("key"), "If-Match": base}
        try:
            await visitor.api.call("POST", _proposals(trial), json=_stated(draft.document), headers=headers)
        except ApiError as error:
            if error.status not in INPUT_STATUSES:
                raise
            refused = error
        else:
            return redirect(visitor, f"/criteria/{segment(trial)}", proposed="1")
    return await _editor(request, visitor, edited, draft, tries=action == "try", refused=refused, base=base)


@router.api_route("/criteria/{trial}/proposals/{number}", methods=["GET", "HEAD"], summary="Proposed criteria")
@produces(HTML)
async def show_proposal(
    request: Request, access: Reader, visitor: CurrentVisitor, trial: Identifier, number: Number
) -> Response:
    """Show proposed criteria beside those in force, with the verdicts that change, to those who may sign them."""
    return await _shown(request, visitor, await read_edited(visitor.api, trial), number, None)


@router.post("/criteria/{trial}/proposals/{number}", summary="Sign or withdraw proposed criteria")
@repeatable("a signature carries its own Idempotency-Key; a proposal is withdrawn once")
@accepts(FORM, body_bytes=16 * 1024)
@produces(HTML)
async def decide(
    request: Request, access: Sender, visitor: CurrentVisitor, trial: Identifier, number: Number, form: SubmittedForm
) -> Response:
    """Sign as another person than the author, or withdraw."""
    place, match = f"{_proposals(trial)}/{number}", {"If-Match": form.one("etag")}
    try:
        if form.one("action") == "withdraw":
            await visitor.api.call("DELETE", place, headers=match)
        else:
            signer = {"signed_by": form.one("signed_by"), "signed_by_rpps": form.one("rpps") or None}
            headers = {**match, "Idempotency-Key": form.one("key")}
            await visitor.api.call("POST", f"{place}/signature", json=signer, headers=headers)
    except ApiError as error:
        if error.status not in INPUT_STATUSES:
            raise
        return await _shown(
            request, visitor, await read_edited(visitor.api, trial), number, error, form.one("signed_by")
        )
    return redirect(visitor, f"/criteria/{segment(trial)}/proposals/{number}")


async def _editor(
    request: Request,
    visitor: Visitor,
    edited: Edited,
    draft: Draft,
    *,
    tries: bool = False,
    refused: ApiError | None = None,
    base: str = "",
) -> Response:
    faults = [dict(one) for one in refused.faults] if refused else []
    formats = Formats(visitor.language)
    view = await view_of(visitor.api, edited, draft, formats, tries=tries, refused=faults, base=base)
    return page(
        request,
        visitor,
        "criteria_editor/editor.html",
        status=refused.status if refused else 200,
        view=view,
        refused=refused,
        live=request.headers.get("hx-request") == "true",
        proposed="proposed" in request.query_params,
        key=uuid.uuid4().hex,
    )


async def _shown(
    request: Request, visitor: Visitor, edited: Edited, number: int, refused: ApiError | None, signer: str = ""
) -> Response:
    proposal = _proposal(edited, number)
    formats = Formats(visitor.language)
    waits = proposal["outcome"] is None
    view = await view_of(visitor.api, edited, draft_of(proposal["criteria"]), formats, tries=waits)
    return page(
        request,
        visitor,
        "criteria_editor/proposal.html",
        status=refused.status if refused else 200,
        view=view,
        proposal=proposal,
        refused=refused,
        signer=signer,
        key=uuid.uuid4().hex,
    )


def _proposal(edited: Edited, number: int) -> dict[str, Any]:
    """:raises NotFoundError: 404."""
    found = next((one for one in edited.proposals if one["number"] == number), None)
    if found is None:
        raise NotFoundError
    return found


def _proposals(trial: str) -> str:
    return f"/registry/v1/trials/{segment(trial)}/criteria/proposals"


def _stated(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in (None, "")}
