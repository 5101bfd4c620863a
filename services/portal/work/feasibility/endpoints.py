"""The pages of feasibility requests."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.names import centres_of
from services.portal.clients.pages_of_lists import every
from services.portal.clients.problems import ApiError
from services.portal.pages.access import Reader, Sender
from services.portal.pages.days import today
from services.portal.pages.formats import Formats
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.feasibility.study import lines_of
from services.portal.work.feasibility.view import (
    ENDS,
    REASONS,
    SENDS,
    WITH_TEXT,
    agreement_of,
    answers_of,
    asked_first,
    sections_of,
    side_by_side,
    step_of,
)
from services.portal.work.pages import act, check_correctable, work_page
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
_STALE = 412
_REQUESTS = "/registry/v1/feasibility"


@router.api_route("/workspace/feasibility", methods=["GET", "HEAD"], summary="Feasibility requests")
@produces(HTML)
async def list_requests(request: Request, access: Reader, visitor: Worker) -> Response:
    """List what the visitor's centre is asked; for the coordination all requests."""
    found, centres = await asyncio.gather(every(visitor.api, _REQUESTS), centres_of(visitor.api))
    return await work_page(
        request,
        visitor,
        "work/feasibility.html",
        found=asked_first(found),
        centres=centres,
        today=today().isoformat(),
    )


@router.api_route("/workspace/feasibility/{submission}", methods=["GET", "HEAD"], summary="Answers side by side")
@produces(HTML)
async def compare_answers(request: Request, access: Reader, visitor: Worker, submission: str) -> Response:
    """Show the result of a dossier and the submitted answers of its centres side by side."""
    overview, centres = await asyncio.gather(
        visitor.api.get(f"/registry/v1/submissions/{segment(submission)}/feasibility"), centres_of(visitor.api)
    )
    asked = [one["centre"] for one in overview["requests"]]
    sheets = await asyncio.gather(*(visitor.api.find(f"{_path(submission, one)}/answers") for one in asked))
    return await work_page(
        request,
        visitor,
        "work/comparison.html",
        overview=overview,
        compared=side_by_side(overview["requests"], sheets),
        dossier=await visitor.api.find(f"/registry/v1/submissions/{segment(submission)}"),
        centres=centres,
    )


@router.api_route(
    "/workspace/feasibility/{submission}/{centre}", methods=["GET", "HEAD"], summary="A feasibility request"
)
@produces(HTML)
async def show_request(
    request: Request, access: Reader, visitor: Worker, submission: str, centre: str, done: str = ""
) -> Response:
    """Show a request: the study as far as the visitor may see it, the questionnaire, and what can be done."""
    return await _page(request, visitor, submission, centre, done=done)


@router.post("/workspace/feasibility/{submission}/{centre}", summary="Take a step of a feasibility request")
@accepts(FORM)
@produces(HTML)
async def take_step(
    request: Request, access: Sender, visitor: Worker, submission: str, centre: str, form: SubmittedForm
) -> Response:
    """Take a step."""
    writing = act(visitor, f"{_path(submission, centre)}/steps", form, step_of(form))
    return await _written(request, visitor, submission, centre, form, writing)


@router.post("/workspace/feasibility/{submission}/{centre}/answers", summary="Save the answers of a questionnaire")
@accepts(FORM)
@produces(HTML)
async def save_answers(
    request: Request, access: Sender, visitor: Worker, submission: str, centre: str, form: SubmittedForm
) -> Response:
    """Save the draft of the answers."""
    path = f"{_path(submission, centre)}/answers"
    sheet = await visitor.api.get(path)
    writing = visitor.api.call("PUT", path, json=answers_of(sheet, form), headers={"If-Match": form.one("etag")})
    return await _written(request, visitor, submission, centre, form, writing)


@router.post("/workspace/feasibility/{submission}/{centre}/gate", summary="Record a confidentiality agreement")
@accepts(FORM)
@produces(HTML)
async def record_agreement(
    request: Request, access: Sender, visitor: Worker, submission: str, centre: str, form: SubmittedForm
) -> Response:
    """Record the agreement that the legal entity of the centre signed, or its next version."""
    path = f"{_path(submission, centre)}/gate"
    writing = visitor.api.call("PUT", path, json=agreement_of(form), headers=_version(form))
    return await _written(request, visitor, submission, centre, form, writing)


@router.post("/workspace/feasibility/{submission}/{centre}/entity", summary="Record the legal entity of a centre")
@accepts(FORM)
@produces(HTML)
async def record_entity(
    request: Request, access: Sender, visitor: Worker, submission: str, centre: str, form: SubmittedForm
) -> Response:
    """Record the legal entity that signs for the centre."""
    path = f"/registry/v1/centres/{segment(centre)}/legal-entity"
    entity = {"finess_ej": form.one("finess_ej"), "name": form.one("name")}
    writing = visitor.api.call("PUT", path, json=entity, headers=_version(form))
    return await _written(request, visitor, submission, centre, form, writing)


def _version(form: Form) -> dict[str, str]:
    """Return the precondition: the version that the person saw, or that there was none."""
    return {"If-Match": form.one("etag")} if form.one("etag") else {"If-None-Match": "*"}


async def _written(
    request: Request, visitor: Visitor, submission: str, centre: str, form: Form, writing: Awaitable[Any]
) -> Response:
    try:
        await writing
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, submission, centre, error=error, form=form)
    return redirect(visitor, f"/workspace/feasibility/{submission}/{centre}", done="1")


async def _page(
    request: Request,
    visitor: Visitor,
    submission: str,
    centre: str,
    *,
    done: str = "",
    error: ApiError | None = None,
    form: Form | None = None,
) -> Response:
    path = _path(submission, centre)
    found, steps, sheet, gate, centres = await asyncio.gather(
        visitor.api.get(path),
        visitor.api.get(f"{path}/steps"),
        visitor.api.find(f"{path}/answers"),
        visitor.api.find(f"{path}/gate"),
        centres_of(visitor.api),
    )
    sent, faults = form or Form({}), error.faults if error else ()
    return await work_page(
        request,
        visitor,
        "work/request.html",
        parties=[one["author"] for one in steps["items"]],
        error=error,
        form=form,
        found=found,
        steps=steps["items"],
        sheet=sheet,
        sections=sections_of(sheet, sent, faults, is_stale=error is not None and error.status == _STALE)
        if sheet
        else [],
        study=lines_of(found["dossier"]["trial"], Formats(visitor.language)),
        gate=gate,
        reasons=REASONS,
        with_text=WITH_TEXT,
        ends=ENDS,
        sends=SENDS,
        today=today().isoformat(),
        centres=centres,
        done=done,
    )


def _path(submission: str, centre: str) -> str:
    return f"{_REQUESTS}/{segment(submission)}/{segment(centre)}"
