"""SQL for organisations."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.organisations.schemas import Organisation
from services.registry.identity.tables import organisations
from shared.values.problems import AlreadyExistsError


@dataclass(frozen=True, slots=True)
class OrganisationRepository:
    """Organisations in one transaction."""

    connection: AsyncConnection

    async def get(self, organisation: str, *, lock: bool = False) -> Organisation | None:
        """Return one organisation. ``lock``: no other transaction changes it, or adds to it, until this one ends."""
        statement = select(organisations).where(organisations.c.id == organisation)
        row = (await self.connection.execute(statement.with_for_update() if lock else statement)).first()
        return _organisation(row) if row else None

    async def named(self, ids: Collection[str]) -> list[Organisation]:
        """Return the organisations with these ids, by id."""
        statement = select(organisations).where(organisations.c.id.in_(ids)).order_by(organisations.c.id)
        return [_organisation(row) for row in await self.connection.execute(statement)]

    async def page(self, only: str | None, after: str | None, limit: int) -> list[Organisation]:
        """Return organisations by id, those after ``after``; at most the one called ``only``, if given."""
        statement = select(organisations).order_by(organisations.c.id).limit(limit)
        if only is not None:
            statement = statement.where(organisations.c.id == only)
        if after is not None:
            statement = statement.where(organisations.c.id > after)
        return [_organisation(row) for row in await self.connection.execute(statement)]

    async def add(self, organisation: Organisation) -> None:
        """Insert a new organisation.

        :raises AlreadyExistsError: 412, the id is taken.
        """
        try:
            await self.connection.execute(insert(organisations).values(**dict(organisation)))
        except IntegrityError:
            raise AlreadyExistsError from None

    async def replace(self, organisation: Organisation, version: int) -> bool:
        """Store the successor of ``version``; return False if that is no longer the current version."""
        values = {name: value for name, value in organisation if name not in {"id", "created_at"}}
        written = await self.connection.execute(
            update(organisations)
            .where(organisations.c.id == organisation.id, organisations.c.version == version)
            .values(**values)
        )
        return bool(written.rowcount == 1)


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(**{name: getattr(row, name) for name in Organisation.model_fields})
