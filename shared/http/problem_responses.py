"""Problems as HTTP answers: RFC 9457 problem details in the caller's language."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shared.http.context import request_id_of
from shared.values.language import negotiate
from shared.values.problems import (
    DatabaseDamagedError,
    InvalidBodyError,
    InvalidParameterError,
    MalformedJsonError,
    MethodNotAllowedError,
    NotFoundError,
    Problem,
    ProblemDocument,
    TooLargeError,
)
from shared.values.validation import faults

MEDIA_TYPE = "application/problem+json"
_BY_STATUS: dict[int, type[Problem]] = {
    400: MalformedJsonError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
}


def respond(request: Request, problem: Problem) -> Response:
    """Render a problem in the language that the request asks for."""
    language = negotiate(request.headers.get("accept-language"))
    document = document_of(request, problem)
    headers = {**problem.headers, "Content-Language": language, "Cache-Control": "no-store"}
    return JSONResponse(document, problem.status, headers, MEDIA_TYPE)


def document_of(request: Request, problem: Problem) -> dict[str, Any]:
    """Return a problem document in the language that the request asks for."""
    language = negotiate(request.headers.get("accept-language"))
    return ProblemDocument(
        type=f"urn:cleio:problem:{problem.code}",
        title=getattr(problem.title, language),
        status=problem.status,
        code=problem.code,
        detail=None if problem.detail is None else getattr(problem.detail, language),
        instance=f"urn:request:{request_id_of(request)}",
        errors=[fault.render(language) for fault in problem.faults],
    ).model_dump(exclude_none=True)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer expected errors of ``app`` with problem documents. `shared.operations.telemetry` answers the others."""

    async def expected(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        if isinstance(error, DatabaseDamagedError):
            request.app.state.storage.report(error)
        return respond(request, error)

    async def from_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, Problem):  # raised while FastAPI parsed the body
            return respond(request, error.__cause__)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # Several routes share a path; the framework names only the methods of the first one.
            headers = {"Allow": ", ".join(sorted(_methods_at(app, request.scope)))}
        return respond(request, _BY_STATUS.get(error.status_code, Problem)(headers=headers))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = error.errors()
        parameters = [one for one in found if one["loc"][0] != "body"]
        if parameters:
            return respond(request, InvalidParameterError(errors=faults(parameters)))
        return respond(request, InvalidBodyError(errors=faults([{**one, "loc": one["loc"][1:]} for one in found])))

    app.add_exception_handler(Problem, expected)
    app.add_exception_handler(HTTPException, from_framework)
    app.add_exception_handler(RequestValidationError, invalid)


def _methods_at(app: FastAPI, scope: Any) -> set[str]:
    """Return every method that the path of a request can be called with."""
    return {
        method
        for route in app.routes
        if route.matches(scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
