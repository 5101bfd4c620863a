"""SQL for deliveries and attempts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, case, exists, func, insert, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.deliveries.model import Claim, Outcome, Settlement
from services.notifications.deliveries.schemas import DeliveredEvent, Delivery, DeliveryAttempt, LoggedState
from services.notifications.tables import IS_WEBHOOK, PENDING, SENDING, attempts, deliveries, events, subscriptions

INTERRUPTED = "interrupted"
# Counted no further: enough to see a problem, and cheap enough for two queries per second.
MAX_DEPTH = 10_000
_SENT = case((deliveries.c.tombstone, events.c.tombstone), else_=events.c.body)
_OF_EVENT = (events.c.source == deliveries.c.event_source) & (events.c.id == deliveries.c.event_id)


@dataclass(frozen=True, slots=True)
class Ready:
    """An active subscription with a due delivery. Without a secret: by e-mail, to a `mailto:` URL."""

    subscription: str
    owner: str
    url: str
    sealed_secret: bytes
    former_secret: bytes | None = None
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Busy:
    """Subscriptions, and owners, that may claim no more for now."""

    subscriptions: Collection[str] = ()
    owners: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A numbered delivery to insert."""

    id: str
    subscription: str
    number: int
    source: str
    event: str
    tombstone: bool
    due_at: datetime


class DeliveryRepository:
    """The ledger in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def add(self, new: Sequence[NewDelivery], now: datetime) -> None:
        if new:
            await self.connection.execute(
                insert(deliveries),
                [
                    {
                        "id": one.id,
                        "subscription_id": one.subscription,
                        "number": one.number,
                        "event_source": one.source,
                        "event_id": one.event,
                        "tombstone": one.tombstone,
                        "state": "pending",
                        "failures": 0,
                        "fence": 0,
                        "due_at": one.due_at,
                        "created_at": now,
                    }
                    for one in new
                ],
            )

    async def any_ready(self, now: datetime, busy: Busy) -> bool:
        """Return whether `ready` would find anything."""
        found = await self.connection.execute(select(subscriptions.c.id).where(*_has_due(now, busy)).limit(1))
        return found.first() is not None

    async def ready(self, now: datetime, busy: Busy, limit: int) -> list[Ready]:
        """Return up to ``limit`` active webhooks with a due delivery, except the ``busy`` ones.

        Owners take turns: first one subscription of each owner in random order, then a second one, and so on.
        """
        turn = func.row_number().over(partition_by=subscriptions.c.owner, order_by=func.random())
        found = (
            select(
                subscriptions.c.id,
                subscriptions.c.owner,
                subscriptions.c.url,
                subscriptions.c.sealed_secret,
                subscriptions.c.former_secret,
                subscriptions.c.former_until,
                turn.label("turn"),
            )
            .where(*_has_due(now, busy))
            .subquery()
        )
        rows = await self.connection.execute(select(found).order_by(found.c.turn, func.random()).limit(limit))
        return [
            Ready(row.id, row.owner, row.url, row.sealed_secret, row.former_secret, row.former_until) for row in rows
        ]

    async def claim(self, ready: Ready, now: datetime, lease: timedelta, limit: int) -> list[Claim]:
        """Claim up to ``limit`` due deliveries of one subscription for the time of the lease."""
        rows = (
            await self.connection.execute(
                select(
                    deliveries.c.id, deliveries.c.number, deliveries.c.fence, deliveries.c.failures, _SENT.label("body")
                )
                .join(events, _OF_EVENT)
                .where(deliveries.c.subscription_id == ready.subscription, PENDING, deliveries.c.due_at <= now)
                .order_by(deliveries.c.due_at, deliveries.c.number)
                .limit(limit)
                .with_for_update(skip_locked=True, of=deliveries)
            )
        ).all()
        if rows:
            await self.connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_([row.id for row in rows]))
                .values(state="sending", fence=deliveries.c.fence + 1, lease_until=now + lease)
            )
        return [
            Claim(
                row.id,
                ready.subscription,
                ready.owner,
                row.number,
                row.fence + 1,
                row.failures,
                ready.url,
                ready.sealed_secret,
                row.body.encode(),
                ready.former_secret,
                ready.former_until,
            )
            for row in rows
        ]

    async def record(self, settled: Sequence[tuple[Outcome, Settlement]], now: datetime) -> None:
        """Write the outcomes whose claim is still current. A receiver that answered 410 disables its subscription."""
        wanted = sorted(outcome.claim.delivery for outcome, _ in settled)
        claimed = await self.connection.execute(
            select(deliveries.c.id, deliveries.c.fence)
            .where(deliveries.c.id.in_(wanted), SENDING)
            .order_by(deliveries.c.id)
            .with_for_update()
        )
        fences = {row.id: row.fence for row in claimed}
        current = [
            (outcome, end) for outcome, end in settled if fences.get(outcome.claim.delivery) == outcome.claim.fence
        ]
        tried = [_attempt_row(outcome) for outcome, _ in current if outcome.attempt is not None]
        if tried:
            await self.connection.execute(insert(attempts), tried)
        if current:
            await self.connection.execute(
                update(deliveries)
                .where(deliveries.c.id == bindparam("of_delivery"))
                .values(
                    state=bindparam("to_state"),
                    failures=bindparam("to_failures"),
                    due_at=bindparam("to_due_at"),
                    finished_at=bindparam("to_finished_at"),
                    lease_until=None,
                ),
                [
                    {
                        "of_delivery": outcome.claim.delivery,
                        "to_state": end.state,
                        "to_failures": end.failures,
                        "to_due_at": end.due_at,
                        "to_finished_at": None if end.state == "pending" else now,
                    }
                    for outcome, end in current
                ],
            )
        gone = sorted({outcome.claim.subscription for outcome, end in current if end.gone})
        if gone:
            await self.connection.execute(
                update(subscriptions)
                .where(subscriptions.c.id.in_(gone), subscriptions.c.status == "active")
                .values(status="disabled", disabled_reason="gone", version=subscriptions.c.version + 1, updated_at=now)
            )

    async def reclaim(self, now: datetime, *, everything: bool) -> int:
        """Release claims past their lease, or all claims if no other dispatcher can be running.

        Return how many; at most 1,000 at a time.
        """
        overdue = SENDING
        if not everything:
            overdue &= deliveries.c.lease_until < now
        rows = (
            await self.connection.execute(
                select(deliveries.c.id, deliveries.c.fence).where(overdue).limit(1000).with_for_update(skip_locked=True)
            )
        ).all()
        if rows:
            await self.connection.execute(
                insert(attempts),
                [
                    {
                        "delivery_id": row.id,
                        "fence": row.fence,
                        "at": now,
                        "status": None,
                        "error": INTERRUPTED,
                        "ms": 0,
                    }
                    for row in rows
                ],
            )
            await self.connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_([row.id for row in rows]))
                .values(state="pending", due_at=now, lease_until=None)
            )
        return len(rows)

    async def overdue(self, now: datetime) -> bool:
        """Return whether a lease has ended without an outcome."""
        found = await self.connection.execute(
            select(literal(1)).where(exists().where(SENDING, deliveries.c.lease_until < now))
        )
        return found.first() is not None

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return the number of open deliveries of active subscriptions, and since when the oldest one is due.

        The number is counted up to `MAX_DEPTH`.
        """
        active = deliveries.c.subscription_id.in_(select(subscriptions.c.id).where(subscriptions.c.status == "active"))
        open_ones = union_all(*(select(deliveries.c.due_at).where(state, active) for state in (PENDING, SENDING)))
        some = open_ones.limit(MAX_DEPTH).subquery()
        depth, oldest = (
            await self.connection.execute(select(func.count(), func.min(some.c.due_at)).select_from(some))
        ).one()
        return depth, oldest if oldest is not None and oldest <= now else None

    async def page(
        self, subscription: str, state: LoggedState | None, before: int | None, limit: int
    ) -> list[Delivery]:
        """Return deliveries with their attempts, newest first, those numbered below ``before``."""
        statement = (
            select(deliveries, events.c.type, events.c.subject, events.c.at, subscriptions.c.status)
            .join(events, _OF_EVENT)
            .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
            .where(deliveries.c.subscription_id == subscription)
            .order_by(deliveries.c.number.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(deliveries.c.number < before)
        if state in {"pending", "held"}:
            statement = statement.where(PENDING, (subscriptions.c.status == "active") == (state == "pending"))
        elif state is not None:
            statement = statement.where(deliveries.c.state == state)
        rows = (await self.connection.execute(statement)).all()
        tried = await self._attempts([row.id for row in rows])
        return [_read(row, tried.get(row.id, [])) for row in rows]

    async def _attempts(self, ids: Sequence[str]) -> Mapping[str, list[DeliveryAttempt]]:
        found: dict[str, list[DeliveryAttempt]] = {}
        rows = await self.connection.execute(
            select(attempts).where(attempts.c.delivery_id.in_(ids)).order_by(attempts.c.delivery_id, attempts.c.fence)
        )
        for row in rows:
            found.setdefault(row.delivery_id, []).append(
                DeliveryAttempt(at=row.at, status=row.status, error=row.error, ms=row.ms)
            )
        return found


def _has_due(now: datetime, busy: Busy) -> tuple[ColumnElement[bool], ...]:
    due = exists().where(deliveries.c.subscription_id == subscriptions.c.id, PENDING, deliveries.c.due_at <= now)
    return (
        IS_WEBHOOK,
        subscriptions.c.status == "active",
        subscriptions.c.id.not_in(busy.subscriptions),
        subscriptions.c.owner.not_in(busy.owners),
        due,
    )


def _attempt_row(outcome: Outcome) -> dict[str, Any]:
    assert outcome.attempt is not None
    tried = outcome.attempt
    return {
        "delivery_id": outcome.claim.delivery,
        "fence": outcome.claim.fence,
        "at": tried.at,
        "status": tried.status,
        "error": tried.error,
        "ms": tried.ms,
    }


def _read(row: Row[Any], tried: list[DeliveryAttempt]) -> Delivery:
    waits = row.state == "pending"
    kind = row.subject.partition("/")[0]
    return Delivery(
        id=row.id,
        number=row.number,
        state="held" if waits and row.status != "active" else row.state,
        event=DeliveredEvent(
            source=row.event_source,
            id=row.event_id,
            type=f"{kind}.removed" if row.tombstone else row.type,
            subject=row.subject,
            time=row.at,
        ),
        attempts=tried,
        due_at=row.due_at if waits and row.status == "active" else None,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
