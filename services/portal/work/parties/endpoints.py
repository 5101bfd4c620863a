"""Forms of a dossier about others: who acts for its owner, to whom it goes, which centres are asked."""

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.pages.access import Sender
from services.portal.pages.forms import FORM, SubmittedForm
from services.portal.pages.rendering import HTML
from services.portal.work.dossiers.pages import written
from services.portal.work.dossiers.reading import DOSSIERS
from services.portal.work.dossiers.view import asking_of
from services.portal.work.pages import act
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.post("/workspace/dossiers/{submission}/delegates", summary="Let another sponsor act on a dossier")
@accepts(FORM)
@produces(HTML)
async def change_delegate(
    request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm
) -> Response:
    """Let an organisation act for the owner, or end that."""
    path = f"{DOSSIERS}/{segment(submission)}/delegates/{segment(form.one('organisation') or '-')}"
    ends = form.one("action") == "revoke_delegate"
    method, body = ("DELETE", None) if ends else ("PUT", {"may_consent": bool(form.one("may_consent"))})
    version = {"If-Match": form.one("etag")}
    return await written(
        request, visitor, submission, form, lambda: visitor.api.call(method, path, json=body, headers=version)
    )


@router.post("/workspace/dossiers/{submission}/transfer", summary="Offer a dossier")
@accepts(FORM)
@produces(HTML)
async def offer(request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm) -> Response:
    """Offer a dossier to another sponsor; without one, take the offer back."""
    path = f"{DOSSIERS}/{segment(submission)}/transfer"
    body = {"to": form.one("to") or None, "reason": form.one("reason")}
    return await written(request, visitor, submission, form, lambda: act(visitor, path, form, body))


@router.post("/workspace/dossiers/{submission}/feasibility", summary="Ask centres about a dossier")
@accepts(FORM)
@produces(HTML)
async def ask_centres(
    request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm
) -> Response:
    """Ask centres that were not asked yet."""
    path, body = f"{DOSSIERS}/{segment(submission)}/feasibility", asking_of(form)
    return await written(request, visitor, submission, form, lambda: act(visitor, path, form, body))


@router.post("/workspace/dossiers/{submission}/visible-fields", summary="Choose what centres see first")
@accepts(FORM)
@produces(HTML)
async def choose_fields(
    request: Request, access: Sender, visitor: Worker, submission: str, form: SubmittedForm
) -> Response:
    """Choose the fields that centres see before the confidentiality agreement."""
    path = f"{DOSSIERS}/{segment(submission)}/feasibility/visible-fields"
    body, version = {"visible": form.every("visible")}, {"If-Match": form.one("etag")}
    return await written(
        request, visitor, submission, form, lambda: visitor.api.call("PUT", path, json=body, headers=version)
    )
