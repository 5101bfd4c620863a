"""Composition root of the portal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.portal.centres import endpoints as centres
from services.portal.clients.api import Api
from services.portal.criteria_editor import endpoints as criteria_editor
from services.portal.diseases import endpoints as diseases
from services.portal.find import endpoints as find
from services.portal.home import endpoints as home
from services.portal.map import endpoints as map_pages
from services.portal.notify import endpoints as notify
from services.portal.pages.errors import install_error_pages
from services.portal.pages.language import LanguageOfPath
from services.portal.pages.rendering import environment, read_templates
from services.portal.referring import endpoints as referring
from services.portal.schema import METADATA
from services.portal.settings import PortalSettings
from services.portal.sign_in import endpoints as sign_in
from services.portal.sign_in.assembly import open_sign_in
from services.portal.trial_pages import endpoints as trial_pages
from services.portal.work.capabilities import endpoints as capabilities
from services.portal.work.contact import endpoints as contact
from services.portal.work.dossiers import endpoints as dossiers
from services.portal.work.feasibility import endpoints as feasibility
from services.portal.work.fit import endpoints as fit
from services.portal.work.opening import endpoints as opening
from services.portal.work.parties import endpoints as parties
from services.portal.work.places import endpoints as places
from services.portal.work.referrals import endpoints as referrals
from services.portal.work.reports import endpoints as reports
from services.portal.work.reviews import endpoints as reviews
from services.portal.work.sites import endpoints as sites
from services.portal.work.subscriptions import endpoints as subscriptions
from services.portal.work.worklist import endpoints as worklist
from services.portal.workbench import endpoints as workbench
from services.portal.workbench.public_texts import PublicTexts
from shared.clients.internal import InternalClient
from shared.operations.service import Health, create_service
from shared.persistence import open_database
from shared.persistence.migrations import check_schema
from shared.tasks import BackgroundTasks

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICES = ("registry", "matching", "notifications")
# Returns the client of a service by its name, with a token of its own or None.
Clients = Callable[[str, str | None], InternalClient]


def create_app(settings: PortalSettings | None = None, clients: Clients | None = None) -> FastAPI:
    """Create the application. ``clients``: None: those of the services at their URLs. Tests pass their own.

    :raises WrongSchemaError: at start, when the database is not at this program's schema.
    :raises OwnedElsewhereError: at start, when another process uses the SQLite file.
    """
    chosen = settings or PortalSettings()
    client_of = clients or (lambda name, token: InternalClient(chosen.service_url(name), token))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        environment()  # templates that cannot be read stop the start
        async with AsyncExitStack() as stack:
            database = open_database(chosen.database, service="portal")
            stack.push_async_callback(database.close)
            tasks: BackgroundTasks = app.state.tasks
            stack.push_async_callback(tasks.stop)
            await check_schema(database, MIGRATIONS, METADATA)
            app.state.services = {name: client_of(name, None) for name in SERVICES}
            for client in app.state.services.values():
                stack.push_async_callback(client.close)
            own = client_of("registry", chosen.internal_token.get_secret_value())
            stack.push_async_callback(own.close)
            app.state.sign_in = await open_sign_in(chosen, database, app.state.services, own, stack)
            app.state.sessions = sessions = app.state.sign_in.sessions
            app.state.health = _health
            app.state.public_texts = texts = PublicTexts()
            tasks.repeat(lambda: _prepare(texts, Api(app.state.services, "fr")), "prepare_pages")
            stack.push_async_callback(tasks.repeat(sessions.sweep, "end_old_sessions").stop)
            yield

    # The router of unknown addresses comes last.
    routers = [
        sign_in.router,
        find.router,
        diseases.router,
        centres.router,
        notify.router,
        map_pages.router,
        criteria_editor.router,
        trial_pages.router,
        worklist.router,
        sites.router,
        places.router,
        opening.router,
        capabilities.router,
        contact.router,
        referrals.router,
        dossiers.router,
        parties.router,
        reports.router,
        subscriptions.router,
        reviews.router,
        feasibility.router,
        fit.router,
        workbench.router,
        referring.router,
        home.router,
    ]
    app = create_service("portal", chosen, routers, lifespan, "Pages for people over the public API.")
    install_error_pages(app)
    app.add_middleware(LanguageOfPath)
    return app


async def _prepare(texts: PublicTexts, api: Api) -> None:
    """Read what the first visitors need, so that they do not wait, and from time to time what may have changed."""
    await asyncio.to_thread(read_templates)
    await texts.keep_current(api)


async def _health() -> Health:
    return Health(ready=True)
