"""The transaction, the caller and the time of one request about feasibility."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from services.registry.feasibility.model import Dossier, FeasibilityRequest, GateState, gate_state
from services.registry.feasibility.repository import FeasibilityRepository, GateRepository
from services.registry.submissions.content import SubmissionContent, trial_document
from services.registry.submissions.model import Submission
from services.registry.submissions.repository import SubmissionRepository
from shared.access.policy import Access
from shared.persistence import with_grants
from shared.values.clock import day_in_france, utc_now
from shared.values.problems import NotFoundError

# Those who act for the sponsor of a dossier.
_SPONSORS: Final = frozenset({"owner", "delegate", "proxy"})
_MOST_DOSSIERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """What one request works with. Dates are those of metropolitan France."""

    requests: FeasibilityRepository
    access: Access
    now: datetime = field(default_factory=utc_now)

    @property
    def today(self) -> date:
        return day_in_france(self.now)

    @property
    def gates(self) -> GateRepository:
        return GateRepository(self.requests.connection)

    @property
    def dossiers(self) -> SubmissionRepository:
        return SubmissionRepository(self.requests.connection)

    @property
    def kind(self) -> str:
        return self.access.principal.kind

    @property
    def sees_all(self) -> bool:
        return self.access.rows == "all"

    def beyond(self) -> AbstractAsyncContextManager[None]:
        """Let a block read what the caller itself may not: the rules decide what the caller gets of it.

        Row-level security hides dossiers from centres, and the answers of centres from sponsors.
        """
        return with_grants(self.requests.connection, "submission.read.all", "feasibility.read.all")

    async def own_dossier(self, submission: str) -> Dossier:
        """Return a dossier of the caller; for the coordination any.

        :raises NotFoundError: 404, also for a centre: it reads dossiers only as it is asked about them.
        """
        found = await self.dossiers.find(submission, self.access.principal.organisation)
        if found is None or not (self.sees_all or (self.kind == "sponsor" and found[1] in _SPONSORS)):
            raise NotFoundError
        return await _dossier(self.dossiers, found[0])

    async def own_dossiers(self) -> list[str]:
        """Return the references of the dossiers of a sponsor, and of those on which it acts for another one."""
        organisation = self.access.principal.organisation or self.kind
        found = await self.dossiers.page(organisation, None, None, _MOST_DOSSIERS)
        return [one.reference for one in found if one.owner == organisation or await self._acts(one, organisation)]

    async def _acts(self, one: Submission, organisation: str) -> bool:
        found = await self.dossiers.find(one.reference, organisation)
        return found is not None and found[1] in _SPONSORS

    async def dossier(self, submission: str) -> Dossier:
        """Return a dossier about which the caller sees a request.

        :raises NotFoundError: 404.
        """
        async with self.beyond():
            return await dossier_of(self.dossiers, submission)

    async def request(self, submission: str, centre: str, *, lock: bool = False) -> FeasibilityRequest:
        """Return what a centre is asked about a dossier, if the caller may see it.

        The coordination sees every request, a centre its own, and a sponsor those of centres that may be named.

        :raises NotFoundError: 404.
        """
        if not (self.sees_all or self.kind == "sponsor" or centre == self.access.principal.centre):
            raise NotFoundError
        found = await self.requests.find(submission, centre, lock=lock)
        if found is None or (self.kind == "sponsor" and not found.named):
            raise NotFoundError
        if self.kind == "sponsor":
            await self.own_dossier(submission)
        return found

    async def gate(self, submission: str, centre: str) -> GateState:
        """Return the state of the confidentiality gate of a centre on a dossier today."""
        return gate_state(await self.gates.agreement_of(submission, centre), self.today)


async def dossier_of(dossiers: SubmissionRepository, submission: str) -> Dossier:
    """Return a dossier as its repository reads it.

    :raises NotFoundError: 404.
    """
    found = await dossiers.find(submission)
    if found is None:
        raise NotFoundError
    return await _dossier(dossiers, found[0])


async def _dossier(dossiers: SubmissionRepository, one: Submission) -> Dossier:
    """Return what centres are asked about: the version that was submitted last, not what is being drafted."""
    is_draft = one.state == "draft" and one.number > 0
    versions = await dossiers.versions(one.reference, {one.number}) if is_draft else []
    content = SubmissionContent.model_validate_json(versions[0].content if versions else one.content)
    return Dossier(one.reference, one.owner, one.state, trial_document(content))
