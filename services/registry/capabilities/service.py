"""Decides what becomes of a capability: its versions, its alarms and its events."""

from datetime import date, datetime

from services.registry.capabilities.codes import CODES
from services.registry.capabilities.events import change_of_capability
from services.registry.capabilities.model import Capability, CapabilityVersion, Evidence, next_alarm
from services.registry.capabilities.problems import EVIDENCE_NEEDED, IN_THE_PAST, CapabilityRefusedError
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.capabilities.schemas import CapabilityInput
from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import Precondition
from services.registry.schema import FEED
from shared.access.policy import Access, decide
from shared.access.principal import Principal
from shared.values.clock import day_in_france
from shared.values.problems import AlreadyExistsError, Fault, ForbiddenError, NotFoundError, StaleVersionError


class CapabilityService:
    """Capabilities in one transaction, at ``now``."""

    def __init__(self, repository: CapabilityRepository, centres: CentreRepository, now: datetime) -> None:
        self.repository = repository
        self.centres = centres
        self.now = now

    @property
    def today(self) -> date:
        """The day of validity: in France."""
        return day_in_france(self.now)

    async def of_centre(self, centre: str, principal: Principal) -> list[Capability]:
        """Return the capabilities of a centre, with their evidence for those who may see it.

        :raises NotFoundError: 404, no such centre.
        """
        if await self.centres.get(centre) is None:
            raise NotFoundError
        return await self.repository.of_centre(centre, with_evidence=sees_evidence(principal, centre))

    async def find(self, centre: str, code: str, principal: Principal) -> Capability:
        """:raises NotFoundError: 404."""
        for one in await self.of_centre(centre, principal):
            if one.code == code:
                return one
        raise NotFoundError

    async def history(self, centre: str, code: str, principal: Principal) -> list[CapabilityVersion]:
        """Return the versions of a capability, newest first.

        :raises NotFoundError: 404, there are none, or the caller may not see the evidence.
        """
        found = await self.repository.history(centre, code) if sees_evidence(principal, centre) else []
        if not found:
            raise NotFoundError
        return found

    async def put(
        self, centre: str, code: str, given: CapabilityInput, access: Access, expected: Precondition, author: str
    ) -> Capability:
        """State a capability, or replace a version of it. A removed one may be stated again.

        :raises ForbiddenError: 403, of another centre.
        :raises NotFoundError: 404, no such centre or code, or it was to be replaced and there is none.
        :raises CapabilityRefusedError: 422, `planned_from` is past, or the evidence is missing.
        """
        current = await self._current(centre, code, access)
        there = current is not None and not current.removed
        if expected.creates and there:
            raise AlreadyExistsError
        if not expected.creates and not there:
            raise NotFoundError
        self._check(code, given)
        evidence = Evidence(given.evidence, given.issuer, given.finess_et, given.note)
        new = Capability(
            centre, code, current.version + 1 if current else 1, given.held, given.scope, given.scope_note,
            given.valid_from, given.valid_until, given.planned_from, evidence=evidence,
        )  # fmt: skip
        return await self._save(new, current, expected, author)

    async def remove(self, centre: str, code: str, access: Access, expected: Precondition, author: str) -> None:
        """Remove a capability: nothing is known of it any more. Its versions stay.

        :raises NotFoundError: 404.
        """
        current = await self._current(centre, code, access)
        if current is None or current.removed:
            raise NotFoundError
        gone = Capability(centre, code, current.version + 1, False, "both", removed=True, evidence=Evidence())
        await self._save(gone, current, expected, author)

    async def _current(self, centre: str, code: str, access: Access) -> Capability | None:
        if access.rows == "own" and centre != access.principal.centre:
            raise ForbiddenError
        if code not in CODES or await self.centres.get(centre) is None:
            raise NotFoundError
        return await self.repository.get(centre, code)

    def _check(self, code: str, given: CapabilityInput) -> None:
        faults = []
        if given.planned_from is not None and given.planned_from < self.today:
            faults.append(Fault(pointer="/planned_from", code="in_the_past", detail=IN_THE_PAST))
        if given.held and given.evidence is None and CODES[code].requires in {"authorisation", "accreditation"}:
            faults.append(Fault(pointer="/evidence", code="missing", detail=EVIDENCE_NEEDED))
        if faults:
            raise CapabilityRefusedError(errors=faults)

    async def _save(
        self, new: Capability, current: Capability | None, expected: Precondition, author: str
    ) -> Capability:
        if current is not None and expected.version not in {None, current.version}:
            raise StaleVersionError
        alarm_on = next_alarm(new.valid_until, self.today)
        replaces = current.version if current else None
        if not await self.repository.save(new, alarm_on, replaces, self.now, author):
            raise StaleVersionError
        departement = (await self.centres.departements()).get(new.centre)
        FEED.record(self.repository.connection, change_of_capability(current, new, departement))
        return new


def sees_evidence(principal: Principal, centre: str) -> bool:
    """Return whether a caller sees evidence and notes of a centre: itself, coordination, authorities, sponsors."""
    grant = decide(principal, "read", "activation")
    return grant is not None and (grant.rows == "all" or principal.centre in {None, centre})
