"""SQL for capabilities and their versions."""

import json
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.capabilities.model import Capability, CapabilityVersion, Evidence
from services.registry.capabilities.tables import capabilities, capability_versions

_PRESENT = select(capabilities).where(capabilities.c.removed.is_(False)).order_by(capabilities.c.code)
# The evidence of the present version, where the caller may read it.
_WITH_EVIDENCE = (
    select(capabilities, capability_versions.c.document)
    .outerjoin(
        capability_versions,
        and_(
            capability_versions.c.centre == capabilities.c.centre,
            capability_versions.c.code == capabilities.c.code,
            capability_versions.c.version == capabilities.c.version,
        ),
    )
    .where(capabilities.c.removed.is_(False))
    .order_by(capabilities.c.centre, capabilities.c.code)
)


class CapabilityRepository:
    """Capabilities of centres in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def get(self, centre: str, code: str) -> Capability | None:
        """Return what was stated last, also if it was removed since, without evidence."""
        statement = select(capabilities).where(capabilities.c.centre == centre, capabilities.c.code == code)
        row = (await self.connection.execute(statement)).one_or_none()
        return None if row is None else _capability(row)

    async def of_centre(self, centre: str, *, with_evidence: bool) -> list[Capability]:
        """Return the capabilities of a centre, by code."""
        statement: Select[Any] = _WITH_EVIDENCE if with_evidence else _PRESENT
        rows = await self.connection.execute(statement.where(capabilities.c.centre == centre))
        return [_capability(row) for row in rows]

    async def by_centre(self, only: str | None = None) -> dict[str, list[Capability]]:
        """Return the capabilities of all centres, or of one, with their evidence, by centre."""
        found = defaultdict(list)
        statement = _WITH_EVIDENCE if only is None else _WITH_EVIDENCE.where(capabilities.c.centre == only)
        for row in await self.connection.execute(statement):
            found[row.centre].append(_capability(row))
        return dict(found)

    async def save(
        self, capability: Capability, alarm_on: date | None, replaces: int | None, at: datetime, author: str
    ) -> bool:
        """Write a version made from version ``replaces`` (None: there was none). Return False if another came first."""
        stated = asdict(capability)
        evidence = stated.pop("evidence")
        values = {**stated, "alarm_on": alarm_on}
        version = {
            "centre": capability.centre, "code": capability.code, "version": capability.version, "at": at,
            "author": author, "document": json.dumps({**stated, **evidence}, default=str),
        }  # fmt: skip
        try:
            await self.connection.execute(insert(capability_versions).values(**version))
            if replaces is None:
                await self.connection.execute(insert(capabilities).values(**values))
                return True
        except IntegrityError:
            return False
        key = (capabilities.c.centre == capability.centre, capabilities.c.code == capability.code)
        statement = update(capabilities).where(*key, capabilities.c.version == replaces).values(**values)
        return bool((await self.connection.execute(statement)).rowcount == 1)

    async def history(self, centre: str, code: str) -> list[CapabilityVersion]:
        """Return the versions of a capability, newest first."""
        versions = capability_versions.c
        statement = select(capability_versions).where(versions.centre == centre, versions.code == code)
        rows = await self.connection.execute(statement.order_by(versions.version.desc()))
        return [CapabilityVersion(_stated(row.document), row.at, row.author) for row in rows]

    async def has_due(self, today: date) -> bool:
        """Return whether some alarm is due."""
        due = select(capabilities.c.code).where(capabilities.c.alarm_on <= today).limit(1)
        return (await self.connection.execute(due)).first() is not None

    async def take_due(self, today: date, limit: int) -> list[Capability]:
        """Return capabilities whose alarm is due: no other transaction takes them before this one ends."""
        statement = select(capabilities).where(capabilities.c.alarm_on <= today).order_by(capabilities.c.alarm_on)
        rows = await self.connection.execute(statement.limit(limit).with_for_update(skip_locked=True))
        return [_capability(row) for row in rows]

    async def set_alarm(self, capability: Capability, alarm_on: date | None) -> None:
        """Write when the next alarm is due. The version stays."""
        key = (capabilities.c.centre == capability.centre, capabilities.c.code == capability.code)
        await self.connection.execute(update(capabilities).where(*key).values(alarm_on=alarm_on))


_STATED = tuple(name for name in Capability.__slots__ if name != "evidence")
_DAYS = ("valid_from", "valid_until", "planned_from")


def _capability(row: Row[Any]) -> Capability:
    found = row._mapping
    capability = Capability(**{name: found[name] for name in _STATED})
    document = found.get("document")
    return capability if document is None else replace(capability, evidence=_stated(document).evidence)


def _stated(text: str) -> Capability:
    document = json.loads(text)
    days = {name: date.fromisoformat(document[name]) if document[name] else None for name in _DAYS}
    evidence = Evidence(*(document[name] for name in Evidence.__slots__))
    return Capability(**{**{name: document[name] for name in _STATED}, **days}, evidence=evidence)
