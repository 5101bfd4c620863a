"""Decisions about signing in and out."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from services.portal.sessions.cookies import id_in, set_cookie
from services.portal.sessions.model import Tokens
from services.portal.sessions.service import Sessions
from services.portal.sign_in.demonstration import DemonstrationUsers
from shared.access.principal import Principal

# A path of this portal: one slash, then no character that a browser reads as another host or as the end of a header.
_PATH = re.compile(r"/(?:[A-Za-z0-9_.~%-][A-Za-z0-9_.~%/-]*)?(?:\?[A-Za-z0-9_.~%=&+,:;@!*()'/-]*)?")
_LONGEST_PATH = 1000


def path_of(back: str) -> str:
    """Return where to go after signing in: ``back`` if it is a path of this portal, else the first page."""
    is_own = len(back) <= _LONGEST_PATH and _PATH.fullmatch(back) and not back.startswith(("/sign-in", "/sign-out"))
    return back if is_own else "/"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs visitors in and out. ``cookie``: the name of the cookie of sessions; None: there are none."""

    sessions: Sessions
    cookie: str | None
    demonstration: DemonstrationUsers

    async def demonstration_users(self, caller: Principal) -> list[dict[str, Any]]:
        """Return the demonstration users; none while other machines can call."""
        return await self.demonstration.all() if caller.closed and self.cookie else []

    async def demonstration_tokens(self, caller: Principal, user: str) -> Tokens | None:
        """Return tokens of a demonstration user; None: there is none, or other machines can call."""
        return await self.demonstration.tokens(user) if caller.closed and self.cookie else None

    async def begin(self, request: Request, answer: Response, tokens: Tokens) -> Response:
        """Begin a session and set its cookie. A session that the browser names already is ended."""
        assert self.cookie is not None
        identifier = await self.sessions.begin(tokens, id_in(request, self.cookie))
        set_cookie(answer, self.cookie, identifier)
        return answer

    async def end(self, request: Request, answer: Response) -> Response:
        """End the session and remove its cookie."""
        if self.cookie is not None:
            if (identifier := id_in(request, self.cookie)) is not None:
                await self.sessions.end(identifier)
            set_cookie(answer, self.cookie, "", 0)
        return answer
