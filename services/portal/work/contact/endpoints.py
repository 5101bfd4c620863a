"""The page of a centre's public contact."""

from fastapi import APIRouter, Request, Response

from services.portal.clients.problems import ApiError, faults_by_field
from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, Form, SubmittedForm
from services.portal.pages.rendering import HTML, redirect
from services.portal.pages.visitors import Visitor
from services.portal.work.contact.reading import FIELDS, centre_with_contact, write_contact
from services.portal.work.pages import check_correctable, work_page
from services.portal.work.workers import Worker, centre_of
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route(
    "/workspace/capabilities/contact", methods=["GET", "HEAD"], summary="The public contact of your centre"
)
@produces(HTML)
async def show_contact(request: Request, access: Reader, visitor: Worker, done: str = "") -> Response:
    """Show the public contact of the visitor's centre in a form."""
    return await _page(request, visitor, done=done)


@router.post("/workspace/capabilities/contact", summary="Change the public contact of your centre")
@accepts(FORM)
@produces(HTML)
async def change_contact(request: Request, access: Sender, visitor: Worker, form: SubmittedForm) -> Response:
    """Replace or remove the public contact of the visitor's centre."""
    try:
        await write_contact(visitor.api, centre_of(visitor), form)
    except ApiError as error:
        check_correctable(error)
        return await _page(request, visitor, error=error, form=form)
    return redirect(visitor, "/workspace/capabilities/contact", done=form.one("action"))


async def _page(
    request: Request, visitor: Visitor, *, done: str = "", error: ApiError | None = None, form: Form | None = None
) -> Response:
    by_field, others = faults_by_field(error.faults if error else (), FIELDS)
    centre, version = await centre_with_contact(visitor.api, centre_of(visitor))
    return await work_page(
        request,
        visitor,
        "work/contact.html",
        error=error,
        form=form,
        centre=centre,
        version=version,
        wrong=by_field,
        others=others,
        done=done,
    )
