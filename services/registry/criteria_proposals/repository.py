"""SQL for proposed criteria."""

from dataclasses import asdict

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.criteria_proposals.model import Proposal, Waiting
from services.registry.criteria_proposals.tables import criteria_proposals
from services.registry.trials.tables import trials
from shared.values.problems import StaleVersionError

_COLUMNS = [one for one in criteria_proposals.c if one.name != "trial_key"]


class ProposalRepository:
    """Proposed criteria in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def of_trial(self, key: str, limit: int) -> list[Proposal]:
        """Return the proposals of a trial, newest first."""
        columns = criteria_proposals.c
        found = select(*_COLUMNS).where(columns.trial_key == key).order_by(columns.number.desc()).limit(limit)
        return [Proposal(**row._mapping) for row in await self.connection.execute(found)]

    async def waiting(self, author: str, limit: int) -> list[Waiting]:
        """Return the proposals that wait for another person than ``author``, oldest first. Merged trials have none."""
        columns = criteria_proposals.c
        found = (
            select(columns.trial_key, columns.number, columns.at)
            .join(trials, trials.c.key == columns.trial_key)
            .where(columns.outcome.is_(None), columns.author != author, trials.c.merged_into.is_(None))
            .order_by(columns.at, columns.trial_key, columns.number)
            .limit(limit)
        )
        return [Waiting(*row) for row in await self.connection.execute(found)]

    async def get(self, key: str, number: int) -> Proposal | None:
        columns = criteria_proposals.c
        found = select(*_COLUMNS).where(columns.trial_key == key, columns.number == number)
        row = (await self.connection.execute(found)).one_or_none()
        return None if row is None else Proposal(**row._mapping)

    async def next_number(self, key: str) -> int:
        columns = criteria_proposals.c
        greatest = select(func.max(columns.number)).where(columns.trial_key == key)
        return ((await self.connection.execute(greatest)).scalar_one() or 0) + 1

    async def add(self, key: str, proposal: Proposal) -> None:
        """Write a new proposal.

        :raises StaleVersionError: 412, another transaction proposed something for this trial meanwhile.
        """
        try:
            async with self.connection.begin_nested():
                await self.connection.execute(insert(criteria_proposals).values(trial_key=key, **asdict(proposal)))
        except IntegrityError:
            raise StaleVersionError from None

    async def end(self, key: str, proposal: Proposal) -> bool:
        """Write the end of a proposal. Return False if another writer came first."""
        columns = criteria_proposals.c
        written = await self.connection.execute(
            update(criteria_proposals)
            .where(columns.trial_key == key, columns.number == proposal.number, columns.version == proposal.version - 1)
            .values(
                version=proposal.version,
                outcome=proposal.outcome,
                ended_at=proposal.ended_at,
                ended_by=proposal.ended_by,
            )
        )
        return bool(written.rowcount == 1)
