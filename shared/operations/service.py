"""The composition root that all services share: routes, middleware, health checks."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import State

from shared.access.callers import Callers
from shared.access.policy import Access
from shared.http.answer_cache import AnswerCache, PublicAnswers
from shared.http.browser_origins import BrowserOrigins
from shared.http.guards import allow
from shared.http.heavy_work import HeavyWork
from shared.http.limits.concurrency import ConcurrencyLimiter
from shared.http.limits.quotas import Quotas
from shared.http.marks import cached_for_public, produces
from shared.http.openapi import describe
from shared.http.problem_responses import install_problem_handlers
from shared.http.route import ApiRoute
from shared.http.route_checks import refuse_unguarded_routes, refuse_unkeyed_routes
from shared.operations.logs import configure_logging, is_text
from shared.operations.metrics import Metrics
from shared.operations.request_log import RequestLog
from shared.operations.storage_probe import StorageProbe
from shared.operations.telemetry import Telemetry
from shared.settings import ServiceSettings
from shared.tasks import BackgroundTasks
from shared.tracing import start_export, stop_export
from shared.values.cursors import Cursors
from shared.values.problems import Problem

logger = logging.getLogger(__name__)

HealthReader = Annotated[Access, Depends(allow("health", "read"))]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Health(BaseModel):
    """The state of a service."""

    ready: bool = Field(description="Whether the service can answer requests.")
    detail: dict[str, Any] = Field(default={}, description="Lag and similar facts; they do not change `ready`.")


def create_service(
    name: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    summary: str,
    examples: Path | None = None,
) -> FastAPI:
    """Build the application of a service. ``lifespan`` opens and closes what it needs (database, clients).

    ``summary`` and ``examples`` are for OpenAPI: a sentence, and the file for `shared.http.openapi_examples`.

    Background work runs in ``app.state.tasks``; ``lifespan`` stops it before it closes what that work uses.
    ``lifespan`` sets ``app.state.health``, an async function that returns `Health`. It may set ``app.state.observe``,
    an async function that updates the gauges, and ``app.state.end_waits``, called when the process has to stop.

    :raises UnguardedRouteError: a route has no access policy.
    :raises UnkeyedRouteError: a POST that writes has no idempotency mark.
    """
    configure_logging(name, settings.log_level, settings.log_format)
    metrics = Metrics()
    requests = RequestLog(name, is_text=is_text(settings.log_format))

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
        # FastAPI's own telemetry would export paths, query strings, baggage and messages of exceptions (decision 41).
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.examples = examples
    app.state.metrics = metrics
    app.state.callers = Callers(settings, name)
    app.state.quotas = Quotas(settings)
    app.state.load = ConcurrencyLimiter(settings.most_working, settings.most_waiting)
    app.state.heavy_work = HeavyWork()
    app.state.answers = AnswerCache(settings.answer_cache_mib * 1024 * 1024)
    app.state.public_reads = ()
    app.state.cursors = Cursors(settings.cursor_key_bytes)
    app.state.storage = StorageProbe(settings.written_folders)
    app.state.was_ready = None
    for router in (_operations(name), *routers):
        # Not `include_router`, which would wrap the routes.
        app.router.routes.extend(router.routes)
    refuse_unguarded_routes(app)
    refuse_unkeyed_routes(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    install_problem_handlers(app)
    app.add_middleware(PublicAnswers, service=app)
    if settings.cors_origins:
        app.add_middleware(BrowserOrigins, origins=settings.cors_origins)
    app.add_middleware(Telemetry, metrics=metrics, requests=requests)
    return app


def _operations(name: str) -> APIRouter:
    router = APIRouter(route_class=ApiRoute, tags=["operations"])

    @router.api_route(f"/{name}/livez", methods=["GET", "HEAD"], summary="Check that the process runs")
    @cached_for_public
    async def livez(access: HealthReader) -> Health:
        """Check that the process runs. Nothing is read."""
        return Health(ready=True)

    @router.api_route(
        f"/{name}/readyz",
        methods=["GET", "HEAD"],
        responses={503: {"model": Health}},
        summary="Check that the service can answer",
    )
    async def readyz(request: Request, response: Response, access: HealthReader) -> Health:
        """Check that the service can answer requests. It also reports lag, which does not make it fail."""
        state = request.app.state
        problem: Problem | None = await state.storage.problem()
        health: Health = Health(ready=False) if problem else await state.health()
        if problem is not None:
            health.detail["storage"] = problem.code
        _log_change(state, health, problem)
        response.status_code = 200 if health.ready else 503
        return health

    @router.get("/metrics", response_class=Response, openapi_extra={"x-internal": True})
    @produces("text/plain", "application/openmetrics-text")
    async def metrics(request: Request, access: HealthReader) -> Response:
        """Return metrics for Prometheus. The gateway does not route this path."""
        observe: Callable[[], Awaitable[None]] | None = getattr(request.app.state, "observe", None)
        if observe is not None:
            await observe()
        return Response(request.app.state.metrics.exposition(), media_type="text/plain; version=0.0.4")

    return router


def _log_change(state: State, health: Health, problem: Problem | None) -> None:
    """Log when a service is no longer ready, and when it is ready again; not while it starts."""
    was_ready: bool | None = state.was_ready
    if health.ready == was_ready or (was_ready is None and problem is None and not health.ready):
        return
    state.was_ready = health.ready
    if health.ready and was_ready is None:
        return
    if health.ready:
        logger.info("ready")
    else:
        logger.warning("not_ready", extra={"code": problem.code if problem else None})
