"""Routes of the form for e-mail about a disease."""

from fastapi import APIRouter, Request, Response

from services.portal.notify.asking import MAX_TEXT, Asked, Choices, choices, send
from services.portal.pages.access import Reader, Sender
from services.portal.pages.formats import Formats
from services.portal.pages.forms import FORM, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor, Visitor
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable

router = APIRouter(route_class=ApiRoute, tags=["pages"])


@router.api_route("/notify", methods=["GET", "HEAD"], summary="Ask for e-mail about a disease")
@produces(HTML)
async def notify(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the form; with the words of a disease, the diseases that they may mean."""
    query = request.query_params
    asked = Asked(text=query.get("text", "").strip()[:MAX_TEXT], condition=query.get("disease", "")[:64])
    return _form(request, visitor, asked, await choices(visitor.api, asked, Formats(visitor.language)), {})


@router.post("/notify", summary="Send the request for e-mail")
@repeatable("the API sends no second message about the same")
@accepts(FORM, body_bytes=4096)
@produces(HTML)
async def ask(request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm) -> Response:
    """Send the request, or show the form again with what is wrong."""
    asked = Asked(form.one("address"), form.one("text")[:MAX_TEXT], form.one("condition"), form.one("departement"))
    formats = Formats(visitor.language)
    offered = await choices(visitor.api, asked, formats)
    wrong = {} if offered.condition else {"condition": _which(offered, asked, visitor)}
    if not wrong and offered.available:
        wrong = await send(visitor.api, asked, offered.condition, formats)
    if wrong or not offered.available:
        return _form(request, visitor, asked, offered, wrong)
    return redirect(visitor, "/notify/asked")


@router.api_route("/notify/asked", methods=["GET", "HEAD"], summary="What happens after the request")
@produces(HTML)
async def asked_for(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Say that a message is under way."""
    return page(request, visitor, "notify/asked.html")


def _form(request: Request, visitor: Visitor, asked: Asked, offered: Choices, wrong: dict[str, str]) -> Response:
    headers = {"Cache-Control": "no-store"} if request.method == "POST" else {}
    status = 422 if wrong else 200
    return page(
        request, visitor, "notify/form.html", status=status, headers=headers, asked=asked, offered=offered, wrong=wrong
    )


def _which(offered: Choices, asked: Asked, visitor: Visitor) -> str:
    french = visitor.language == "fr"
    if offered.diseases:
        return "Choisissez la maladie dans la liste." if french else "Choose the disease in the list."
    if asked.text:
        return (
            "Maladie inconnue : essayez un autre nom, ou un code comme ORPHA:98896."
            if french
            else "Unknown disease: try another name, or a code such as ORPHA:98896."
        )
    return "Écrivez le nom de la maladie." if french else "Write the name of the disease."
