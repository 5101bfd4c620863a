"""The composition root that every service shares: one way to build an application, so that no service has its own variant of anything."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel

from shared.access.callers import Callers
from shared.access.policy import Access
from shared.http.answer_cache import AnswerCache, PublicAnswers
from shared.http.guards import allow
from shared.http.heavy_work import HeavyWork
from shared.http.limits.concurrency import ConcurrencyLimiter
from shared.http.limits.quotas import Quotas
from shared.http.marks import cached_for_public, produces
from shared.http.openapi import describe
from shared.http.problem_responses import install_problem_handlers
from shared.http.route import ApiRoute
from shared.http.route_checks import refuse_unguarded_routes, refuse_unkeyed_routes
from shared.operations.request_log import RequestLog
from shared.operations.telemetry import Metrics, Telemetry, configure_logging
from shared.settings import ServiceSettings
from shared.tasks import BackgroundTasks
from shared.tracing import start_export, stop_export
from shared.values.cursors import Cursors

HealthReader = Annotated[Access, Depends(allow("health", "read"))]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Health(BaseModel):
    """``ready`` says whether the service can answer; ``detail`` reports what is worth knowing (lag, snapshot) and never fails it."""

    ready: bool
    detail: dict[str, Any] = {}


def create_service(
    name: str, settings: ServiceSettings, routers: Sequence[APIRouter], lifespan: Lifespan, summary: str
) -> FastAPI:
    """A service's application. ``lifespan`` opens what it needs (database, clients, background work) and closes it.

    Background work goes through ``app.state.tasks``; ``lifespan`` stops it before it closes what that work uses.
    It sets ``app.state.health`` to a coroutine that answers `Health`, and may set ``app.state.observe`` to one that brings the gauges up to date, and
    ``app.state.end_waits`` to what is called when the process is told to stop.

    :raises UnguardedRouteError: when a route has no policy.
    :raises UnkeyedRouteError: when a POST that writes does not say what a second call does.
    """
    configure_logging(name, settings.log_level)
    metrics = Metrics()
    requests = RequestLog(name)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        start_export(name, settings.otlp_endpoint)
        try:
            async with BackgroundTasks() as tasks:
                app.state.tasks = tasks
                tasks.repeat(metrics.watch_loop, "watch_event_loop")
                async with lifespan(app):
                    yield
        finally:
            await stop_export()
            requests.write()

    app = FastAPI(
        title=f"CLEIO {name}",
        summary=summary,
        version="1",
        lifespan=life,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=True,
        # FastAPI's own would tell paths, query strings, baggage and messages of exceptions to whatever the environment names (decision 41).
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.callers = Callers(settings, name)
    app.state.quotas = Quotas(settings)
    app.state.load = ConcurrencyLimiter(settings.most_working, settings.most_waiting)
    app.state.heavy_work = HeavyWork()
    app.state.answers = AnswerCache(settings.answer_cache_mib * 1024 * 1024)
    app.state.public_reads = ()
    app.state.cursors = Cursors(settings.cursor_key_bytes)
    for router in (_operations(name), *routers):
        # Routes are taken over as they are: each is checked for its policy, and none is wrapped.
        app.router.routes.extend(router.routes)
    refuse_unguarded_routes(app)
    refuse_unkeyed_routes(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    install_problem_handlers(app)
    app.add_middleware(PublicAnswers, service=app)
    app.add_middleware(Telemetry, metrics=metrics, requests=requests)
    return app


def _operations(name: str) -> APIRouter:
    router = APIRouter(route_class=ApiRoute, tags=["operations"])

    @router.api_route(f"/{name}/livez", methods=["GET", "HEAD"])
    @cached_for_public
    async def livez(access: HealthReader) -> Health:
        """Alive: no input or output behind it."""
        return Health(ready=True)

    @router.api_route(f"/{name}/readyz", methods=["GET", "HEAD"], responses={503: {"model": Health}})
    async def readyz(request: Request, response: Response, access: HealthReader) -> Health:
        """Able to answer. Lag is told, and is no reason to fail."""
        health: Health = await request.app.state.health()
        response.status_code = 200 if health.ready else 503
        return health

    @router.get("/metrics", response_class=Response)
    @produces("text/plain", "application/openmetrics-text")
    async def metrics(request: Request, access: HealthReader) -> Response:
        """Prometheus metrics; the gateway does not route it."""
        observe: Callable[[], Awaitable[None]] | None = getattr(request.app.state, "observe", None)
        if observe is not None:
            await observe()
        return Response(request.app.state.metrics.exposition(), media_type="text/plain; version=0.0.4")

    return router
