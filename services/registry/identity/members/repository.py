"""SQL for members."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.members.problems import SubjectTakenError
from services.registry.identity.members.schemas import Member
from services.registry.identity.tables import members, organisations
from shared.access.principal import OrganisationKind


@dataclass(frozen=True, slots=True)
class RegisteredMember:
    """A member with what authentication needs.

    ``usable``: neither the member is revoked nor its organisation suspended.
    """

    member: Member
    kind: OrganisationKind
    centre: str | None
    usable: bool


@dataclass(frozen=True, slots=True)
class MemberRepository:
    """Members in one transaction."""

    connection: AsyncConnection

    async def get(self, organisation: str, member: str) -> Member | None:
        statement = select(members).where(members.c.id == member, members.c.organisation == organisation)
        row = (await self.connection.execute(statement)).first()
        return _member(row) if row else None

    async def registered(self, issuer: str, subject: str) -> RegisteredMember | None:
        """Return the active member with this subject at this identity provider, of whichever organisation."""
        statement = (
            select(
                members,
                organisations.c.kind,
                organisations.c.centre,
                organisations.c.status.label("organisation_status"),
            )
            .join(organisations, organisations.c.id == members.c.organisation)
            .where(members.c.issuer == issuer, members.c.subject == subject, members.c.status == "active")
        )
        row = (await self.connection.execute(statement)).first()
        if row is None:
            return None
        usable = row.status == "active" and row.organisation_status == "active"
        return RegisteredMember(_member(row), row.kind, row.centre, usable)

    async def page(self, organisation: str, after: str | None, limit: int) -> list[Member]:
        """Return the organisation's members by id, those after ``after``."""
        statement = select(members).where(members.c.organisation == organisation).order_by(members.c.id).limit(limit)
        if after is not None:
            statement = statement.where(members.c.id > after)
        return [_member(row) for row in await self.connection.execute(statement)]

    async def add(self, member: Member) -> None:
        """Insert a new member.

        :raises SubjectTakenError: 409, the person already acts for an organisation.
        """
        try:
            await self.connection.execute(insert(members).values(**_values(member)))
        except IntegrityError:
            raise SubjectTakenError from None

    async def replace(self, member: Member, version: int, ended_at: datetime) -> bool:
        """Store the successor of ``version`` and end tokens issued up to ``ended_at``.

        Return False if another change came first.
        """
        values = {
            "roles": json.dumps(member.roles),
            "status": member.status,
            "version": member.version,
            "updated_at": member.updated_at,
        }
        written = await self.connection.execute(
            update(members)
            .where(members.c.id == member.id, members.c.version == version)
            .values(**values, tokens_ended_at=ended_at)
        )
        return bool(written.rowcount == 1)


def _values(member: Member) -> dict[str, Any]:
    return {**dict(member), "roles": json.dumps(member.roles)}


def _member(row: Row[Any]) -> Member:
    values = {name: getattr(row, name) for name in Member.model_fields}
    return Member(**{**values, "roles": json.loads(row.roles)})
