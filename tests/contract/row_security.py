"""The rows that a statement without any condition returns under row-level security, on the connection of a handler."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text

from shared.access import Principal
from shared.access.views import view_of
from shared.persistence import Database
from shared.persistence.request_scope import RequestScope, inside_request
from shared.persistence.rls_policies import Rule
from shared.persistence.rls_sessions import RlsContext

HIDDEN, SHOWN = "CLEIO-DEMO-0001", "NCT04626674"
AT = "2026-01-01T00:00:00.000000Z"
PUBLIC = view_of(Principal("public", on_loopback=False))
COORDINATION = view_of(Principal("coordination", on_loopback=True, organisation="local"))


def rules_of(service: str) -> dict[str, Rule]:
    """Return the rule of each table after all migrations."""
    rules: dict[str, Rule] = {}
    folder = Path(__file__).resolve().parents[2] / "services" / service / "migrations" / "versions"
    for file in sorted(folder.glob("[0-9]*.py")):
        migration = importlib.import_module(f"services.{service}.migrations.versions.{file.stem}")
        rules |= getattr(migration, "RULES", {})
        for dropped in getattr(migration, "DROPPED", ()):
            del rules[dropped]
    return rules


@dataclass(slots=True, kw_only=True)
class CallerScope(RequestScope):
    view: RlsContext | None

    @property
    def rls_context(self) -> RlsContext | None:
        return self.view


@asynccontextmanager
async def seen_by(view: RlsContext | None) -> AsyncIterator[None]:
    """Run a block as inside a request of this caller; None: outside any request."""
    with inside_request(CallerScope(view=view)):
        yield


async def rows(database: Database, statement: str, view: RlsContext | None, *, writing: bool = False) -> list[Any]:
    """Return the rows of a statement on the connection that a handler would get."""
    async with seen_by(view), database.transaction() if writing else database.read() as connection:
        return list((await connection.execute(text(statement))).scalars())


async def as_itself(database: Database, *statements: str) -> None:
    async with database.transaction(as_service=True) as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def hide_one(app: FastAPI) -> None:
    """Turn one trial of the sample into a draft."""
    await as_itself(app.state.database, f"UPDATE trials SET published = false WHERE public_id = '{HIDDEN}'")
