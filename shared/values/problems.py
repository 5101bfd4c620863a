"""The catalogue of expected errors: RFC 9457 problems with stable codes, in French and English, that never repeat what was sent.

They become answers in `shared.http.problem_responses`.
"""

import errno
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel

from shared.values.language import Language
from shared.values.wire import ApiModel, Label


class FieldError(ApiModel):
    """One fault in a request.

    ``pointer``: a JSON Pointer into the body, or ``/query/<name>``, ``/path/<name>``, ``/header/<name>``.
    """

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


class Problem(Exception):  # noqa: N818  # the standard's word for the document that it becomes
    """An expected error. A subclass sets its ``code``, ``status`` and ``title``.

    ``detail``: what the caller needs to know beyond the title. ``errors``: the faults, with their places.
    ``headers``: of the answer.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[Label] = Label(fr="Erreur interne", en="Internal error")

    def __init__(
        self, detail: Label | None = None, *, errors: Sequence["Fault"] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(self.title.en)
        self.headers = dict(headers or {})
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
