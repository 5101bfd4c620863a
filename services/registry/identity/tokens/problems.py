"""Errors of the token endpoint (RFC 6749 §5.2) and of the rotation of signing keys."""

from typing import Literal

from shared.access.tokens import CLOCK_SKEW, LIFETIME
from shared.values.problems import ConflictError
from shared.values.wire import Label

ErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_scope",
    "invalid_target",
    "unsupported_grant_type",
    "temporarily_unavailable",
]
STATUS: dict[str, int] = {"invalid_client": 401, "temporarily_unavailable": 503}

# One text for all of them: a caller must not learn which client ids exist, nor which keys and addresses they have.
_NOT_PROVED = (
    "the assertion does not prove the identity of an active client: the client is unknown, revoked or suspended, or"
    " no key of its key set has this kid and made this signature, or its jwks_url does not return the key set"
)
_DESCRIPTIONS: dict[tuple[str, str], str] = {
    ("invalid_request", "form"): (
        "the body must be a form (application/x-www-form-urlencoded) of at most 20 parameters, percent-encoded in ASCII"
    ),
    ("invalid_request", "repeated_parameter"): "only the parameter resource may occur more than once",
    ("invalid_request", "two_authentications"): (
        "authenticate with client_assertion only, without an Authorization header and without client_secret"
    ),
    ("invalid_request", "grant_type"): "grant_type is required: client_credentials",
    ("unsupported_grant_type", "grant_type"): "grant_type must be client_credentials",
    ("invalid_client", "assertion_missing"): (
        "authenticate with private_key_jwt: client_assertion is a signed JWT, and client_assertion_type is"
        " urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ),
    ("invalid_client", "form"): (
        "client_assertion must be a compact signed JWT of at most 16 KiB: header, claims and signature in base64url"
        " without padding, and no JSON member twice"
    ),
    ("invalid_client", "alg"): "alg in the header of the assertion must be RS384 or ES384",
    ("invalid_client", "typ"): (
        "typ in the header of the assertion must be JWT or client-authentication+jwt, or be absent"
    ),
    ("invalid_client", "kid"): "the header of the assertion needs a kid of 1 to 128 characters: the id of the key",
    ("invalid_client", "header"): "crit in the header of the assertion names an extension that is not supported",
    ("invalid_client", "jku"): "jku in the header of the assertion must be the registered jwks_url, or be absent",
    ("invalid_client", "iss_sub"): "iss and sub must both be the client id, and so must client_id if it is sent",
    ("invalid_client", "exp"): "exp is required: whole seconds since 1970",
    ("invalid_client", "iat"): "iat must be whole seconds since 1970",
    ("invalid_client", "nbf"): "nbf must be whole seconds since 1970",
    ("invalid_client", "expired"): "the assertion has expired: sign a new one, and check the clock of the client",
    ("invalid_client", "not_yet"): (
        f"iat or nbf is more than {CLOCK_SKEW} seconds in the future: check the clock of the client"
    ),
    ("invalid_client", "exp_too_far"): f"exp must be at most {LIFETIME} seconds in the future",
    ("invalid_client", "jti"): "jti is required: 1 to 128 printable characters, different in each assertion",
    ("invalid_client", "replayed"): "this assertion was used before: sign a new one with another jti",
    ("invalid_scope", "scope_form"): "scope must be a list of scopes, separated by single spaces",
    ("invalid_scope", "scope"): "the client is not registered with all of these scopes",
    ("invalid_target", "resource"): (
        "resource must be urn:cleio:registry, urn:cleio:matching or urn:cleio:notifications"
    ),
}


class TokenRefusedError(Exception):
    """A refused token request: ``reason`` is a word for the log, ``description`` a sentence for the caller."""

    def __init__(self, code: ErrorCode, reason: str, description: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.description = description or _DESCRIPTIONS.get((code, reason), _NOT_PROVED)

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 400)


class KeyTooNewError(ConflictError):
    code = "signing_key_too_new"
    title = Label(
        fr="La prochaine clé de signature est publiée depuis moins de 10 s : réessayez plus tard",
        en="The next signing key was published less than 10 s ago: retry later",
    )

    def __init__(self, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})
