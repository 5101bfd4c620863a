"""SQL for centres."""

import json

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.centres.schemas import Centre
from services.registry.centres.tables import centres


class CentreRepository:
    """Centres in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def get(self, centre: str) -> Centre | None:
        document = (
            await self.connection.execute(select(centres.c.document).where(centres.c.id == centre))
        ).scalar_one_or_none()
        return None if document is None else Centre.model_validate_json(document)

    async def page(self, after: str | None, limit: int) -> list[Centre]:
        statement = select(centres.c.document).order_by(centres.c.id).limit(limit)
        if after is not None:
            statement = statement.where(centres.c.id > after)
        return [Centre.model_validate_json(row.document) for row in await self.connection.execute(statement)]

    async def departements(self) -> dict[str, str]:
        """Return the département of each centre, by centre id."""
        return {
            row.id: row.departement
            for row in await self.connection.execute(select(centres.c.id, centres.c.departement))
        }

    async def names(self) -> dict[str, str]:
        """Return the name of each centre, by centre id."""
        documents = (await self.connection.execute(select(centres.c.document))).scalars()
        return {centre.id: centre.name for centre in map(Centre.model_validate_json, documents)}

    async def members(self) -> tuple[tuple[str, str, str], ...]:
        """Return (id, name, city) of the members whose names are public: facilities may be theirs."""
        documents = (await self.connection.execute(select(centres.c.document).order_by(centres.c.id))).scalars()
        found = map(json.loads, documents)
        return tuple(
            (one["id"], one["name"], one["city"])
            for one in found
            if one.get("member", True) and not one.get("illustrative", False)
        )

    async def save(self, centre: Centre, replaces: int | None) -> bool:
        """Write a version made from version ``replaces`` (None: a new centre).

        Return False if another writer came first.
        """
        values = {"version": centre.version, "departement": centre.departement, "document": centre.model_dump_json()}
        if replaces is None:
            await self.connection.execute(insert(centres).values(id=centre.id, **values))
            return True
        written = await self.connection.execute(
            update(centres).where(centres.c.id == centre.id, centres.c.version == replaces).values(**values)
        )
        return bool(written.rowcount == 1)
