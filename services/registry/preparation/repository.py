"""SQL for what the parties of a trial state."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.preparation.model import Part, Place, Stated
from services.registry.preparation.tables import preparation_versions

_VERSIONS = preparation_versions.c
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('cleio preparation ' || :trial, 0))")


class PreparationRepository:
    """What the parties of trials stated, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def lock(self, trial: str) -> None:
        """Let no other transaction state something of a trial before this one ends. SQLite has one writer anyway."""
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(_LOCK, {"trial": trial})

    async def of_part(self, trial: str, part: Part, centre: str = "") -> dict[str, Stated]:
        """Return what is in force of a part of a trial, by item."""
        chosen = (_VERSIONS.trial_key == trial, _VERSIONS.part == part, _VERSIONS.centre == centre)
        newest = select(_VERSIONS.item, func.max(_VERSIONS.version).label("version")).where(*chosen)
        last = newest.group_by(_VERSIONS.item).subquery()
        joined = select(preparation_versions).join(
            last, (last.c.item == _VERSIONS.item) & (last.c.version == _VERSIONS.version)
        )
        return {row.item: _stated(row) for row in await self.connection.execute(joined.where(*chosen))}

    async def trials_with(self, part: Part, items: Collection[str]) -> list[str]:
        """Return the trials of which one of some items was stated."""
        stated = select(_VERSIONS.trial_key).where(_VERSIONS.part == part, _VERSIONS.item.in_(items)).distinct()
        return list((await self.connection.execute(stated)).scalars())

    async def get(self, trial: str, place: Place) -> Stated | None:
        """Return what is in force at a place."""
        return (await self.of_part(trial, place.part, place.centre)).get(place.item)

    async def add(self, trial: str, stated: Stated) -> bool:
        """Write a version. Return False if another transaction wrote it first."""
        place = stated.place
        try:
            await self.connection.execute(
                insert(preparation_versions).values(
                    trial_key=trial, part=place.part, centre=place.centre, item=place.item, version=stated.version,
                    at=stated.at, author=stated.author, document=stated.text,
                )
            )  # fmt: skip
        except IntegrityError:
            return False
        return True


def _stated(row: Row[Any]) -> Stated:
    return Stated(Place(row.part, row.item, row.centre), row.version, row.at, row.author, row.document)
