"""Errors on the wire: RFC 9457 problem details with stable codes and JSON Pointers, in French or English, that never echo what was sent."""

import errno
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_args

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

from shared.values.language import Language, negotiate
from shared.values.wire import ApiModel, Label

MEDIA_TYPE = "application/problem+json"


class FieldError(ApiModel):
    """One fault in what was sent. ``pointer`` is a JSON Pointer into the body, or ``/query/<name>``, ``/path/<name>``, ``/header/<name>``."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    errors: list[FieldError] = []


class Problem(HTTPException):
    """An expected error: a subclass names its ``code``, ``status`` and ``title``; an instance may say where (``errors``) and more (``detail``)."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[Label] = Label(fr="Erreur interne", en="Internal error")

    def __init__(
        self, detail: Label | None = None, *, errors: Sequence["Fault"] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(self.status, self.title.en, dict(headers) if headers else None)
        self.explanation = detail or self.title
        self.faults = list(errors)


class Fault(ApiModel):
    """A fault before its language is chosen."""

    pointer: str
    code: str
    detail: Label

    def render(self, language: Language) -> FieldError:
        return FieldError(pointer=self.pointer, code=self.code, detail=getattr(self.detail, language))


class MalformedJsonError(Problem):
    code, status = "malformed_json", 400
    title = Label(fr="Le corps n'est pas un JSON acceptable", en="The body is not acceptable JSON")


class InvalidParameterError(Problem):
    code, status = "invalid_parameter", 400
    title = Label(fr="Paramètre inconnu, répété ou mal formé", en="Unknown, repeated or malformed parameter")


class InvalidCursorError(Problem):
    code, status = "invalid_cursor", 400
    title = Label(fr="Curseur non valide", en="Invalid cursor")


class UnauthenticatedError(Problem):
    code, status = "unauthenticated", 401
    title = Label(fr="Authentification requise", en="Authentication required")

    def __init__(self, challenge: str = "Bearer") -> None:
        super().__init__(headers={"WWW-Authenticate": challenge})


class IdentityUnavailableError(Problem):
    code, status = "identity_unavailable", 503
    title = Label(
        fr="L'identité de l'appelant ne peut pas être vérifiée pour l'instant",
        en="The caller's identity cannot be verified at the moment",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class ForbiddenError(Problem):
    code, status = "forbidden", 403
    title = Label(fr="Action non autorisée", en="Action not allowed")


class InsufficientScopeError(ForbiddenError):
    code = "insufficient_scope"
    title = Label(fr="Le jeton ne porte pas ce droit", en="The token does not carry this right")

    def __init__(self, scope: str) -> None:
        super().__init__(headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'})


class NotFoundError(Problem):
    code, status = "not_found", 404
    title = Label(fr="Introuvable", en="Not found")


class MethodNotAllowedError(Problem):
    code, status = "method_not_allowed", 405
    title = Label(fr="Méthode non autorisée", en="Method not allowed")


class NotAcceptableError(Problem):
    code, status = "not_acceptable", 406
    title = Label(fr="Aucune représentation acceptable", en="No acceptable representation")


class ConflictError(Problem):
    code, status = "conflict", 409
    title = Label(fr="Conflit avec l'état actuel", en="Conflict with the current state")


class GoneError(Problem):
    code, status = "gone", 410
    title = Label(fr="N'est plus disponible", en="No longer available")


class StaleVersionError(Problem):
    code, status = "stale_version", 412
    title = Label(fr="La version a changé entre-temps", en="The version has changed meanwhile")


class AlreadyExistsError(Problem):
    code, status = "already_exists", 412
    title = Label(fr="Existe déjà", en="Already exists")


class BodyTimedOutError(Problem):
    code, status = "body_timed_out", 408
    title = Label(fr="Le corps n'est pas arrivé à temps", en="The body did not arrive in time")

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class TooLargeError(Problem):
    code, status = "too_large", 413
    title = Label(fr="Corps trop volumineux", en="Body too large")


class UriTooLongError(Problem):
    code, status = "uri_too_long", 414
    title = Label(fr="Adresse trop longue", en="URI too long")


class UnsupportedMediaTypeError(Problem):
    code, status = "unsupported_media_type", 415
    title = Label(fr="Type de contenu non pris en charge", en="Unsupported media type")


class HeadersTooLargeError(Problem):
    code, status = "headers_too_large", 431
    title = Label(fr="En-têtes trop volumineux", en="Headers too large")


class InvalidBodyError(Problem):
    code, status = "invalid_body", 422
    title = Label(fr="Contenu refusé", en="Content refused")


class VersionRequiredError(Problem):
    code, status = "version_required", 428
    title = Label(fr="L'en-tête If-Match est requis", en="The If-Match header is required")


class DatabaseBusyError(Problem):
    code, status = "busy", 503
    title = Label(fr="Service momentanément saturé", en="Service momentarily busy")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class DatabaseUnavailableError(Problem):
    """Nothing can be asked of it, or its connection broke: whether the last thing that was asked of it was done is not known."""

    code, status = "database_away", 503
    title = Label(fr="Base de données momentanément injoignable", en="The database is momentarily out of reach")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class StorageFullError(Problem):
    code, status = "storage_full", 507
    title = Label(fr="Plus de place pour écrire : rien n'a été changé", en="No room left to write: nothing was changed")


class StorageFailedError(Problem):
    code, status = "storage_failed", 503
    title = Label(fr="L'écriture a échoué : rien n'a été changé", en="Writing failed: nothing was changed")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


def storage_problem(error: OSError) -> Problem:
    """What the system's word about a file that could not be written is to a caller."""
    return StorageFullError() if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} else StorageFailedError()


class TimedOutError(Problem):
    code, status = "timed_out", 503
    title = Label(fr="La réponse a pris trop de temps", en="The answer took too long")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


class OverloadedError(Problem):
    code, status = "overloaded", 503
    title = Label(fr="Trop de requêtes en cours : réessayez", en="Too many requests in hand: try again")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class RateLimitedError(Problem):
    code, status = "rate_limited", 429
    title = Label(fr="Trop de requêtes de votre part", en="Too many requests from you")

    def __init__(self, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})


_BY_STATUS: dict[int, type[Problem]] = {
    400: MalformedJsonError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: TooLargeError,
}

# What pydantic calls an error, in words. Anything else is told by its code alone.
_SAYINGS: dict[str, Label] = {
    "missing": Label(fr="ce champ est requis", en="this field is required"),
    "extra_forbidden": Label(fr="ce champ est inconnu", en="this field is unknown"),
    "string_type": Label(fr="un texte est attendu", en="a string is expected"),
    "int_type": Label(fr="un entier est attendu", en="an integer is expected"),
    "float_type": Label(fr="un nombre est attendu", en="a number is expected"),
    "bool_type": Label(fr="un booléen est attendu", en="a boolean is expected"),
    "list_type": Label(fr="une liste est attendue", en="a list is expected"),
    "dict_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_type": Label(fr="un objet est attendu", en="an object is expected"),
    "model_attributes_type": Label(fr="un objet est attendu", en="an object is expected"),
    "literal_error": Label(fr="valeur hors de la liste permise", en="not one of the allowed values"),
    "string_pattern_mismatch": Label(
        fr="le texte n'a pas la forme attendue", en="the string does not have the expected form"
    ),
    "string_too_long": Label(fr="texte trop long", en="string too long"),
    "string_too_short": Label(fr="texte trop court", en="string too short"),
    "too_long": Label(fr="trop d'éléments", en="too many items"),
    "too_short": Label(fr="pas assez d'éléments", en="not enough items"),
    "date_form": Label(
        fr="une date s'écrit AAAA-MM-JJ et doit exister", en="a date is written YYYY-MM-DD and must exist"
    ),
    "instant_form": Label(
        fr="un instant s'écrit comme dans la RFC 3339, en UTC, avec un Z final",
        en="an instant is written as in RFC 3339, in UTC, ending in Z",
    ),
    "int_parsing": Label(fr="un entier est attendu", en="an integer is expected"),
    "bool_parsing": Label(fr="vrai ou faux est attendu", en="true or false is expected"),
    "greater_than_equal": Label(fr="valeur trop petite", en="value too small"),
    "greater_than": Label(fr="valeur trop petite", en="value too small"),
    "less_than_equal": Label(fr="valeur trop grande", en="value too large"),
    "less_than": Label(fr="valeur trop grande", en="value too large"),
    "finite_number": Label(fr="un nombre fini est attendu", en="a finite number is expected"),
}
_PYDANTIC_KINDS = frozenset(get_args(ErrorType))
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_REFUSED = Label(fr="valeur refusée", en="value refused")


def escape(part: str | int) -> str:
    """One reference token of a JSON Pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def faults(errors: Sequence[Any], prefix: str = "") -> list[Fault]:
    """Pydantic's errors as faults: place, code and a sentence of ours. The rejected input, and any message built from it, is dropped.

    An unknown key stands in the pointer only where it looks like a field's name: anything else could be data.
    """
    found = []
    for error in errors[:50]:
        places = list(error["loc"])
        if error["type"] == "extra_forbidden" and not _FIELD_NAME.fullmatch(str(places[-1])):
            places.pop()
        found.append(
            Fault(
                pointer=prefix + "".join(f"/{escape(part)}" for part in places),
                code=error["type"],
                detail=_say(error),
            )
        )
    return found


def _say(error: Any) -> Label:
    kind = error["type"]
    if kind in _SAYINGS:
        return _SAYINGS[kind]
    if kind in _PYDANTIC_KINDS:
        return _REFUSED  # its message may quote the input
    # One of our own validators: its sentence is a constant; its French stands in the context.
    return Label(fr=str(error.get("ctx", {}).get("fr", error["msg"])), en=error["msg"])


def respond(request: Request, problem: Problem) -> Response:
    """The problem as an HTTP answer in the caller's language."""
    language = negotiate(request.headers.get("accept-language"))
    document = ProblemDocument(
        type=f"urn:cleio:problem:{problem.code}",
        title=getattr(problem.title, language),
        status=problem.status,
        code=problem.code,
        detail=getattr(problem.explanation, language),
        instance=f"urn:request:{request.scope.get('cleio_request_id', 'none')}",
        errors=[fault.render(language) for fault in problem.faults],
    )
    headers = {**(problem.headers or {}), "Content-Language": language, "Cache-Control": "no-store"}
    return JSONResponse(document.model_dump(), problem.status, headers, MEDIA_TYPE)


def reason_of(error: BaseException) -> str:
    """Why something failed, in one line for the operator: what our own errors, the system and the driver of the database say of it.

    What others say may quote values: of them the class alone.
    """
    if isinstance(error, Problem):
        return error.title.en + (f": {reason_of(error.__cause__)}" if error.__cause__ is not None else "")
    name, driver = type(error).__name__, getattr(error, "orig", None)
    words = (str(driver or error).strip().splitlines() or [""])[0][:300]
    if type(error).__module__.startswith(("shared.", "services.")) or type(error) in {RuntimeError, ValueError}:
        return words or name
    return f"{name}: {words}" if words and (driver or isinstance(error, OSError)) else name


def _methods_at(app: FastAPI, scope: Any) -> set[str]:
    """Every method that a path can be called with."""
    return {
        method
        for route in app.routes
        if route.matches(scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


def install(app: FastAPI) -> None:
    """Make every expected error of ``app`` a problem document; the unexpected ones are the business of `shared.operations.telemetry`."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        known = (
            error if isinstance(error, Problem) else _BY_STATUS.get(error.status_code, Problem)(headers=error.headers)
        )
        if error.status_code == 405:
            # Several routes share a path; the one that was tried first knows its own methods alone.
            known.headers = {"Allow": ", ".join(sorted(_methods_at(app, request.scope)))}
        return respond(request, known)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        elsewhere = [one for one in error.errors() if one["loc"][0] != "body"]
        if elsewhere:
            return respond(request, InvalidParameterError(errors=faults(elsewhere)))
        return respond(
            request, InvalidBodyError(errors=faults([{**one, "loc": one["loc"][1:]} for one in error.errors()]))
        )

    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
