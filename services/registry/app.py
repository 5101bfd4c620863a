"""Composition root of the registry."""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from services.registry.activation import endpoints as activations
from services.registry.activation.lapses import report_lapsed
from services.registry.capabilities import endpoints as capabilities
from services.registry.capabilities.alarms import report_expiring
from services.registry.capabilities.fit import endpoints as fits
from services.registry.capabilities.follow_up import endpoints as follow_ups
from services.registry.centres import endpoints as centres
from services.registry.coverage import endpoints as coverages
from services.registry.coverage.service import CoverageService
from services.registry.criteria_proposals import endpoints as criteria_proposals
from services.registry.demonstration import endpoints as demonstration
from services.registry.duplicates import endpoints as duplicates
from services.registry.enrolment import endpoints as enrolment
from services.registry.enrolment.expiry import expire_places
from services.registry.export import endpoints as export
from services.registry.export.building import ExportBuilder
from services.registry.export.service import ExportService
from services.registry.feasibility import endpoints as feasibilities
from services.registry.feasibility.following import follow_up
from services.registry.fhir import endpoints as fhir
from services.registry.geography import endpoints as geographies
from services.registry.geography.current import CurrentGeography
from services.registry.history import endpoints as history
from services.registry.identity.clients import endpoints as clients
from services.registry.identity.internal import endpoints as internal
from services.registry.identity.members import endpoints as members
from services.registry.identity.organisations import endpoints as organisations
from services.registry.identity.tokens import endpoints as tokens
from services.registry.identity.tokens.client_keys import ClientKeySets
from services.registry.identity.tokens.client_tokens import ClientTokens
from services.registry.identity.tokens.directory import LocalDirectory
from services.registry.identity.tokens.issuer import Issuer
from services.registry.identity.tokens.keys import RETIRED_PUBLISHED, SigningKeys
from services.registry.identity.tokens.provider import IdentityProvider
from services.registry.identity.tokens.repository import IssuerRepository
from services.registry.identity.tokens.service import TokenService
from services.registry.jobs import endpoints as jobs
from services.registry.jobs.worker import JobWorker
from services.registry.merge import rules_version as merge_version
from services.registry.model.events import RegistryEvent
from services.registry.overview import endpoints as overviews
from services.registry.places import endpoints as places
from services.registry.places.merging import PlaceMerges
from services.registry.provenance import endpoints as provenance
from services.registry.rechecks.following import follow_hold, follow_publication
from services.registry.referrals import endpoints as referrals
from services.registry.referrals.upkeep import keep_referrals
from services.registry.reports import endpoints as reports
from services.registry.review import endpoints as reviews
from services.registry.safety_holds import endpoints as safety_holds
from services.registry.sample.load import load_sample
from services.registry.schema import AUDIT, FEED, KEYS, METADATA
from services.registry.scope import judge
from services.registry.scope import rules_version as scope_version
from services.registry.settings import RegistrySettings
from services.registry.sources import endpoints as sources
from services.registry.sources.places import by_name
from services.registry.sources.reading_processes import ReadingProcesses
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.states import endpoints as states
from services.registry.submissions import endpoints as submissions
from services.registry.synchronisation import endpoints as synchronisation
from services.registry.synchronisation.scheduling import SyncSchedule
from services.registry.terminology import endpoints as terminologies
from services.registry.terminology.current import CurrentTerminology
from services.registry.terminology.terminology import Terminology
from services.registry.trials import endpoints as trials
from services.registry.trials.listing import endpoints as trial_lists
from services.registry.trials.listing.follower import IndexFollower
from services.registry.trials.listing.service import TrialSearch
from services.registry.trials.public.reads import public_reads
from services.registry.trials.public.repository import PublicTrials
from services.registry.trials.rules import TrialRules
from services.registry.trials.sites.stale import report_stale
from services.registry.worklists import endpoints as worklists
from shared.audit.checkpoints import signing_key
from shared.audit.recording import DatabaseAudit
from shared.clients.outbound import open_outbound
from shared.endpoints.audit import audit_router
from shared.endpoints.backups import backup_router
from shared.endpoints.feed import feed_router, seal_position
from shared.feed.buffer import FeedBuffer
from shared.feed.log import Position, compact
from shared.feed.watch import ChangeWatch
from shared.idempotency import IdempotencyKeys
from shared.operations.metrics import Metrics
from shared.operations.service import Health, create_service
from shared.persistence import Database, open_database
from shared.persistence.direct import DirectReads, open_direct_reads
from shared.persistence.migrations import check_schema
from shared.tasks import BackgroundTasks
from shared.values.encryption import derived_key

ASSERTIONS_PER_BATCH = 2_000
# A page of records of a register may take long.
SYNC_SECONDS = 120.0
MIGRATIONS = Path(__file__).parent / "migrations"
EXAMPLES = Path(__file__).parent / "examples.json"


def create_app(settings: RegistrySettings | None = None) -> FastAPI:
    """Create the registry's application.

    :raises WrongSchemaError: at start, when the database is not at this program's schema.
    :raises OwnedElsewhereError: at start, when another process uses the SQLite file.
    """
    settings = settings or RegistrySettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = open_database(settings.database, service="registry")
            stack.push_async_callback(database.close)
            tasks: BackgroundTasks = app.state.tasks
            stack.push_async_callback(tasks.stop)
            await check_schema(database, MIGRATIONS, METADATA)
            app.state.database = database
            app.state.answers.revision = database.revision.current
            if not database.is_sqlite:
                tasks.repeat(ChangeWatch(database, FEED).step, "watch_feed")
            app.state.feed = FeedBuffer(database, FEED, f"{settings.event_source}/registry")
            app.state.feed.start(tasks)
            app.state.idempotency = keys = IdempotencyKeys(database, KEYS)
            app.state.audit = audit = DatabaseAudit(
                database, AUDIT, settings.audit_folder, "registry", signing_key(settings.audit_seed)
            )
            audit.start(tasks)
            stack.push_async_callback(audit.stop)
            await keys.start(tasks)
            stack.push_async_callback(keys.stop)
            app.state.public_url = settings.issuer
            app.state.report_secret = derived_key(settings.cursor_key_bytes, "counts")
            app.state.report_questions = settings.count_questions
            app.state.publication_hooks, app.state.hold_hooks = (follow_publication,), (follow_hold,)
            direct = open_direct_reads(database)
            stack.push_async_callback(direct.close)
            app.state.index = follower = IndexFollower(database)
            app.state.geography = geography = CurrentGeography(database)
            app.state.current_terminology = current = CurrentTerminology(database, partial(_use, app, direct, follower))
            await current.publish()
            await _open_issuer(app, settings, database, stack)
            if settings.load_sample:
                await load_sample(database, app.state.trial_rules)
            tasks.repeat(current.watch, "watch_terminology")
            follower.start(tasks)
            tasks.repeat(geography.watch, "watch_geography")
            app.state.export = _start_export(app, settings, database)
            await _start_sources(app, settings, database, stack)
            app.state.health = lambda: _health(database)
            app.state.observe = lambda: _observe(database, app.state.metrics)
            app.state.end_waits = database.end_waits
            tasks.repeat(lambda: _housekeeping(database, timedelta(days=settings.keep_feed_days)), "housekeeping")
            _watch_deadlines(tasks, database, settings)
            tasks.repeat(lambda: _delete_expired_assertions(database), "delete_expired_assertions")
            yield

    routers = [
        trial_lists.router,  # before `/trials/{identifier}`
        trials.router,
        history.router,
        states.router,
        provenance.router,
        overviews.router,
        reviews.router,
        duplicates.router,
        criteria_proposals.router,
        safety_holds.router,
        enrolment.router,
        centres.router,
        capabilities.router,
        fits.router,
        follow_ups.router,
        activations.router,
        places.router,
        referrals.router,
        worklists.router,
        jobs.router,  # before `/sources/{source}`
        sources.router,
        synchronisation.router,
        submissions.router,
        feasibilities.router,
        export.router,
        terminologies.router,
        geographies.router,
        coverages.router,
        reports.router,
        fhir.router,
        organisations.router,
        clients.router,
        members.router,
        tokens.router,
        internal.router,
        demonstration.router,
        feed_router("registry", RegistryEvent),
        audit_router("registry"),
        backup_router(),
    ]
    return create_service(
        "registry",
        settings,
        routers,
        lifespan,
        "Trials, centres, organisations, tokens, and the feed of what changes.",
        EXAMPLES,
    )


def _use(app: FastAPI, direct: DirectReads, follower: IndexFollower, terminology: Terminology) -> None:
    """Answer the next requests with this terminology."""
    follower.use(terminology)
    app.state.terminology = terminology
    app.state.trial_rules = TrialRules(terminology, judge, registry_criteria, by_name, _rules_version(terminology))
    app.state.search = search = TrialSearch(follower, terminology, app.state.geography)
    app.state.coverage = CoverageService(follower, app.state.geography, terminology)
    app.state.public_reads = public_reads(PublicTrials(direct), search)


def _rules_version(terminology: Terminology) -> str:
    versions = json.dumps([merge_version(), scope_version(), terminology.version])
    return hashlib.sha256(versions.encode()).hexdigest()


async def _open_issuer(app: FastAPI, settings: RegistrySettings, database: Database, stack: AsyncExitStack) -> None:
    outbound = await stack.enter_async_context(open_outbound(settings))
    keys = SigningKeys(database, settings.cursor_key_bytes)
    await keys.ensure()
    key_sets = ClientKeySets(outbound)
    tokens = TokenService(database, keys, key_sets, settings.issuer, settings.token_url)
    provider = (
        IdentityProvider(settings.oidc_issuer, settings.oidc_audience, outbound) if settings.oidc_issuer else None
    )
    app.state.outbound = outbound
    app.state.callers.directory = directory = LocalDirectory(database, keys, provider, ClientTokens(database, key_sets))
    app.state.issuer = Issuer(settings.builtin_issuer, settings.issuer, settings.token_url, keys, tokens, directory)
    await directory.learn()
    directory.start(app.state.tasks)
    stack.push_async_callback(directory.stop)


def _start_export(app: FastAPI, settings: RegistrySettings, database: Database) -> ExportService:
    def feed_path(position: Position) -> str:
        return f"/registry/v1/feed?cursor={seal_position(app.state.cursors, 'registry', position)}"

    builder = ExportBuilder(database, feed_path, lambda: app.state.terminology.version)
    service = ExportService(builder, [settings.data_dir, Path(tempfile.gettempdir())])
    service.start(app.state.tasks)
    return service


async def _start_sources(app: FastAPI, settings: RegistrySettings, database: Database, stack: AsyncExitStack) -> None:
    """Start what imports records and merges trials again: jobs, synchronisation, corrected places."""

    def rules() -> TrialRules:
        return app.state.trial_rules  # type: ignore[no-any-return]

    tasks: BackgroundTasks = app.state.tasks
    app.state.reading_processes = processes = ReadingProcesses(settings.readers)
    stack.callback(processes.close)
    tasks.repeat(processes.watch, "watch_reading_processes")
    app.state.place_merges = place_merges = PlaceMerges(database, rules)
    tasks.repeat(place_merges.step, "merge_places")
    app.state.jobs = worker = JobWorker(database, rules, processes)
    worker.start(tasks)
    app.state.sync_schedule = schedule = SyncSchedule(settings.sync)
    await schedule.prepare(database)
    outbound = await stack.enter_async_context(open_outbound(settings, total_seconds=SYNC_SECONDS))
    for task in schedule.start(tasks, database, outbound, rules, processes):
        # Before the connections are closed.
        stack.push_async_callback(task.stop)


def _watch_deadlines(tasks: BackgroundTasks, database: Database, settings: RegistrySettings) -> None:
    """Start what acts when a day has come: what is stale, expires or is due."""
    tasks.repeat(lambda: report_stale(database), "report_stale_sites")
    tasks.repeat(lambda: keep_referrals(database, settings), "keep_referrals")
    tasks.repeat(lambda: follow_up(database), "follow_up_feasibility")
    tasks.repeat(lambda: expire_places(database), "expire_places")
    tasks.repeat(lambda: report_expiring(database), "report_expiring_capabilities")
    tasks.repeat(lambda: report_lapsed(database), "report_lapsed_authorisations")


async def _health(database: Database) -> Health:
    async with database.read(as_service=True) as connection:
        position = await FEED.position(connection)
    return Health(ready=True, detail={"feed": position.seq, "generation": position.generation})


async def _observe(database: Database, metrics: Metrics) -> None:
    async with database.read(as_service=True) as connection:
        metrics.set(metrics.feed_position, (await FEED.position(connection)).seq)


async def _housekeeping(database: Database, keep_feed: timedelta) -> None:
    """Compact the feed and delete retired signing keys, every six hours."""
    now = datetime.now(UTC)
    await compact(database, FEED, now - keep_feed)
    async with database.transaction() as connection:
        await IssuerRepository(connection).delete_retired_keys(now - RETIRED_PUBLISHED)
    await asyncio.sleep(6 * 3600)


async def _delete_expired_assertions(database: Database) -> None:
    """Delete expired client assertions every minute, in small batches so that other writers are not blocked."""
    while True:
        async with database.transaction() as connection:
            # One hour after their expiry, because the clock of another replica may be behind.
            if (
                await IssuerRepository(connection).delete_used_assertions(
                    datetime.now(UTC) - timedelta(hours=1), ASSERTIONS_PER_BATCH
                )
                < ASSERTIONS_PER_BATCH
            ):
                break
    await asyncio.sleep(60)


__all__ = ["METADATA", "MIGRATIONS", "create_app"]
