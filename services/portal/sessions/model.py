"""A session as plain data."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Source = Literal["demonstration", "openid"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a visitor. ``source``: who issued them; ``expires_at``: of the access token, epoch seconds.

    ``refresh``: what renews them: a refresh token, or the name of a demonstration user; empty: nothing does.
    ``identity``: the ID token of an OpenID provider, which its sign-out asks for.
    """

    source: Source
    access: str = field(repr=False)
    expires_at: int
    refresh: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """The part of a session that is encrypted.

    ``csrf``: what the forms of the session send back. ``me``: what `/registry/v1/me` said at ``me_at`` (epoch seconds).
    """

    tokens: Tokens
    csrf: str = field(repr=False)
    me: Mapping[str, Any]
    me_at: int

    def write(self) -> dict[str, Any]:
        """Write it as a document."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Secret":
        """The inverse of `write`."""
        return cls(**{**document, "tokens": Tokens(**document["tokens"])})


@dataclass(frozen=True, slots=True)
class Session:
    """One session. ``digest``: SHA-256 of its id in hex; ``version`` counts the changes of its secret."""

    digest: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    version: int
    secret: Secret

    def is_over(self, now: datetime, idle: timedelta) -> bool:
        """Return whether it was not used for ``idle``, or has reached its longest duration."""
        return now >= self.ends_at or now >= self.seen_at + idle


def new_id() -> str:
    """Return a random id of 256 bits."""
    return secrets.token_urlsafe(32)


def digest_of(identifier: str) -> str:
    """Return the digest under which a session is stored."""
    return hashlib.sha256(identifier.encode()).hexdigest()
