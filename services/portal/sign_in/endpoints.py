"""Routes to sign in and out."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.portal.pages.access import Reader, Sender
from services.portal.pages.forms import FORM, SubmittedForm
from services.portal.pages.rendering import HTML, page, redirect
from services.portal.pages.visitors import CurrentVisitor
from services.portal.sign_in.problems import UnknownPersonError
from services.portal.sign_in.service import SignIn, path_of
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable

router = APIRouter(route_class=ApiRoute, tags=["pages"])
NO_STORE = {"Cache-Control": "no-store"}


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
    has_provider = service.has_provider
    return page(
        request, visitor, "sign_in/sign_in.html", headers=NO_STORE, users=users, back=back, has_provider=has_provider
    )


@router.get("/sign-in/openid", summary="Sign in with the OpenID provider")
@produces(HTML)
async def begin_at_provider(request: Request, access: Reader, visitor: CurrentVisitor, service: SigningIn) -> Response:
    """Send the browser to the OpenID provider. 404 where there is none."""
    back = path_of(request.query_params.get("back", ""))
    return await service.begin_at_provider(back, visitor.language)


@router.get("/sign-in/callback", summary="Come back from the OpenID provider")
@produces(HTML)
async def finish_at_provider(request: Request, access: Reader, visitor: CurrentVisitor, service: SigningIn) -> Response:
    """Begin the session of a person whom the OpenID provider has signed in."""
    visitor = service.in_language_of_flow(request, visitor)
    try:
        return await service.finish_at_provider(request)
    except UnknownPersonError as person:
        return page(request, visitor, "sign_in/unknown.html", status=403, headers=NO_STORE, person=person)


@router.post("/sign-in/demonstration/{user}", summary="Sign in as a demonstration user")
@repeatable("signing in twice replaces the first session")
@accepts(FORM, body_bytes=4 * 1024)
@produces(HTML)
async def sign_in_demonstration(
    request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm, service: SigningIn, user: User
) -> Response:
    """Begin a session of a demonstration user. 404 where other machines can call."""
    answer = redirect(visitor, path_of(form.one("back")))
    return await service.begin_demonstration(request, access.principal, user, answer)


@router.get("/sign-out", summary="Leave the page of a sign-out")
@produces(HTML)
async def leave_sign_out(access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the first page: an address alone ends no session."""
    return redirect(visitor, "/")


@router.post("/sign-out", summary="Sign out")
@repeatable("there is nothing left to end the second time")
@accepts(FORM, body_bytes=4 * 1024)
@produces(HTML)
async def sign_out(
    request: Request, access: Sender, visitor: CurrentVisitor, form: SubmittedForm, service: SigningIn
) -> Response:
    """End the session, here and at the OpenID provider."""
    at_provider = await service.end(request)
    gone = replace(visitor, me=None, csrf="", ended=True)
    return page(request, gone, "sign_in/signed_out.html", headers=NO_STORE, at_provider=at_provider)
