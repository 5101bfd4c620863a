"""Composition root of the portal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.portal.home import endpoints as home
from services.portal.map import endpoints as map_pages
from services.portal.pages.errors import install_error_pages
from services.portal.pages.language import LanguageOfPath
from services.portal.pages.rendering import environment
from services.portal.settings import PortalSettings
from shared.clients.internal import InternalClient
from shared.operations.service import Health, create_service

SERVICES = ("registry", "matching", "notifications")


def create_app(settings: PortalSettings | None = None) -> FastAPI:
    """Create the application."""
    chosen = settings or PortalSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        environment()  # templates that cannot be read stop the start
        app.state.services = {name: InternalClient(chosen.service_url(name), None) for name in SERVICES}
        app.state.health = _health
        try:
            yield
        finally:
            for client in app.state.services.values():
                await client.close()

    # The router of unknown addresses comes last.
    routers = [map_pages.router, home.router]
    app = create_service("portal", chosen, routers, lifespan, "Pages for people over the public API.")
    install_error_pages(app)
    app.add_middleware(LanguageOfPath)
    return app


async def _health() -> Health:
    return Health(ready=True)
