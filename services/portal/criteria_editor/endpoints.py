"""Routes of the editor of criteria."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.problems import FAILURES, ApiError, in_words
from services.portal.criteria_editor.draft import Draft, draft_in, draft_of
from services.portal.criteria_editor.reading import Edited, read_edited, read_or_not
from services.portal.criteria_editor.service import view_of
from services.portal.pages.access import Reader, Sender
from services.portal.pages.formats import Formats
from services.portal.pages.forms import ANSWERED_SECONDS, FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor, Visitor
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable
from shared.values.problems import MalformedJsonError, NotFoundError, UnauthenticatedError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Identifier = Annotated[str, Path(max_length=100, description="Any number of the trial.")]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="The number of the proposal.")]
BODY = 2 * 1024 * 1024
# From here on it is not known whether the service wrote something.
_UNCERTAIN = 500


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
@accepts(FORM, body_bytes=BODY, seconds=ANSWERED_SECONDS)
@produces(HTML)
async def send(
    request: Request, access: Sender, visitor: CurrentVisitor, trial: Identifier, form: SubmittedForm
) -> Response:
    """Check what was typed, add a criterion, try it on example patients, or propose it to a second person.

    Whatever fails: the page comes back with what was typed.
    """
    if visitor.me is None:
        raise UnauthenticatedError
    draft = draft_in(form, Formats(visitor.language))
    if draft is None:
        raise MalformedJsonError
    action, refused = form.one("action"), None
    if action == "propose" and draft.is_readable:
        refused = await _proposed(visitor, trial, form, draft)
        if refused is None:
            return redirect(visitor, f"/criteria/{segment(trial)}", proposed="1")
    edited = await read_or_not(visitor.api, trial, visitor.language)
    shown = draft.with_new_line() if action == "add" else draft
    return await _editor(request, visitor, edited, shown, tries=action == "try", refused=refused, form=form)


async def _proposed(visitor: Visitor, trial: str, form: Form, draft: Draft) -> ApiError | None:
    """Propose a draft. Return why that was refused; None: it was not."""
    headers = {"Idempotency-Key": form.one("key"), "If-Match": form.one("etag")}
    try:
        await visitor.api.call("POST", _proposals(trial), json=_stated(draft.document), headers=headers)
    except FAILURES as error:
        return in_words(error, visitor.language)
    return None


@router.api_route("/criteria/{trial}/proposals/{number}", methods=["GET", "HEAD"], summary="Proposed criteria")
@produces(HTML)
async def show_proposal(
    request: Request, access: Reader, visitor: CurrentVisitor, trial: Identifier, number: Number
) -> Response:
    """Show proposed criteria beside those in force, with the verdicts that change, to those who may sign them."""
    return await _shown(request, visitor, await read_edited(visitor.api, trial), number, None)


@router.post("/criteria/{trial}/proposals/{number}", summary="Sign or withdraw proposed criteria")
@repeatable("a signature carries its own Idempotency-Key; a proposal is withdrawn once")
@accepts(FORM, body_bytes=16 * 1024, seconds=ANSWERED_SECONDS)
@produces(HTML)
async def decide(
    request: Request, access: Sender, visitor: CurrentVisitor, trial: Identifier, number: Number, form: SubmittedForm
) -> Response:
    """Sign as another person than the author, or withdraw."""
    refused = await _decided(visitor, trial, number, form)
    if refused is None:
        return redirect(visitor, f"/criteria/{segment(trial)}/proposals/{number}")
    return await _shown(request, visitor, await read_edited(visitor.api, trial), number, refused, form)


async def _decided(visitor: Visitor, trial: str, number: int, form: Form) -> ApiError | None:
    """Sign or withdraw. Return why that was refused; None: it was not."""
    place, match = f"{_proposals(trial)}/{number}", {"If-Match": form.one("etag")}
    try:
        if form.one("action") == "withdraw":
            await visitor.api.call("DELETE", place, headers=match)
        else:
            signer = {"signed_by": form.one("signed_by"), "signed_by_rpps": form.one("rpps") or None}
            headers = {**match, "Idempotency-Key": form.one("key")}
            await visitor.api.call("POST", f"{place}/signature", json=signer, headers=headers)
    except FAILURES as error:
        return in_words(error, visitor.language)
    return None


async def _editor(
    request: Request,
    visitor: Visitor,
    edited: Edited,
    draft: Draft,
    *,
    tries: bool = False,
    refused: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    faults = [dict(one) for one in refused.faults] if refused else []
    formats, base = Formats(visitor.language), form.one("etag") if form else ""
    view = await view_of(visitor.api, edited, draft, formats, tries=tries, refused=faults, base=base)
    failure = refused or view.failure
    return page(
        request,
        visitor,
        "criteria_editor/editor.html",
        status=failure.status if failure and form else 200,
        view=view,
        refused=refused,
        failure=failure,
        live=request.headers.get("hx-target") == "criteria-check",
        proposed="proposed" in request.query_params,
        key=_key(form, refused),
    )


async def _shown(
    request: Request, visitor: Visitor, edited: Edited, number: int, refused: ApiError | None, form: Form | None = None
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
        typed=lambda name: form.one(name) if form else "",
        key=_key(form, refused),
    )


def _key(form: Form | None, refused: ApiError | None) -> str:
    """Return the Idempotency-Key of a form: the one that it had, unless the API has answered to that one."""
    has_answer = refused is not None and refused.status < _UNCERTAIN
    return form.one("key") if form is not None and not has_answer else uuid.uuid4().hex


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
