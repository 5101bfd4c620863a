"""Optimistic concurrency: a mutable resource has a version, told as a strong ETag; a change names the version it was made from."""

import re

from fastapi import Request, Response

from shared.values.problems import Fault, StaleVersionError, VersionRequiredError
from shared.values.wire import Label

_ETAG = re.compile(r'"v([1-9]\d{0,9})"')


def etag(version: int) -> str:
    return f'"v{version}"'


def required_version(request: Request) -> int | None:
    """The version in ``If-Match``; None for ``*`` (any existing one).

    :raises VersionRequiredError: 428, no ``If-Match``.
    :raises StaleVersionError: 412, one that can match no version of ours.
    """
    header = request.headers.get("if-match")
    if header is None:
        raise VersionRequiredError(
            errors=[
                Fault(
                    pointer="/header/if-match", code="missing", detail=Label(fr="en-tête requis", en="header required")
                )
            ]
        )
    if header.strip() == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise StaleVersionError
    return int(match.group(1))


def unchanged(request: Request, version: int) -> Response | None:
    """304 when the caller already holds this version, else None."""
    given = request.headers.get("if-none-match")
    if names_version(None if given is None else given.encode(), etag(version).encode()):
        return Response(status_code=304, headers={"ETag": etag(version)})
    return None


def names_version(if_none_match: bytes | None, tag: bytes) -> bool:
    """Return whether the header ``If-None-Match`` names this ETag, or any."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == b"*" or tag in [
        one.strip().removeprefix(b"W/") for one in if_none_match.split(b",")
    ]
