"""Demonstration users of a developer's machine: the portal's only calls with the token of the installation."""

from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import segment
from services.portal.clients.problems import ApiUnavailableError
from services.portal.sessions.model import Tokens
from shared.clients.internal import InternalClient, SiblingError

_USERS = "/registry/v1/internal/demonstration-users"
_OK, _CREATED = 200, 201


@dataclass(frozen=True, slots=True)
class DemonstrationUsers:
    """Lists the demonstration users and signs them in. The registry decides whether there are any."""

    registry: InternalClient

    async def all(self) -> list[dict[str, Any]]:
        """Return all users; none where this installation has no demonstration."""
        try:
            answer = await self.registry.get(_USERS)
        except SiblingError:
            return []
        return list(answer.json()["items"]) if answer.status_code == _OK else []

    async def tokens(self, user: str) -> Tokens | None:
        """Return new tokens of a user; None: there is no such user."""
        try:
            answer = await self.registry.send("POST", f"{_USERS}/{segment(user)}/tokens")
        except SiblingError as error:
            raise ApiUnavailableError from error
        if answer.status_code != _CREATED:
            return None
        body = answer.json()
        return Tokens("demonstration", body["access_token"], body["expires_at"], user)

    async def renew(self, tokens: Tokens) -> Tokens | None:
        """Return new tokens of the user of a session."""
        return await self.tokens(tokens.refresh)
