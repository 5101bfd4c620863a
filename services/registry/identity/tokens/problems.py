"""Errors of the token endpoint (RFC 6749 §5.2) and of the rotation of signing keys."""

from typing import Literal

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


class TokenRefusedError(Exception):
    """A refused token request: the OAuth error ``code``, and one word for the log as ``reason``."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason

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
