"""The catalogue of expected errors (RFC 9457): stable codes, and texts that never repeat what was sent.

They become answers in `shared.http.problem_responses`.
"""

import errno
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from shared.values.language import Language
from shared.values.wire import ApiModel, Label


class FieldError(ApiModel):
    """One fault in a request.

    ``pointer``: a JSON Pointer into the body, or ``/query/<name>``, ``/path/<name>``, ``/header/<name>``.
    """

    pointer: str
    code: str
    detail: str


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class ProblemDocument(BaseModel):
    """The body of an error (RFC 9457). ``detail`` is absent where the title and the ``errors`` say everything."""

    type: str
    title: str
    status: int
    code: str
    detail: str | SkipJsonSchema[None] = Field(default=None, json_schema_extra=_without_default)
    instance: str
    errors: list[FieldError] = []


class Problem(Exception):  # noqa: N818  # the standard's word for the document that it becomes
    """An expected error. A subclass sets its ``code``, ``status`` and ``title``.

    ``detail``: what the caller should know or do beyond the title; a subclass with another title inherits none.
    ``explanation``: the detail given to the instance, else the title.
    ``errors``: the faults, with their places. ``headers``: of the answer.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[Label] = Label(fr="Erreur interne", en="Internal error")
    detail: Label | None = None

    def __init_subclass__(cls) -> None:
        if "title" in vars(cls) and "detail" not in vars(cls):
            cls.detail = None

    def __init__(
        self, detail: Label | None = None, *, errors: Sequence["Fault"] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(self.title.en)
        self.headers = dict(headers or {})
        self.explanation = detail or self.title
        self.detail = detail or self.detail
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
    title = Label(fr="Le corps n'est pas un JSON valide", en="The body is not valid JSON")


class InvalidParameterError(Problem):
    code, status = "invalid_parameter", 400
    title = Label(fr="Paramètre inconnu, répété ou mal formé", en="Unknown, repeated or malformed parameter")


class InvalidCursorError(Problem):
    code, status = "invalid_cursor", 400
    title = Label(fr="Curseur non valide", en="Invalid cursor")


class UnauthenticatedError(Problem):
    code, status = "unauthenticated", 401
    title = Label(fr="Authentification requise", en="Authentication required")
    detail = Label(
        fr="Envoyez un jeton d'accès ou une clé d'API valide dans l'en-tête `Authorization: Bearer …`.",
        en="Send a valid access token or API key in the header `Authorization: Bearer …`.",
    )

    def __init__(self, challenge: str = "Bearer") -> None:
        super().__init__(headers={"WWW-Authenticate": challenge})


class IdentityUnavailableError(Problem):
    code, status = "identity_unavailable", 503
    title = Label(
        fr="L'identité de l'appelant ne peut pas être vérifiée pour l'instant",
        en="The caller's identity cannot be verified at the moment",
    )
    detail = Label(
        fr="Le service qui vérifie les jetons est injoignable ; réessayez dans quelques secondes.",
        en="The service that verifies tokens cannot be reached; retry in a few seconds.",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class ForbiddenError(Problem):
    code, status = "forbidden", 403
    title = Label(fr="Action non autorisée", en="Action not allowed")
    detail = Label(
        fr="Les rôles de l'appelant ne permettent pas cette action ; un administrateur de son organisation les gère.",
        en="The caller's roles do not allow this action; an administrator of its organisation manages them.",
    )


class InsufficientScopeError(ForbiddenError):
    code = "insufficient_scope"
    title = Label(fr="Le jeton n'a pas la portée requise", en="The token lacks the required scope")

    def __init__(self, scope: str) -> None:
        detail = Label(
            fr=f"Demandez un jeton avec la portée {scope}. Si le client ne l'a pas, un administrateur de votre"
            " organisation peut la lui accorder.",
            en=f"Request a token with the scope {scope}. If the client does not have it, an administrator of your"
            " organisation can grant it.",
        )
        super().__init__(detail, headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'})


class NotFoundError(Problem):
    code, status = "not_found", 404
    title = Label(fr="Introuvable", en="Not found")
    detail = Label(
        fr="La ressource n'existe pas, ou l'appelant n'y a pas accès.",
        en="The resource does not exist, or the caller has no access to it.",
    )


class MethodNotAllowedError(Problem):
    code, status = "method_not_allowed", 405
    title = Label(fr="Méthode non autorisée", en="Method not allowed")
    detail = Label(
        fr="L'en-tête `Allow` de la réponse donne les méthodes possibles.",
        en="The header `Allow` of the answer lists the possible methods.",
    )


class NotAcceptableError(Problem):
    code, status = "not_acceptable", 406
    title = Label(fr="Aucun format acceptable", en="No acceptable format")
    detail = Label(
        fr="L'en-tête `Accept` exclut tous les formats de cette ressource.",
        en="The header `Accept` excludes every format of this resource.",
    )


class ConflictError(Problem):
    code, status = "conflict", 409
    title = Label(fr="Conflit avec l'état actuel", en="Conflict with the current state")


class GoneError(Problem):
    code, status = "gone", 410
    title = Label(fr="N'est plus disponible", en="No longer available")


class StaleVersionError(Problem):
    code, status = "stale_version", 412
    title = Label(fr="La version n'est plus la version actuelle", en="The version is no longer current")
    detail = Label(
        fr="Relisez la ressource et refaites la modification avec son `ETag` actuel dans `If-Match`.",
        en="Read the resource again and repeat the change with its current `ETag` in `If-Match`.",
    )


class AlreadyExistsError(Problem):
    code, status = "already_exists", 412
    title = Label(fr="La ressource existe déjà", en="The resource already exists")
    detail = Label(
        fr="Pour la modifier, envoyez son `ETag` dans `If-Match` au lieu de `If-None-Match: *`.",
        en="To change it, send its `ETag` in `If-Match` instead of `If-None-Match: *`.",
    )


class BodyTimedOutError(Problem):
    code, status = "body_timed_out", 408
    title = Label(fr="Le corps n'est pas arrivé à temps", en="The body did not arrive in time")

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class TooLargeError(Problem):
    code, status = "too_large", 413
    title = Label(fr="Corps trop volumineux", en="Body too large")
    detail = Label(
        fr="La description OpenAPI donne la taille maximale de chaque corps.",
        en="The OpenAPI description states the maximum size of each body.",
    )


class UriTooLongError(Problem):
    code, status = "uri_too_long", 414
    title = Label(fr="URI trop longue", en="URI too long")
    detail = Label(fr="Une URI compte au plus 8 Kio.", en="A URI has at most 8 KiB.")


class UnsupportedMediaTypeError(Problem):
    code, status = "unsupported_media_type", 415
    title = Label(fr="Type de contenu non pris en charge", en="Unsupported media type")
    detail = Label(
        fr="Envoyez l'un des types de la description OpenAPI, en UTF-8 et sans compression.",
        en="Send one of the media types of the OpenAPI description, in UTF-8 and uncompressed.",
    )


class HeadersTooLargeError(Problem):
    code, status = "headers_too_large", 431
    title = Label(fr="En-têtes trop volumineux", en="Headers too large")
    detail = Label(fr="Les en-têtes comptent au plus 16 Kio.", en="The headers have at most 16 KiB.")


class InvalidBodyError(Problem):
    code, status = "invalid_body", 422
    title = Label(fr="Contenu refusé", en="Content refused")


class VersionRequiredError(Problem):
    code, status = "version_required", 428
    title = Label(fr="L'en-tête If-Match est requis", en="The If-Match header is required")
    detail = Label(
        fr="Lisez la ressource et renvoyez son `ETag` dans `If-Match`.",
        en="Read the resource and send its `ETag` in `If-Match`.",
    )


class DatabaseBusyError(Problem):
    code, status = "database_busy", 503
    title = Label(fr="Base de données momentanément saturée", en="Database temporarily busy")
    detail = Label(fr="Réessayez dans une seconde.", en="Retry in a second.")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class DatabaseUnavailableError(Problem):
    """The database cannot be reached, or the connection broke: the last statement may or may not have taken effect."""

    code, status = "database_unavailable", 503
    title = Label(fr="Base de données temporairement indisponible", en="Database temporarily unavailable")
    detail = Label(
        fr="Réessayez dans quelques secondes ; une modification en cours a pu être faite ou non.",
        en="Retry in a few seconds; a change in progress may or may not have been made.",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class DatabaseDamagedError(Problem):
    code, status = "database_damaged", 503
    title = Label(fr="Base de données endommagée", en="Database damaged")
    detail = Label(
        fr="L'exploitant doit restaurer une sauvegarde.", en="The operator must restore a backup (`cleio restore`)."
    )


class StorageFullError(Problem):
    code, status = "storage_full", 507
    title = Label(fr="Espace de stockage épuisé", en="Storage full")
    detail = Label(
        fr="Rien n'a été modifié ; l'exploitant doit libérer de l'espace.",
        en="Nothing was changed; the operator must free some space.",
    )


class StorageFailedError(Problem):
    code, status = "storage_failed", 503
    title = Label(fr="Échec de l'écriture sur le disque", en="Writing to disk failed")
    detail = Label(fr="Rien n'a été modifié ; réessayez.", en="Nothing was changed; retry.")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


def storage_problem(error: OSError) -> Problem:
    """Translate a failure to write a file."""
    return StorageFullError() if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} else StorageFailedError()


class TimedOutError(Problem):
    code, status = "timed_out", 503
    title = Label(fr="Délai de traitement dépassé", en="Processing timed out")
    detail = Label(
        fr="Réessayez dans quelques secondes, si possible avec une requête plus petite.",
        en="Retry in a few seconds, if possible with a smaller request.",
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


class OverloadedError(Problem):
    code, status = "overloaded", 503
    title = Label(fr="Serveur saturé", en="Server busy")
    detail = Label(fr="Réessayez dans une seconde.", en="Retry in a second.")

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class RateLimitedError(Problem):
    code, status = "rate_limited", 429
    title = Label(fr="Quota de requêtes dépassé", en="Request quota exceeded")
    detail = Label(
        fr="Attendez le nombre de secondes de `Retry-After` ; `RateLimit-Policy` donne le quota.",
        en="Wait for the seconds in `Retry-After`; `RateLimit-Policy` states the quota.",
    )

    def __init__(self, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})


def reason_of(error: BaseException) -> str:
    """Describe a failure in one line for the operator.

    Quotes only messages of our own errors, of the operating system and of the database driver; others may contain data.
    """
    if isinstance(error, DatabaseDamagedError):
        return f"{error.title.en}: restore a backup with `cleio restore`"
    if isinstance(error, Problem):
        return error.title.en + (f": {reason_of(error.__cause__)}" if error.__cause__ is not None else "")
    name, driver = type(error).__name__, getattr(error, "orig", None)
    words = (str(driver or error).strip().splitlines() or [""])[0][:300]
    if type(error).__module__.startswith(("shared.", "services.")) or type(error) in {RuntimeError, ValueError}:
        return words or name
    return f"{name}: {words}" if words and (driver or isinstance(error, OSError)) else name
