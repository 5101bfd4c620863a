"""Routes of the match workbench. A record travels in the body of a POST only, and nothing is stored."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.days import today
from services.portal.pages.forms import ANSWERED_SECONDS, FORM, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor, Visitor
from services.portal.workbench.model import Outcome
from services.portal.workbench.presenting import presented
from services.portal.workbench.service import Workbench
from services.portal.workbench.state import State
from shared.http.route import ApiRoute, accepts, produces
from shared.values.problems import UnauthenticatedError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
# A record of 4 MiB, encoded as a form.
FORM_BYTES = 12 * 1024 * 1024
_FORGOTTEN = {"Cache-Control": "no-store"}
# Statuses of a match for an anonymous visitor who may not match.
_SIGN_IN = frozenset({401, 404})


async def _workbench(request: Request, visitor: CurrentVisitor) -> Workbench:
    return Workbench(visitor.api, request.app.state.public_texts)


CurrentWorkbench = Annotated[Workbench, Depends(_workbench)]


@router.api_route("/match", methods=["GET", "HEAD"], summary="The match workbench")
@produces(HTML)
async def show(request: Request, access: Reader, visitor: CurrentVisitor, workbench: CurrentWorkbench) -> Response:
    """Show the empty workbench; who may not match is sent to sign in before anything is typed."""
    try:
        await workbench.check()
    except ApiError as error:
        if visitor.me is None and error.status in _SIGN_IN:
            return redirect(visitor, "/sign-in", back="/match")
        raise
    return _shown(request, visitor, Outcome(State()))


@router.post("/match", summary="Evaluate a record")
@accepts(FORM, body_bytes=FORM_BYTES, seconds=ANSWERED_SECONDS)
@produces(HTML)
async def evaluate(
    request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm, workbench: CurrentWorkbench
) -> Response:
    """Do what the button of the form says, and show the trials for the record."""
    try:
        outcome = await workbench.act(form)
    except ApiError as error:
        if visitor.me is None and error.status in _SIGN_IN:
            raise UnauthenticatedError from None
        raise
    return _shown(request, visitor, outcome)


@router.post("/match/codes", summary="Find codes by their names")
@accepts(FORM)
@produces(HTML)
async def codes(
    request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm, workbench: CurrentWorkbench
) -> Response:
    """Show the codes that the words of a field find. The words are no part of an address."""
    found = await workbench.codes(form.one("new-code"))
    return page(request, visitor, "workbench/codes.html", headers=_FORGOTTEN, codes=found)


@router.post("/match/summary", summary="A summary to print")
@accepts(FORM, body_bytes=FORM_BYTES, seconds=ANSWERED_SECONDS)
@produces(HTML)
async def summary(
    request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm, workbench: CurrentWorkbench
) -> Response:
    """Show a summary of the answer for the file of the patient, without identity."""
    outcome = await workbench.evaluate(State.read(form.text("state")))
    if outcome.problem is not None:
        raise outcome.problem
    return _shown(request, visitor, outcome, "workbench/summary.html")


def _shown(request: Request, visitor: Visitor, outcome: Outcome, template: str = "workbench/match.html") -> Response:
    status = outcome.problem.status if outcome.problem else 422 if outcome.faults else 200
    values = presented(outcome, visitor, today())
    return page(request, visitor, template, status=status, headers=_FORGOTTEN, **values)
