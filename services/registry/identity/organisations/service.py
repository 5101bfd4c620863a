"""Decisions about organisations."""

from collections.abc import Collection

from services.registry.centres.repository import CentreRepository
from services.registry.identity.credentials.repository import CredentialRepository
from services.registry.identity.credentials.service import revocations
from services.registry.identity.organisations.problems import KindFixedError, OwnOrganisationError, SuspendedError
from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.identity.organisations.schemas import (
    Organisation,
    OrganisationInput,
    OrganisationNamed,
)
from services.registry.identity.versions import check_version, next_version
from services.registry.schema import FEED
from services.registry.trials.problems import UnknownCentreError
from shared.access.policy import Access
from shared.persistence import Writing, with_grants
from shared.values.clock import Clock, utc_now
from shared.values.problems import AlreadyExistsError, Fault, NotFoundError, StaleVersionError


class OrganisationService:
    """Reads and changes organisations for one caller, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._access = access
        self._clock = clock
        self._organisations = OrganisationRepository(connection)

    async def get(self, organisation: str) -> Organisation:
        """Return one organisation.

        :raises NotFoundError: 404, it does not exist or the caller may not see it.
        """
        visible = self._access.rows == "all" or self._access.principal.organisation == organisation
        found = await self._organisations.get(organisation) if visible else None
        if found is None:
            raise NotFoundError
        return found

    async def check_active(self, organisation: str) -> None:
        """Check the status again after a client or member was added.

        The insert waits for a concurrent suspension, which ends the tokens of the existing clients and members but
        does not see the new one.

        :raises NotFoundError: 404, as in `get`.
        :raises SuspendedError: 409, the organisation is suspended.
        """
        if (await self.get(organisation)).status != "active":
            raise SuspendedError

    async def page(self, after: str | None, limit: int) -> list[Organisation]:
        """Return the organisations that the caller may see, by id."""
        only = None if self._access.rows == "all" else self._access.principal.organisation
        return await self._organisations.page(only, after, limit)

    async def names(self, ids: Collection[str]) -> list[OrganisationNamed]:
        """Return the names of organisations whose ids the caller knows."""
        async with with_grants(self._connection, "organisation.read.all"):
            found = await self._organisations.named(ids)
        return [OrganisationNamed(id=one.id, name=one.name, kind=one.kind) for one in found]

    async def create(self, organisation: str, given: OrganisationInput) -> Organisation:
        """Create an organisation.

        :raises UnknownCentreError: 422, the centre does not exist.
        :raises AlreadyExistsError: 412, the id is taken.
        """
        now = self._clock()
        current = await self._organisations.get(organisation, lock=True)
        await self._check_centre(given)
        if current is not None:
            raise AlreadyExistsError
        created = Organisation(id=organisation, version=1, created_at=now, updated_at=now, **dict(given))
        await self._organisations.add(created)
        return created

    async def replace(self, organisation: str, given: OrganisationInput, expected: int | None) -> Organisation:
        """Replace version ``expected`` (None: any). Suspending an organisation ends the tokens of its credentials.

        :raises UnknownCentreError: 422, the centre does not exist.
        :raises NotFoundError: 404, the organisation does not exist.
        :raises StaleVersionError: 412, another change came first.
        :raises KindFixedError: 409, the kind differs.
        :raises OwnOrganisationError: 409, the caller would suspend itself.
        """
        current = await self._organisations.get(organisation, lock=True)
        await self._check_centre(given)
        if current is None:
            raise NotFoundError
        check_version(current, expected)
        if given.kind != current.kind:
            raise KindFixedError
        if given.status == "suspended" and self._access.principal.organisation == organisation:
            raise OwnOrganisationError
        following = next_version(current, self._clock(), **dict(given))
        if not await self._organisations.replace(following, current.version):
            raise StaleVersionError
        await self._end_tokens(current, following)
        return following

    async def _end_tokens(self, current: Organisation, following: Organisation) -> None:
        """End existing tokens if they state an old centre, or if the organisation is now suspended."""
        if current.status != "active" or (following.status, following.centre) == (current.status, current.centre):
            return
        ended = await CredentialRepository(self._connection).end_tokens(following.id, following.updated_at)
        FEED.record(self._connection, *revocations(following.id, ended))

    async def _check_centre(self, given: OrganisationInput) -> None:
        if given.centre is not None and await CentreRepository(self._connection).get(given.centre) is None:
            raise UnknownCentreError(
                errors=[Fault(pointer="/centre", code="unknown_centre", detail=UnknownCentreError.title)]
            )
