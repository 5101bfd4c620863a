"""Composition root of the matching service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI

from services.matching.cds_hooks.endpoints import router as cds_router
from services.matching.clients.registry import RegistryClient
from services.matching.clients.studies import ResearchStudies
from services.matching.criteria.endpoints import router as criteria_router
from services.matching.evaluations.endpoints import router as match_router
from services.matching.fhir.endpoints import router as fhir_router
from services.matching.records.endpoints import router as patients_router
from services.matching.settings import MatchingSettings
from services.matching.snapshots.files import SnapshotFiles
from services.matching.snapshots.store import SnapshotStore
from shared.access.directory import RemoteDirectory
from shared.audit.checkpoints import signing_key
from shared.audit.recording import FileAudit
from shared.clients.internal import InternalClient
from shared.endpoints.audit import audit_router
from shared.operations.metrics import Metrics
from shared.operations.service import Health, create_service
from shared.tasks import BackgroundTasks

EXAMPLES = Path(__file__).parent / "examples.json"


def create_app(settings: MatchingSettings | None = None, registry: InternalClient | None = None) -> FastAPI:
    """Build the application. ``registry``: a client to use instead of one for the registry's URL, for tests."""
    chosen = settings or MatchingSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = registry or InternalClient(chosen.service_url("registry"), chosen.internal_token.get_secret_value())
        reader = RegistryClient(client, chosen.feed_wait)
        files = SnapshotFiles(chosen.snapshot_folder, chosen.country)
        store = SnapshotStore(reader, files, chosen.persist_every, app.state.metrics)
        app.state.snapshots = store
        app.state.public_url = chosen.issuer
        app.state.studies = ResearchStudies(client)
        app.state.health = lambda: _health(store)
        app.state.observe = lambda: _observe(store, app.state.metrics)
        app.state.audit = audit = FileAudit(chosen.audit_folder, "matching", signing_key(chosen.audit_seed))
        tasks: BackgroundTasks = app.state.tasks
        audit.start(tasks)
        store.start(tasks)
        app.state.callers.directory = directory = RemoteDirectory(client, chosen.feed_wait)
        directory.start(tasks)
        try:
            yield
        finally:
            await directory.stop()
            await store.stop()
            await reader.close()
            await audit.stop()

    return create_service(
        "matching",
        chosen,
        [match_router, patients_router, criteria_router, fhir_router, cds_router, audit_router("matching")],
        lifespan,
        "Which trial, where and when, for this patient.",
        EXAMPLES,
    )


async def _observe(store: SnapshotStore, metrics: Metrics) -> None:
    snapshot = store.loaded
    if snapshot is not None:
        metrics.set(metrics.snapshot_age, max(0.0, (datetime.now(UTC) - snapshot.current_at).total_seconds()))
        metrics.set(metrics.snapshot_trials, len(snapshot.trials))
    metrics.set(metrics.snapshot_unwritten, store.unwritten_seconds)


async def _health(store: SnapshotStore) -> Health:
    """Report ready with any snapshot, however old."""
    snapshot = store.loaded
    if snapshot is None:
        return Health(ready=False, detail={"snapshot": None})
    return Health(
        ready=True,
        detail={
            "snapshot": snapshot.id,
            "age_seconds": round((datetime.now(UTC) - snapshot.current_at).total_seconds(), 1),
            "trials": len(snapshot.trials),
            "without_criteria": snapshot.without_criteria,
        },
    )
