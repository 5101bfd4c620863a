"""Decisions about members."""

import uuid
from typing import Any

from services.registry.identity.credentials.service import check_own, check_roles, revocations
from services.registry.identity.members.problems import MemberRevokedError
from services.registry.identity.members.repository import MemberRepository
from services.registry.identity.members.schemas import Member, MemberInput, MemberUpdate
from services.registry.identity.organisations.service import OrganisationService
from services.registry.identity.versions import check_version, next_version
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import NotFoundError, StaleVersionError


class MemberService:
    """Reads and changes the members of organisations for one caller, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._access = access
        self._clock = clock
        self._organisations = OrganisationService(connection, access, clock)
        self._members = MemberRepository(connection)

    async def get(self, organisation: str, member: str) -> Member:
        """Return one member.

        :raises NotFoundError: 404, it does not exist or the caller may not see it.
        """
        await self._organisations.get(organisation)
        found = await self._members.get(organisation, member)
        if found is None:
            raise NotFoundError
        return found

    async def page(self, organisation: str, after: str | None, limit: int) -> list[Member]:
        """Return the organisation's members by id, including revoked ones."""
        await self._organisations.get(organisation)
        return await self._members.page(organisation, after, limit)

    async def create(self, organisation: str, given: MemberInput) -> Member:
        """Add a person as a member.

        :raises ScopeBeyondError: 422, the caller may not give one of the roles.
        :raises SubjectTakenError: 409, the person already acts for an organisation.
        :raises SuspendedError: 409, the organisation is suspended.
        """
        owner = await self._organisations.get(organisation)
        check_roles(given.roles, owner.kind, self._access)
        now = self._clock()
        created = Member(
            id=str(uuid.uuid4()),
            version=1,
            organisation=organisation,
            status="active",
            created_at=now,
            updated_at=now,
            **dict(given),
        )
        await self._members.add(created)
        await self._organisations.check_active(organisation)
        return created

    async def replace(self, organisation: str, member: str, given: MemberUpdate, expected: int | None) -> Member:
        """Replace the roles in version ``expected`` (None: any) of a member of the caller's own organisation.

        :raises ForbiddenError: 403, the member belongs to another organisation.
        :raises StaleVersionError: 412, another change came first.
        :raises MemberRevokedError: 409.
        :raises ScopeBeyondError: 422, the caller may not give one of the roles.
        """
        owner = await self._organisations.get(organisation)
        current = await self.get(organisation, member)
        check_own(organisation, self._access)
        self._check_changeable(current, expected)
        check_roles(given.roles, owner.kind, self._access)
        return await self._store(current, roles=given.roles)

    async def revoke(self, organisation: str, member: str, expected: int | None) -> None:
        """Revoke version ``expected`` (None: any) of a member; its sessions end within seconds.

        :raises StaleVersionError: 412, another change came first.
        :raises MemberRevokedError: 409, it is revoked already.
        """
        current = await self.get(organisation, member)
        self._check_changeable(current, expected)
        await self._store(current, status="revoked")

    def _check_changeable(self, current: Member, expected: int | None) -> None:
        check_version(current, expected)
        if current.status == "revoked":
            raise MemberRevokedError

    async def _store(self, current: Member, **changes: Any) -> Member:
        """Store the next version and end the tokens of the current one."""
        following = next_version(current, self._clock(), **changes)
        if not await self._members.replace(following, current.version, following.updated_at):
            raise StaleVersionError
        FEED.record(self._connection, *revocations(current.organisation, [(current.id, following.version)]))
        return following
