"""Optimistic concurrency: a resource has a version, sent as a strong ETag; a change names the version it was made from.

A handler that uses one of these headers declares it as a dependency (`IfMatch`, `IfNoneMatch`): the OpenAPI description
of its route follows from that.
"""

import re
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant

from shared.values.problems import Fault, StaleVersionError, VersionRequiredError
from shared.values.wire import Label

_ETAG = re.compile(r'"v([1-9]\d{0,9})"')
_REQUIRED = Fault(
    pointer="/header/if-match", code="missing", detail=Label(fr="en-tête requis", en="this header is required")
)


def etag(version: int) -> str:
    return f'"v{version}"'


class ChangePrecondition:
    """``If-Match`` of a change, or ``If-None-Match: *`` where a PUT may create."""

    def __init__(self, request: Request) -> None:
        self._if_match = request.headers.get("if-match")
        self.creates = request.headers.get("if-none-match", "").strip() == "*"

    def required_version(self) -> int | None:
        """Return the version in ``If-Match``; None: any (``*``).

        :raises VersionRequiredError: 428, no ``If-Match``.
        :raises StaleVersionError: 412, not a version that we ever sent.
        """
        if self._if_match is None:
            raise VersionRequiredError(errors=[_REQUIRED])
        if self._if_match.strip() == "*":
            return None
        match = _ETAG.fullmatch(self._if_match.strip())
        if match is None:
            raise StaleVersionError
        return int(match.group(1))


class CachedVersions:
    """``If-None-Match`` of a read: the versions, or answers, that the caller has."""

    def __init__(self, request: Request) -> None:
        self._header = request.headers.get("if-none-match", "")

    def unchanged(self, version: int) -> Response | None:
        """Return 304 if the caller has this version, else None."""
        if names_version(self._header.encode(), etag(version).encode()):
            return Response(status_code=304, headers={"ETag": etag(version)})
        return None

    def names(self, tag: str) -> bool:
        """Return whether the caller has the answer with this ETag."""
        return names_version(self._header.encode(), tag.encode())


def names_version(if_none_match: bytes, tag: bytes) -> bool:
    """Return whether the value of ``If-None-Match`` names this ETag, or any. Weak tags count as strong ones."""
    return if_none_match.strip() == b"*" or tag.removeprefix(b"W/") in [
        one.strip().removeprefix(b"W/") for one in if_none_match.split(b",")
    ]


# Asynchronous, because FastAPI runs other dependencies in threads.
async def _change_precondition(request: Request) -> ChangePrecondition:
    return ChangePrecondition(request)


async def _cached_versions(request: Request) -> CachedVersions:
    return CachedVersions(request)


IfMatch = Annotated[ChangePrecondition, Depends(_change_precondition)]
IfNoneMatch = Annotated[CachedVersions, Depends(_cached_versions)]


def requires_version(dependant: Dependant) -> bool:
    """Return whether a route declares `IfMatch`."""
    return _declares(dependant, _change_precondition)


def answers_unchanged(dependant: Dependant) -> bool:
    """Return whether a route declares `IfNoneMatch`."""
    return _declares(dependant, _cached_versions)


def _declares(dependant: Dependant, dependency: object) -> bool:
    return any(one.call is dependency or _declares(one, dependency) for one in dependant.dependencies)
