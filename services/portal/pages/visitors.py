"""The visitor of a page: language, session and the API with the visitor's rights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request

from services.portal.clients.api import Api
from services.portal.pages.language import KEY
from services.portal.sessions.cookies import id_in
from services.portal.sessions.service import Sessions
from shared.access.address import address_of
from shared.clients.internal import InternalClient
from shared.values.language import Language


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor of a page.

    ``path``: of the page, without the prefix of its language and without its query.
    ``me``: organisation, kind, roles and rights of a signed-in visitor, as `/registry/v1/me` states them; None:
    anonymous. ``csrf``: what each form of a signed-in visitor must send back. ``ended``: the browser names a session
    that is over. ``demonstration``: the visitor is signed in as a demonstration user.
    """

    language: Language
    path: str
    api: Api
    me: Mapping[str, Any] | None = None
    csrf: str = ""
    ended: bool = False
    demonstration: bool = False


async def visitor_of(request: Request) -> Visitor:
    """Return the visitor of a request, and keep it for error pages (``request.state``), with the form that was sent."""
    request.state.sent = await request.body() if request.method == "POST" else b""
    request.state.visitor = found = await _visitor_of(request)
    return found


async def _visitor_of(request: Request) -> Visitor:
    language: Language = request.scope.get(KEY, "fr")
    name: str | None = request.app.state.settings.session_cookie
    identifier = id_in(request, name) if name is not None else None
    sessions: Sessions = request.app.state.sessions
    session = await sessions.find(identifier) if identifier is not None else None
    if session is None:
        return Visitor(language, request.url.path, _api(request, language), ended=identifier is not None)
    secret = session.secret
    api = _api(request, language, secret.tokens.access)
    demonstration = secret.tokens.source == "demonstration"
    return Visitor(language, request.url.path, api, secret.me, secret.csrf, demonstration=demonstration)


async def end_session(request: Request) -> None:
    """End the session of a request, if it has one. The visitor is anonymous from here on."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    if found is None or found.me is None:
        return
    identifier = id_in(request, request.app.state.settings.session_cookie)
    if identifier is not None:
        await request.app.state.sessions.end(identifier)
    request.state.visitor = replace(found, api=_api(request, found.language), me=None, csrf="", ended=True)


def _api(request: Request, language: Language, token: str | None = None) -> Api:
    services: Mapping[str, InternalClient] = request.app.state.services
    address = address_of(request, request.app.state.settings.gateway_networks)
    return Api(services, language, address, token)


CurrentVisitor = Annotated[Visitor, Depends(visitor_of)]
