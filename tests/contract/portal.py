"""A portal for one test: the real application on a real database, in front of a registry in this process."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import httpx
from fastapi import FastAPI

from services.portal.app import METADATA, MIGRATIONS, create_app
from services.portal.settings import PortalSettings
from shared.clients.internal import InternalClient
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.contract.matching import Line

COOKIE = "cleio-session"
NONE: Mapping[str, str] = MappingProxyType({})


async def migrate_portal(url: str) -> None:
    """Migrate the database of a portal."""
    database = open_database(url)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()


@asynccontextmanager
async def running_portal(
    url: str, registry: FastAPI, lines: Mapping[str, httpx.AsyncBaseTransport] = MappingProxyType({}), **settings: Any
) -> AsyncIterator[FastAPI]:
    """Start the portal on an empty database. ``settings``: those that differ from the default.

    ``lines``: to other services by name; a service without one is the registry.
    """
    await migrate_portal(url)

    def client_of(name: str, token: str | None) -> InternalClient:
        return InternalClient(f"http://{name}", token, lines.get(name) or Line(registry))

    chosen = PortalSettings(database_url=url)
    app = create_app(chosen.model_copy(update=settings), client_of)
    async with app.router.lifespan_context(app):
        yield app


class Visitor(httpx.AsyncClient):
    """A browser: it keeps cookies, asks for pages and follows no redirects."""

    def __init__(self, portal: FastAPI, address: str = "127.0.0.1") -> None:
        super().__init__(
            transport=httpx.ASGITransport(portal, client=(address, 50000)),
            base_url="http://test",
            headers={"Accept": "text/html"},
        )

    @property
    def session(self) -> str | None:
        """The id of the session in its cookie."""
        return self.cookies.get(COOKIE)

    async def sign_in(self, user: str, **fields: str) -> httpx.Response:
        """Press the button of a demonstration user."""
        return await self.submit(f"/sign-in/demonstration/{user}", **fields)

    async def submit(self, path: str, *, headers: Mapping[str, str] = NONE, **fields: str) -> httpx.Response:
        """Send a form as the page at hand would: with the token of the session, unless ``csrf`` is given."""
        fields = {"csrf": await self.csrf(), **fields}
        return await self.post(path, data=fields, headers=headers)

    async def csrf(self) -> str:
        """Return the token in the forms of a page; empty for an anonymous visitor."""
        found = re.search(r'name="csrf" value="([^"]*)"', (await self.get("/about")).text)
        return found[1] if found else ""

    async def is_signed_in(self) -> bool:
        """Return whether pages show it as signed in."""
        return "Se déconnecter" in (await self.get("/about")).text
