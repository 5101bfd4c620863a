"""Decisions about signing in and out."""

import re
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request, Response

from services.portal.pages.language import in_language
from services.portal.pages.visitors import Visitor
from services.portal.sessions.cookies import id_in, set_cookie
from services.portal.sessions.model import Tokens
from services.portal.sessions.service import SessionEndedError, Sessions
from services.portal.sign_in.demonstration import DemonstrationUsers
from services.portal.sign_in.flows import FLOW_SECONDS, Flows, new_flow
from services.portal.sign_in.openid import OpenIdProvider
from services.portal.sign_in.problems import UnknownPersonError
from shared.access.id_tokens import MAX_ID_TOKEN
from shared.access.principal import Principal
from shared.access.tokens import peek
from shared.values.language import Language
from shared.values.problems import NotFoundError

# A path of this portal: one slash, then no character that a browser reads as another host or as the end of a header.
_PATH = re.compile(r"/(?:[A-Za-z0-9_.~%-][A-Za-z0-9_.~%/-]*)?(?:\?[A-Za-z0-9_.~%=&+,:;@!*()'/-]*)?")
_LONGEST_PATH = 1000
WORKSPACE = "/workspace"
UNSTORED = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def path_of(back: str) -> str:
    """Return where to go after signing in: ``back`` if it is a path of this portal below ``/``, else the workspace."""
    is_own = len(back) <= _LONGEST_PATH and _PATH.fullmatch(back) and not back.startswith(("/sign-in", "/sign-out"))
    return back if is_own and back != "/" else WORKSPACE


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs visitors in and out. ``cookie``: the name of the cookie of sessions; None: there are none.

    ``provider``: None: this installation has no OpenID provider.
    """

    sessions: Sessions
    cookie: str | None
    demonstration: DemonstrationUsers
    provider: OpenIdProvider | None
    flows: Flows

    @property
    def has_provider(self) -> bool:
        """Whether visitors can sign in with the OpenID provider."""
        return self.provider is not None and self.cookie is not None

    async def demonstration_users(self, caller: Principal) -> list[dict[str, Any]]:
        """Return the demonstration users; none while other machines can call."""
        return await self.demonstration.all() if caller.closed and self.cookie else []

    async def begin_demonstration(self, request: Request, caller: Principal, user: str, answer: Response) -> Response:
        """Sign in a demonstration user.

        :raises NotFoundError: 404, there is no such user, or other machines can call.
        """
        tokens = await self.demonstration.tokens(user) if caller.closed and self.cookie else None
        if tokens is None:
            raise NotFoundError
        return await self._begin(request, answer, tokens)

    async def begin_at_provider(self, back: str, language: Language) -> Response:
        """Send the browser to the provider. ``back``: the path of a page to return to.

        :raises NotFoundError: 404, there is no provider.
        :raises ProviderUnavailableError: 503.
        """
        provider, cookie = self._provider()
        flow = new_flow(in_language(back, language))
        answer = Response(None, 303, {"Location": await provider.address(flow), **UNSTORED})
        set_cookie(answer, cookie, self.flows.write(flow), FLOW_SECONDS)
        return answer

    def in_language_of_flow(self, request: Request, visitor: Visitor) -> Visitor:
        """Return the visitor in the language of the page where the sign-in began: the way back has one address."""
        flow = self.flows.read(request.cookies.get(f"{self.cookie}-flow", ""))
        if flow is None or not f"{flow.back}/".startswith(("/en/", "/en?")):
            return visitor
        request.state.visitor = found = replace(visitor, language="en")
        return found

    async def finish_at_provider(self, request: Request) -> Response:
        """Begin the session of a person who comes back from the provider.

        :raises UnknownPersonError: the network does not know this person.
        :raises NotFoundError: 404, there is no provider.
        :raises Problem: as `OpenIdProvider.finish`.
        """
        provider, cookie = self._provider()
        flow = self.flows.read(request.cookies.get(cookie, ""))
        tokens = await provider.finish(flow, request.query_params)
        assert flow is not None
        answer = Response(None, 303, {"Location": flow.back, **UNSTORED})
        set_cookie(answer, cookie, "", 0)
        try:
            return await self._begin(request, answer, tokens)
        except SessionEndedError:
            _, claims = peek(tokens.identity, MAX_ID_TOKEN)
            raise UnknownPersonError(str(claims["iss"]), str(claims["sub"])) from None

    async def end(self, request: Request) -> str | None:
        """End the session; return the address that ends it at the provider too, if there is one."""
        identifier = id_in(request, self.cookie) if self.cookie is not None else None
        tokens = await self.sessions.end(identifier) if identifier is not None else None
        if tokens is None or tokens.source != "openid" or self.provider is None:
            return None
        return await self.provider.end(tokens)

    async def _begin(self, request: Request, answer: Response, tokens: Tokens) -> Response:
        """Begin a session and set its cookie. A session that the browser names already is ended."""
        assert self.cookie is not None
        identifier = await self.sessions.begin(tokens, id_in(request, self.cookie))
        set_cookie(answer, self.cookie, identifier)
        return answer

    def _provider(self) -> tuple[OpenIdProvider, str]:
        """Return the provider, and the name of the cookie of sign-ins in progress."""
        if self.provider is None or self.cookie is None:
            raise NotFoundError
        return self.provider, f"{self.cookie}-flow"
