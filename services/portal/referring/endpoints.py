"""Routes of a referral from the workbench. The record stays behind: only months, codes and the trial go on."""

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import UNAUTHENTICATED
from services.portal.clients.problems import FAILURES, ApiError, faults_by_field, in_words
from services.portal.pages.access import Sender
from services.portal.pages.forms import ANSWERED_SECONDS, FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor, Visitor
from services.portal.referring.view import FIELDS, proposal, referral_of
from services.portal.workbench.answering import NotUnderstoodError
from services.portal.workbench.state import State, parameters_of, patient_of
from services.portal.workbench.view import may_refer
from shared.http.route import ApiRoute, accepts, produces
from shared.values.problems import ForbiddenError, Problem, UnauthenticatedError
from shared.values.wire import Label

router = APIRouter(route_class=ApiRoute, tags=["pages"])
FORM_BYTES = 12 * 1024 * 1024
_FORGOTTEN = {"Cache-Control": "no-store"}
_REFERRERS = Label(
    fr="Seuls un hôpital ou un centre adressent un patient d'ici.",
    en="Only a hospital or a centre refers a patient from here.",
)


class NotOfferedError(Problem):
    """The trial or the centre is no longer in the answer of the match."""

    code, status = "not_offered", 409
    title = Label(
        fr="Ce centre n'est plus proposé pour ce patient", en="This centre is no longer offered for this patient"
    )
    detail = Label(
        fr="L'essai ou le site a changé depuis la réponse. Évaluez de nouveau le dossier, puis choisissez un centre.",
        en="The trial or the site has changed since the answer. Evaluate the record again, then choose a centre.",
    )


@router.post("/match/refer", summary="The form of a referral")
@accepts(FORM, body_bytes=FORM_BYTES)
@produces(HTML)
async def refer(request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm) -> Response:
    """Show the form for one trial and centre, with what the record proposes."""
    if visitor.me is None:
        raise UnauthenticatedError
    if not may_refer(visitor.me):
        raise ForbiddenError(_REFERRERS)
    trial, site, record = await _chosen(visitor, form)
    return _form(request, visitor, trial, site, {**proposal(record, trial), "key": secrets.token_urlsafe(24)})


@router.post("/match/referrals", summary="Send a referral")
@accepts(FORM, seconds=ANSWERED_SECONDS)
@produces(HTML)
async def send(request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm) -> Response:
    """Send the referral, and show its reference."""
    kept = {name: form.text(name) for name in form.names()}
    names = {"title": kept.get("trial_title", ""), "trial": kept.get("trial", "")}
    site = {"name": kept.get("site_name", ""), "centre": kept.get("centre", "")}
    try:
        headers = {"Idempotency-Key": form.one("key")}
        sent = await visitor.api.call("POST", "/registry/v1/referrals", json=referral_of(form.one), headers=headers)
    except NotUnderstoodError as error:
        wrong = {error.name: getattr(error.wanted, visitor.language)}
        return _form(request, visitor, names, site, kept, wrong=wrong)
    except FAILURES as error:
        if error.status == UNAUTHENTICATED:
            raise
        return _form(request, visitor, names, site, kept, in_words(error, visitor.language))
    return page(request, visitor, "referring/sent.html", headers=_FORGOTTEN, referral=sent.body, names=names, site=site)


async def _chosen(visitor: Visitor, form: Form) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the trial, the site and the record that the button of the workbench stands for.

    :raises NotOfferedError: 409, they are not in the answer for this record.
    """
    state = State.read(form.text("state"))
    identifier, _, centre = form.one("refer").partition("|")
    query = {"limit": 200, **parameters_of(state.record)}
    answer = (await visitor.api.call("POST", "/matching/v1/match", json=patient_of(state.record), query=query)).body
    for trial in answer["results"]:
        for site in trial["sites"]:
            if (trial["trial"], site["centre"]) == (identifier, centre):
                return {**trial, "title": trial["title"][visitor.language]}, site, state.record
    raise NotOfferedError


def _form(
    request: Request,
    visitor: Visitor,
    trial: dict[str, Any],
    site: dict[str, Any],
    values: dict[str, str],
    problem: ApiError | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    by_field, others = faults_by_field(problem.faults if problem is not None else (), FIELDS)
    return page(
        request,
        visitor,
        "referring/form.html",
        status=problem.status if problem else 422 if wrong else 200,
        headers=_FORGOTTEN,
        trial=trial,
        site=site,
        value=lambda name: values.get(name, ""),
        wrong=lambda name: {**by_field, **(wrong or {})}.get(name, ""),
        problem=problem,
        others=others,
    )
