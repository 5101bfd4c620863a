"""Routes to sign in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.portal.pages.forms import FORM, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor
from services.portal.sign_in.service import SignIn, path_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable
from shared.values.problems import NotFoundError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Reader = Annotated[Access, Depends(allow("page", "read"))]
NO_STORE = {"Cache-Control": "no-store"}
Actor = Annotated[Access, Depends(allow("page", "execute"))]


def _sign_in(request: Request) -> SignIn:
    found: SignIn = request.app.state.sign_in
    return found


SigningIn = Annotated[SignIn, Depends(_sign_in)]
User = Annotated[str, Path(max_length=64)]


@router.api_route("/sign-in", methods=["GET", "HEAD"], summary="Sign in")
@produces(HTML)
async def show(request: Request, access: Reader, visitor: CurrentVisitor, service: SigningIn) -> Response:
    """Show how to sign in."""
    users = await service.demonstration_users(access.principal)
    back = path_of(request.query_params.get("back", ""))
    return page(request, visitor, "sign_in/sign_in.html", headers=NO_STORE, users=users, back=back)


@router.post("/sign-in/demonstration/{user}", summary="Sign in as a demonstration user")
@repeatable("signing in twice replaces the first session")
@accepts(FORM, body_bytes=4 * 1024)
@produces(HTML)
async def sign_in_demonstration(
    request: Request, access: Actor, visitor: CurrentVisitor, form: SubmittedForm, service: SigningIn, user: User
) -> Response:
    """Begin a session of a demonstration user. 404 where other machines can call."""
    tokens = await service.demonstration_tokens(access.principal, user)
    if tokens is None:
        raise NotFoundError
    answer = redirect(visitor, path_of(form.one("back")))
    return await service.begin(request, answer, tokens)


@router.post("/sign-out", summary="Sign out")
@repeatable("there is nothing left to end the second time")
@accepts(FORM, body_bytes=4 * 1024)
@produces(HTML)
async def sign_out(
    request: Request, access: Actor, visitor: CurrentVisitor, form: SubmittedForm, service: SigningIn
) -> Response:
    """End the session."""
    return await service.end(request, redirect(visitor, "/"))
