"""Decisions about API clients."""

import uuid
from datetime import timedelta
from typing import Any

from services.registry.identity.clients.keys import new_key
from services.registry.identity.clients.problems import ClientRevokedError, NoKeyError, OneSourceError
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.clients.schemas import Client, ClientInput, ClientUpdate, Method, NewClient
from services.registry.identity.credentials.service import check_own, check_scopes, revocations
from services.registry.identity.organisations.schemas import Organisation
from services.registry.identity.organisations.service import OrganisationService
from services.registry.identity.versions import check_version, next_version
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.clients.outbound import OutboundClient, OutboundError
from shared.clients.problems import refused_url
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import Fault, NotFoundError, StaleVersionError

KEY_DAYS = 365


class ClientService:
    """Reads and changes the API clients of organisations for one caller, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._access = access
        self._clock = clock
        self._organisations = OrganisationService(connection, access, clock)
        self._clients = ClientRepository(connection)

    async def get(self, organisation: str, client: str) -> Client:
        """Return one client.

        :raises NotFoundError: 404, it does not exist or the caller may not see it.
        """
        await self._organisations.get(organisation)
        found = await self._clients.get(organisation, client)
        if found is None:
            raise NotFoundError
        return found

    async def page(self, organisation: str, after: str | None, limit: int) -> list[Client]:
        """Return the organisation's clients by id, including revoked ones."""
        await self._organisations.get(organisation)
        return await self._clients.page(organisation, after, limit)

    async def create(self, organisation: str, given: ClientInput) -> NewClient:
        """Register a client; the answer holds its API key, if it has one.

        :raises ScopeBeyondError: 422, the caller may not give one of the scopes.
        :raises SuspendedError: 409, the organisation is suspended.
        """
        owner = await self._organisations.get(organisation)
        check_scopes(given.scopes, owner.kind, self._access)
        now, identifier = self._clock(), str(uuid.uuid4())
        key, digest = new_key(identifier) if given.method == "api_key" else (None, None)
        created = Client(
            id=identifier,
            version=1,
            organisation=organisation,
            status="active",
            expires_at=now + timedelta(days=given.expires_in_days or KEY_DAYS) if key else None,
            created_at=now,
            updated_at=now,
            **{name: value for name, value in given if name != "expires_in_days"},
        )
        await self._clients.add(created, digest)
        await self._organisations.check_active(organisation)
        return NewClient(**dict(created), key=key)

    async def replace(self, organisation: str, client: str, given: ClientUpdate, expected: int | None) -> Client:
        """Replace version ``expected`` (None: any) of a client of the caller's own organisation; its tokens end.

        :raises ForbiddenError: 403, the client belongs to another organisation.
        :raises StaleVersionError: 412, another change came first.
        :raises ClientRevokedError: 409.
        :raises OneSourceError: 422, its public keys come from nowhere or from two places.
        :raises ScopeBeyondError: 422, the caller may not give one of the scopes.
        """
        owner, current = await self._get_own(organisation, client, expected)
        check_source(given, current.method)
        check_scopes(given.scopes, owner.kind, self._access)
        return await self._store(current, **dict(given))

    async def rotate_key(self, organisation: str, client: str, overlap_hours: int, expected: int | None) -> NewClient:
        """Give the client a new API key; the current one stays valid for ``overlap_hours``.

        :raises ForbiddenError: 403, the client belongs to another organisation.
        :raises StaleVersionError: 412, another change came first.
        :raises ClientRevokedError: 409.
        :raises ScopeBeyondError: 422, the caller lacks one of the client's scopes, which the key would give it.
        :raises NoKeyError: 409, the client signs assertions.
        """
        owner, current = await self._get_own(organisation, client, expected)
        check_scopes(current.scopes, owner.kind, self._access)
        if current.method != "api_key" or current.expires_at is None:
            raise NoKeyError
        now = self._clock()
        key, digest = new_key(client)
        # Two keys are valid at most: this rotation ends the key before the current one, if an overlap is still running.
        ends_tokens = overlap_hours == 0 or await self._clients.overlaps(client, now)
        following = next_version(current, now, expires_at=now + timedelta(days=KEY_DAYS))
        until = min(now + timedelta(hours=overlap_hours), current.expires_at)
        if not await self._clients.rotate(following, current.version, digest, until, now if ends_tokens else None):
            raise StaleVersionError
        if ends_tokens:
            FEED.record(self._connection, *revocations(organisation, [(client, following.version)]))
        return NewClient(**dict(following), key=key)

    async def revoke(self, organisation: str, client: str, expected: int | None) -> None:
        """Revoke version ``expected`` (None: any) of a client; its tokens end within seconds.

        :raises StaleVersionError: 412, another change came first.
        :raises ClientRevokedError: 409, it is revoked already.
        """
        current = await self.get(organisation, client)
        self._check_changeable(current, expected)
        await self._store(current, status="revoked")

    async def _get_own(self, organisation: str, client: str, expected: int | None) -> tuple[Organisation, Client]:
        """Return a client that may be changed, with its organisation, which is the caller's."""
        owner = await self._organisations.get(organisation)
        current = await self.get(organisation, client)
        check_own(organisation, self._access)
        self._check_changeable(current, expected)
        return owner, current

    def _check_changeable(self, current: Client, expected: int | None) -> None:
        check_version(current, expected)
        if current.status == "revoked":
            raise ClientRevokedError

    async def _store(self, current: Client, **changes: Any) -> Client:
        """Store the next version and end the tokens of the current one."""
        following = next_version(current, self._clock(), **changes)
        if not await self._clients.replace(following, current.version, following.updated_at):
            raise StaleVersionError
        FEED.record(self._connection, *revocations(current.organisation, [(current.id, following.version)]))
        return following


def check_source(given: ClientUpdate, method: Method) -> None:
    """Check that a client's public keys come from one place, or from none for an API key.

    :raises OneSourceError: 422.
    """
    sources = [one for one in (given.jwks, given.jwks_url) if one is not None]
    if len(sources) != (1 if method == "private_key_jwt" else 0):
        raise OneSourceError(errors=[Fault(pointer="/jwks", code=OneSourceError.code, detail=OneSourceError.title)])


async def check_url(given: ClientUpdate, outbound: OutboundClient) -> None:
    """Check that ``jwks_url`` is a public address that may be fetched. Resolves its host name, which may take seconds.

    :raises InvalidBodyError: 422, with the reason.
    """
    if given.jwks_url is None:
        return
    try:
        await outbound.check(given.jwks_url)
    except OutboundError as error:
        raise refused_url(error, "/jwks_url") from None
