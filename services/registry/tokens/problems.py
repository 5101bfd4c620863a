"""Errors of the token endpoint, in the form of RFC 6749 §5.2. Why a client is not believed is told to the log alone."""

from typing import Literal

ErrorCode = Literal["invalid_request", "invalid_client", "invalid_scope", "invalid_target", "unsupported_grant_type", "temporarily_unavailable"]
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
