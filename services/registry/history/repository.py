"""SQL for versions of trials. A reader gets only versions from times when the trial was visible to it."""

import json
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.history.model import Version
from services.registry.trials.model import Cause
from services.registry.trials.tables import trial_versions
from shared.access.policy import Rows

_COLUMNS = trial_versions.c


class HistoryRepository:
    """Versions of one trial in one transaction. ``rows``: of the reader."""

    def __init__(self, connection: AsyncConnection, key: str, rows: Rows) -> None:
        self.connection = connection
        self.rows = rows
        self.key = key

    async def page(self, before: int | None, limit: int) -> list[Version]:
        """Return versions before this one, newest first."""
        statement = self._visible().order_by(_COLUMNS.version.desc()).limit(limit)
        return await self._fetch(statement if before is None else statement.where(_COLUMNS.version < before))

    async def between(self, first: int, last: int) -> list[Version]:
        """Return versions from the first to the last, in their order."""
        chosen = self._visible().where(_COLUMNS.version.between(first, last))
        return await self._fetch(chosen.order_by(_COLUMNS.version))

    def _visible(self) -> Select[Any]:
        statement = select(trial_versions).where(_COLUMNS.trial_key == self.key)
        return statement if self.rows == "all" else statement.where(_COLUMNS.published.is_(True))

    async def _fetch(self, statement: Select[Any]) -> list[Version]:
        return [_version(row) for row in await self.connection.execute(statement)]


def _version(row: Any) -> Version:
    cause = Cause(row.source, row.author) if row.source is not None else None
    document = json.loads(row.document)
    return Version(row.version, row.at, tuple(json.loads(row.changed)), row.published, cause, document)
