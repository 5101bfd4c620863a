"""The visitor of a page: language, session and the API with the visitor's rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from services.portal.clients.api import Api
from services.portal.pages.language import KEY
from shared.access.address import address_of
from shared.clients.internal import InternalClient
from shared.values.language import Language


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page.

    ``path``: of the page, without the prefix of its language and without its query.
    ``me``: organisation, kind, roles and rights of a signed-in visitor, as `/registry/v1/me` states them; None:
    anonymous. ``csrf``: what each form of a signed-in visitor must send back.
    """

    language: Language
    path: str
    api: Api
    me: Mapping[str, Any] | None = None
    csrf: str = ""


async def visitor_of(request: Request) -> Visitor:
    """Return the visitor of a request."""
    language: Language = request.scope.get(KEY, "fr")
    services: Mapping[str, InternalClient] = request.app.state.services
    address = address_of(request, request.app.state.settings.gateway_networks)
    return Visitor(language, request.url.path, Api(services, language, address))


CurrentVisitor = Annotated[Visitor, Depends(visitor_of)]
