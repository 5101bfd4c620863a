"""Answers in the media type that a caller wants, which caches may keep and must ask about."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import Response

from shared.http.versions import CachedVersions

# A copy is never used unasked: a trial that stopped is not shown as open.
PUBLIC: Final = "public, no-cache"
PRIVATE: Final = "private, no-cache"
VARY: Final = "Accept, Authorization"


def preferred_type(accept: str | None, offered: Sequence[str]) -> str:
    """Return which of the offered media types a caller wants: the first that it names, else the first offered."""
    named = [part.partition(";")[0].strip().lower() for part in (accept or "").split(",")]
    return next((one for one in named if one in offered), offered[0])


def cache_headers(body: bytes, *, is_public: bool) -> dict[str, str]:
    """Return ``ETag``, ``Cache-Control`` and ``Vary`` of an answer. The tag is weak: the gateway may compress it."""
    digest = hashlib.sha256(body, usedforsecurity=False).hexdigest()[:20]
    return {"ETag": f'W/"{digest}"', "Cache-Control": PUBLIC if is_public else PRIVATE, "Vary": VARY}


def revalidated(
    cached: CachedVersions, text: str, media_type: str, *, is_public: bool, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with `cache_headers`, or 304 if the caller has it."""
    body = text.encode()
    caching = cache_headers(body, is_public=is_public)
    if cached.names(caching["ETag"]):
        return Response(status_code=304, headers=caching)
    return Response(body, headers={**(headers or {}), **caching}, media_type=media_type)
