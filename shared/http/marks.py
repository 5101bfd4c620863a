"""Marks of handlers: which bodies they accept and which media types they produce."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from shared.values.strict_json import ORDINARY, Limits

MAX_BODY = 1024 * 1024
BODY_SECONDS = 15.0
HANDLER_SECONDS = 10.0
JSON_TYPES = ("application/json",)
_ACCEPTS, _PRODUCES, _CACHED = "cleio_accepts", "cleio_produces", "cleio_cached"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a handler accepts, and how long it may take.

    ``seconds``: time limit of the handler; None for a stream or a long poll, which have none.
    ``body_seconds``: time limit for the whole body; between two parts of it no more than `BODY_SECONDS` may pass.
    ``bytes_of``: other sizes than ``body_bytes``, by media type.
    ``model``: describes, for OpenAPI only, a body that the handler reads itself; of lines, one line.
    ``spooled``: the body is written to a file as it arrives (`StrictRequest.spool`), and is never whole in memory.
    ``charsets``: the encodings that `Content-Type` may declare.
    """

    media_types: tuple[str, ...] = JSON_TYPES
    body_bytes: int = MAX_BODY
    limits: Limits = ORDINARY
    seconds: float | None = HANDLER_SECONDS
    body_seconds: float = BODY_SECONDS
    model: type[BaseModel] | None = None
    bytes_of: Mapping[str, int] = field(default_factory=dict)
    spooled: bool = False
    charsets: tuple[str, ...] = ("utf-8",)

    def most_bytes(self, media_type: str) -> int:
        """Return the size limit of a body of this media type."""
        return self.bytes_of.get(media_type, self.body_bytes)


def accepts(
    *media_types: str,
    body_bytes: int = MAX_BODY,
    limits: Limits = ORDINARY,
    seconds: float | None = HANDLER_SECONDS,
    body_seconds: float = BODY_SECONDS,
    model: type[BaseModel] | None = None,
    bytes_of: Mapping[str, int] | None = None,
    spooled: bool = False,
    charsets: tuple[str, ...] = ("utf-8",),
) -> Callable[..., Any]:
    """Set media types, size and shape of a handler's body, and its time limits. Write it below the route decorator."""

    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__[_ACCEPTS] = Accepted(
            media_types or JSON_TYPES,
            body_bytes,
            limits,
            seconds,
            body_seconds,
            model,
            bytes_of or {},
            spooled,
            charsets,
        )
        return handler

    return mark


def accepted(endpoint: Callable[..., Any]) -> Accepted:
    """Return what `accepts` set for an endpoint, or the defaults."""
    found: Accepted = vars(endpoint).get(_ACCEPTS, Accepted())
    return found


def produces(*media_types: str) -> Callable[..., Any]:
    """Set the media types of a handler's answer, where it is not plain JSON."""

    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__[_PRODUCES] = media_types
        return handler

    return mark


def produced(endpoint: Callable[..., Any]) -> tuple[str, ...]:
    """Return the media types of an endpoint's answer."""
    found: tuple[str, ...] = vars(endpoint).get(_PRODUCES, JSON_TYPES)
    return found


def cached_for_public(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Cache the answers of this handler to anonymous callers. They must depend on its URL and the data alone."""
    handler.__dict__[_CACHED] = True
    return handler


def is_cached(endpoint: Callable[..., Any]) -> bool:
    """Return whether `cached_for_public` marks an endpoint."""
    return bool(vars(endpoint).get(_CACHED))
