"""Errors of the token endpoint, in the form of RFC 6749 §5.2. Why a client is not believed is told to the log alone."""

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
    """``reason`` is one word for the log."""

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
        fr="La clé annoncée l'est depuis trop peu : certains ne peuvent pas encore la connaître",
        en="The announced key was announced too recently: not everybody can know it yet",
    )

    def __init__(self, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)})
