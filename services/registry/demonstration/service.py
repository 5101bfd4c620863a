"""Decisions about demonstration users: who they are, and their tokens."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from services.registry.demonstration.schemas import DemonstrationToken, DemonstrationUser
from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.identity.organisations.schemas import Organisation
from services.registry.identity.tokens.issuer import Issuer
from services.registry.trials.repository import TrialRepository
from shared.access.policy import SCOPED, scopes_of_roles
from shared.access.principal import Credential, Role
from shared.access.tokens import LIFETIME, issue
from shared.persistence import Database
from shared.values.clock import Clock, utc_now
from shared.values.problems import NotFoundError

_SERVICES = frozenset(service for services in SCOPED.values() for service in services)


@cache
def listed(name: str) -> dict[str, dict[str, Any]]:
    """Return the rows of ``users.json`` or ``organisations.json`` by their ids."""
    rows = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


class DemonstrationService:
    """Demonstration users. They exist only beside the sample."""

    def __init__(self, database: Database, issuer: Issuer, *, with_sample: bool, clock: Clock = utc_now) -> None:
        self._database = database
        self._issuer = issuer
        self._with_sample = with_sample and issuer.enabled
        self._clock = clock

    async def users(self) -> list[DemonstrationUser]:
        """Return all users.

        :raises NotFoundError: 404, the sample is not loaded, or this installation issues no tokens.
        """
        async with self._database.read(as_service=True) as connection:
            await self._check_sample(TrialRepository(connection))
        names = {key: row["name"] for key, row in listed("organisations").items()}
        return [
            DemonstrationUser(id=row["id"], organisation=names[row["organisation"]], name=row["name"], does=row["does"])
            for row in listed("users").values()
        ]

    async def token(self, user: str) -> DemonstrationToken:
        """Issue a token with the rights of a member with these roles. Create the organisation where it is missing.

        :raises NotFoundError: 404, as `users`, there is no such user, or its organisation is suspended.
        """
        row = listed("users").get(user)
        if row is None:
            raise NotFoundError
        async with self._database.transaction(as_service=True) as connection:
            await self._check_sample(TrialRepository(connection))
            organisation = await self._organisation(
                OrganisationRepository(connection), listed("organisations")[row["organisation"]]
            )
            credential = _credential(user, organisation, frozenset(row["roles"]), int(self._clock().timestamp()))
            token = issue(await self._issuer.keys.active(connection), self._issuer.url, _SERVICES, credential)
        return DemonstrationToken(access_token=token, expires_at=credential.expires_at)

    async def _check_sample(self, trials: TrialRepository) -> None:
        if not self._with_sample or not await trials.count("all", demo=True):
            raise NotFoundError

    async def _organisation(self, organisations: OrganisationRepository, given: Mapping[str, Any]) -> Organisation:
        found, now = await organisations.get(given["id"]), self._clock()
        if found is None:
            found = Organisation(
                **{"centre": None, **given}, version=1, status="active", created_at=now, updated_at=now
            )
            await organisations.add(found)
        if found.status != "active" or (found.kind, found.centre) != (given["kind"], given.get("centre")):
            raise NotFoundError
        return found


def _credential(user: str, organisation: Organisation, roles: frozenset[Role], now: int) -> Credential:
    return Credential(
        client=f"demo:{user}",
        organisation=organisation.id,
        kind=organisation.kind,
        roles=roles,
        scopes=scopes_of_roles(organisation.kind, roles),
        issued_at=now,
        expires_at=now + LIFETIME,
        centre=organisation.centre,
        human=f"demo:{user}",
    )
