"""The transaction, the caller and the time of one request about feasibility."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.registry.feasibility.model import Dossier, FeasibilityRequest
from services.registry.feasibility.repository import FeasibilityRepository, GateRepository
from services.registry.submissions.content import SubmissionContent, trial_document
from services.registry.submissions.model import Submission
from services.registry.submissions.repository import SubmissionRepository
from shared.access.policy import Access
from shared.persistence import Database
from shared.values.clock import utc_now
from shared.values.problems import NotFoundError

_PARIS: Final = ZoneInfo("Europe/Paris")
# Those who act for the sponsor of a dossier.
_SPONSORS: Final = frozenset({"owner", "delegate", "proxy"})


@dataclass(frozen=True, slots=True)
class Session:
    """What one request works with. Dates are those of metropolitan France."""

    database: Database
    requests: FeasibilityRepository
    access: Access
    now: datetime = field(default_factory=utc_now)

    @property
    def today(self) -> date:
        return day_of(self.now)

    @property
    def gates(self) -> GateRepository:
        return GateRepository(self.requests.connection)

    @property
    def kind(self) -> str:
        return self.access.principal.kind

    @property
    def sees_all(self) -> bool:
        return self.access.rows == "all"

    @asynccontextmanager
    async def as_service(self) -> AsyncIterator[FeasibilityRepository]:
        """Open a repository that reads what the caller itself may not: what it gets of it is decided by the rules.

        Row-level security hides dossiers from centres, and the answers of centres from sponsors. SQLite has none.
        """
        if self.database.is_sqlite:
            yield self.requests
            return
        async with self.database.read(as_service=True) as connection:
            yield FeasibilityRepository(connection)

    async def own_dossier(self, submission: str) -> Dossier:
        """Return a dossier of the caller; for the coordination any.

        :raises NotFoundError: 404, also for a centre: it reads dossiers only as it is asked about them.
        """
        repository = SubmissionRepository(self.requests.connection)
        found = await repository.find(submission, self.access.principal.organisation)
        if found is None or not (self.sees_all or (self.kind == "sponsor" and found[1] in _SPONSORS)):
            raise NotFoundError
        return await _dossier(repository, found[0])

    async def dossier(self, submission: str) -> Dossier:
        """Return a dossier about which the caller sees a request.

        :raises NotFoundError: 404.
        """
        async with self.as_service() as beyond:
            repository = SubmissionRepository(beyond.connection)
            found = await repository.find(submission)
            if found is None:
                raise NotFoundError
            return await _dossier(repository, found[0])

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


def day_of(instant: datetime) -> date:
    """Return the day of an instant in metropolitan France."""
    return instant.astimezone(_PARIS).date()


async def _dossier(repository: SubmissionRepository, one: Submission) -> Dossier:
    """Return what centres are asked about: the version that was submitted last, not what is being drafted."""
    versions = await repository.versions(one.reference, {one.number}) if one.number else []
    content = SubmissionContent.model_validate_json(versions[0].content if versions else one.content)
    return Dossier(one.reference, one.owner, one.state, trial_document(content))
