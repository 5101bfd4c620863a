"""Composition root of the notifications service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI

from services.notifications.channels.smtp import SmtpChannel
from services.notifications.channels.webhook import WebhookChannel
from services.notifications.clients.registry import registry_tail
from services.notifications.deliveries import endpoints as deliveries
from services.notifications.deliveries.dispatcher import Dispatcher, DispatchPolicy
from services.notifications.deliveries.repository import DeliveryRepository
from services.notifications.link_tokens import MailTokens
from services.notifications.mail import endpoints as mail_subscriptions
from services.notifications.mail_links import endpoints as mail_links
from services.notifications.mailing.dispatcher import MailDispatcher, MailPolicy
from services.notifications.mailing.messages import Writer
from services.notifications.public_mail import endpoints as public_mail
from services.notifications.runtime import Runtime
from services.notifications.schema import AUDIT, KEYS, METADATA
from services.notifications.sequencing.sequencer import Sequencer
from services.notifications.settings import NotificationsSettings
from services.notifications.subscriptions import endpoints as subscriptions
from services.notifications.subscriptions.secrets import secret_cipher
from shared.access.directory import RemoteDirectory
from shared.audit.checkpoints import signing_key
from shared.audit.recording import DatabaseAudit
from shared.clients.internal import InternalClient
from shared.clients.outbound import open_outbound
from shared.endpoints.audit import audit_router
from shared.endpoints.backups import backup_router
from shared.idempotency import IdempotencyKeys
from shared.operations.metrics import Metrics
from shared.operations.service import Health, create_service
from shared.persistence import Database, open_database
from shared.persistence.migrations import check_schema
from shared.tasks import BackgroundTasks

MIGRATIONS = Path(__file__).parent / "migrations"
EXAMPLES = Path(__file__).parent / "examples.json"


def create_app(settings: NotificationsSettings | None = None, line: InternalClient | None = None) -> FastAPI:
    """Create the application. ``line``: the client for the registry; None: one for its URL. Tests pass their own.

    :raises WrongSchemaError: at start, when the database is not at this program's schema.
    :raises OwnedElsewhereError: at start, when another process uses the SQLite file.
    """
    settings = settings or NotificationsSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = open_database(settings.database, service="notifications")
            stack.push_async_callback(database.close)
            tasks: BackgroundTasks = app.state.tasks
            stack.push_async_callback(tasks.stop)
            await check_schema(database, MIGRATIONS, METADATA)
            app.state.idempotency = keys = IdempotencyKeys(database, KEYS)
            app.state.audit = audit = DatabaseAudit(
                database, AUDIT, settings.audit_folder, "notifications", signing_key(settings.audit_seed)
            )
            audit.start(tasks)
            stack.push_async_callback(audit.stop)
            await keys.start(tasks)
            stack.push_async_callback(keys.stop)
            outbound = await stack.enter_async_context(open_outbound(settings, total_seconds=settings.attempt_seconds))
            registry = line or InternalClient(
                settings.service_url("registry"), settings.internal_token.get_secret_value()
            )
            stack.push_async_callback(registry.close)
            app.state.callers.directory = directory = RemoteDirectory(registry, settings.feed_wait_seconds)
            directory.start(tasks)
            stack.push_async_callback(directory.stop)
            cipher = secret_cipher(settings.sealing_key)
            dispatcher = Dispatcher(database, WebhookChannel(outbound, cipher), _policy(settings))
            tokens = MailTokens(settings.sealing_key)
            mail = _mail(settings, database, tokens)

            def wake() -> None:
                dispatcher.wake()
                if mail is not None:
                    mail.wake()

            sequencer = Sequencer(
                database,
                registry_tail(registry, settings.feed_wait_seconds),
                "registry",
                wake,
                app.state.metrics.lag.labels("registry").set,
            )
            app.state.database = database
            app.state.runtime = Runtime(
                database,
                outbound,
                cipher,
                wake,
                settings.subscriptions_per_organisation,
                tokens,
                mail is not None,
            )
            app.state.health = lambda: _health(database, sequencer)
            app.state.observe = lambda: _observe(database, sequencer, app.state.metrics)
            await dispatcher.start(tasks)
            stack.push_async_callback(dispatcher.stop, settings.drain_seconds)
            if mail is not None:
                mail.start(tasks)
                stack.push_async_callback(mail.stop, settings.drain_seconds)
            stack.push_async_callback(tasks.repeat(sequencer.step, "registry_feed").stop)
            yield

    routers = [subscriptions.router, deliveries.router, mail_subscriptions.router, public_mail.router]
    routers += [mail_links.router, audit_router("notifications"), backup_router()]
    return create_service(
        "notifications",
        settings,
        routers,
        lifespan,
        "Subscriptions to changes by webhook or e-mail, and the log of their deliveries.",
        EXAMPLES,
    )


def _policy(settings: NotificationsSettings) -> DispatchPolicy:
    return DispatchPolicy(
        schedule=settings.retry_seconds,
        attempt=settings.attempt_seconds,
        margin=settings.lease_margin_seconds,
        sweep=settings.sweep_seconds,
        workers=settings.concurrency,
        per_subscription=settings.concurrency_per_subscription,
        contended_attempt=settings.contended_attempt_seconds,
    )


def _mail(settings: NotificationsSettings, database: Database, tokens: MailTokens) -> MailDispatcher | None:
    """Return what sends e-mail; None: it is not set up."""
    server = settings.mail_server
    if server is None:
        return None
    channel = SmtpChannel(server, settings.mail_from, settings.attempt_seconds)
    writer = Writer(settings.mail_from, settings.issuer, tokens)
    lease = settings.attempt_seconds + settings.lease_margin_seconds
    policy = MailPolicy(settings.retry_seconds, lease, settings.mail_collect_seconds, settings.sweep_seconds)
    return MailDispatcher(database, channel, writer, policy)


async def _health(database: Database, sequencer: Sequencer) -> Health:
    now = datetime.now(UTC)
    async with database.read(as_service=True) as connection:
        depth, oldest = await DeliveryRepository(connection).backlog(now)
    waiting = None if oldest is None else round((now - oldest).total_seconds(), 3)
    return Health(ready=True, detail={"feed": sequencer.health(), "queue_depth": depth, "oldest_due_seconds": waiting})


async def _observe(database: Database, sequencer: Sequencer, metrics: Metrics) -> None:
    now = datetime.now(UTC)
    async with database.read(as_service=True) as connection:
        depth, oldest = await DeliveryRepository(connection).backlog(now)
    metrics.set(metrics.queue_depth, depth)
    metrics.set(metrics.oldest_unsent, 0.0 if oldest is None else (now - oldest).total_seconds())
    read = sequencer.health()["read_seconds_ago"]
    if read is not None:
        metrics.feed_read.labels("registry").set(read)


__all__ = ["METADATA", "MIGRATIONS", "create_app"]
