"""Error pages for browsers; programs get the same problem document as from the other services."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.portal.clients.api import UNAUTHENTICATED, Api
from services.portal.clients.problems import ApiError
from services.portal.pages.forms import ForeignFormError, unsent
from services.portal.pages.language import KEY
from services.portal.pages.rendering import HTML, page
from services.portal.pages.rights import MissingRight, missing_right
from services.portal.pages.visitors import Visitor, end_session
from shared.http.context import request_id_of
from shared.values.problems import Problem
from shared.values.wire import Label

NOT_FOUND = 404
FORBIDDEN = 403
# Errors after which the same form may be sent again: its key or its version keeps it from being stored twice.
_AGAIN = frozenset({UNAUTHENTICATED, 408, 429, 500, 502, 503, 504})
_SIGN_IN = "/sign-"
Handler = Callable[[Request, Exception], Response | Awaitable[Response]]


def install_error_pages(app: FastAPI) -> None:
    """Answer errors with a page where the caller accepts one."""
    for kind in (Problem, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _in_page(app.exception_handlers[kind]))
    app.add_exception_handler(ApiError, _from_api)


def _in_page(document: Handler) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        found = document(request, error)
        response = found if isinstance(found, Response) else await found
        if not _wants_page(request):
            return response
        title = getattr(error, "title", None)
        detail = getattr(error, "detail", None) if isinstance(error, Problem) else None
        headers = {name: value for name, value in response.headers.items() if name in {"allow", "retry-after"}}
        is_foreign = isinstance(error, ForeignFormError)
        return _error_page(request, response.status_code, title, detail, headers, is_foreign=is_foreign)

    return answer


async def _from_api(request: Request, error: Exception) -> Response:
    """Show an error of the API. A visitor whose token it does not accept any more has no session any more."""
    assert isinstance(error, ApiError)
    if error.status == UNAUTHENTICATED:
        await end_session(request)
    # A part of the address that has not the form of a reference names nothing.
    if error.faults and all(str(one["pointer"]).startswith("/path/") for one in error.faults):
        return _error_page(request, NOT_FOUND, error.title, error.detail, {})
    return _error_page(request, error.status, error.title, error.detail, {}, error.faults)


def _error_page(
    request: Request,
    status: int,
    title: object,
    detail: object,
    headers: dict[str, str],
    faults: object = (),
    *,
    is_foreign: bool = False,
) -> Response:
    language = request.scope.get(KEY, "fr")
    found: Visitor | None = getattr(request.state, "visitor", None)
    visitor = found or Visitor(language, request.url.path, Api({}, language))
    return page(
        request,
        visitor,
        "error.html",
        status=status,
        headers={**headers, "Cache-Control": "no-store"},
        code=status,
        title=title,
        detail=detail,
        faults=faults,
        missing=_missing(visitor, status, detail),
        resent=_resent(request, visitor) if is_foreign or status in _AGAIN else None,
        request_id=request_id_of(request),
    )


def _resent(request: Request, visitor: Visitor) -> list[tuple[str, str]] | None:
    """Return the fields of a form that the page carries, to send them again; None: there is no such form.

    The page is the only place that keeps them. A script (htmx) keeps its own form: it needs only the token.
    """
    form = None if visitor.path.startswith(_SIGN_IN) else unsent(request)
    if form is None:
        return None
    is_script = request.headers.get("hx-request") == "true"
    return [] if is_script else [(name, value) for name, value in form.pairs() if name != "csrf"]


def _missing(visitor: Visitor, status: int, detail: object) -> MissingRight | None:
    """Return the right that a signed-in visitor lacks."""
    if status != FORBIDDEN or visitor.me is None:
        return None
    return missing_right(detail.en if isinstance(detail, Label) else str(detail or ""), visitor.me["kind"])


def _wants_page(request: Request) -> bool:
    return HTML in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"
