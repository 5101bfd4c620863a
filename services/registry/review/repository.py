"""SQL of the review queue. Apart from the claims it only reads: the queue is what other tables hold."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.records.repository import OBSOLETE, POSSIBLE_DUPLICATE, QUARANTINED
from services.registry.records.tables import source_records
from services.registry.review.model import CONFLICT_KEY, Item, Narrowing, ReviewKind
from services.registry.review.tables import record_decisions, review_claims
from services.registry.trials.decisions.model import Decision, StoredDecision
from services.registry.trials.decisions.tables import trial_reviews
from services.registry.trials.statements.tables import trial_conflicts
from services.registry.trials.tables import trials
from shared.values.problems import StaleVersionError

_NONE = literal(None, String)
_QUEUE = union_all(
    select(
        (trial_reviews.c.kind + ":" + trial_reviews.c.trial_key).label("id"),
        trial_reviews.c.kind,
        trial_reviews.c.since,
        trial_reviews.c.trial_key,
        _NONE.label("source"),
        _NONE.label("record"),
    ),
    select(
        (
            literal("conflict:")
            + trial_conflicts.c.trial_key
            + ":"
            + func.substr(trial_conflicts.c.key, 1, CONFLICT_KEY)
        ),
        literal("conflict"),
        trial_conflicts.c.since,
        trial_conflicts.c.trial_key,
        trial_conflicts.c.source,
        _NONE,
    ),
    select(
        (literal(f"{POSSIBLE_DUPLICATE}:") + source_records.c.source + ":" + source_records.c.source_id),
        literal(POSSIBLE_DUPLICATE),
        func.coalesce(source_records.c.waiting_since, source_records.c.read_at),
        _NONE,
        source_records.c.source,
        source_records.c.source_id,
    ).where(source_records.c.result == POSSIBLE_DUPLICATE),
    select(
        (literal("quarantine:") + source_records.c.source + ":" + source_records.c.source_id),
        literal("quarantine"),
        func.coalesce(source_records.c.waiting_since, source_records.c.read_at),
        _NONE,
        source_records.c.source,
        source_records.c.source_id,
    ).where(
        source_records.c.result == QUARANTINED,
        ~exists().where(
            record_decisions.c.source == source_records.c.source,
            record_decisions.c.source_id == source_records.c.source_id,
            record_decisions.c.withdrawn_at.is_(None),
        ),
    ),
).subquery("queue")
# A claim of an earlier time, when the item was open before, is none.
_CLAIM = and_(review_claims.c.item == _QUEUE.c.id, review_claims.c.at >= _QUEUE.c.since)


def _open(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(_QUEUE)
        .outerjoin(trials, trials.c.key == _QUEUE.c.trial_key)
        .outerjoin(review_claims, _CLAIM)
        .where(or_(_QUEUE.c.trial_key.is_(None), and_(trials.c.key.is_not(None), trials.c.merged_into.is_(None))))
    )


class ReviewRepository:
    """The review queue in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def page(self, narrowing: Narrowing, after: tuple[datetime, str] | None, limit: int) -> list[Item]:
        """Return open items, oldest first, after (since, id)."""
        queue = _QUEUE.c
        statement = _items().where(*_conditions(narrowing)).order_by(queue.since, queue.id).limit(limit)
        if after is not None:
            since, name = after
            statement = statement.where(or_(queue.since > since, and_(queue.since == since, queue.id > name)))
        return [_item(row) for row in await self.connection.execute(statement)]

    async def counts(self, narrowing: Narrowing) -> dict[ReviewKind, int]:
        """Return how many items of each kind are open."""
        statement = _open(_QUEUE.c.kind, func.count()).where(*_conditions(narrowing)).group_by(_QUEUE.c.kind)
        return {cast("ReviewKind", kind): count for kind, count in await self.connection.execute(statement)}

    async def find(self, item: str) -> Item | None:
        """Return an open item."""
        row = (await self.connection.execute(_items().where(_QUEUE.c.id == item))).first()
        return None if row is None else _item(row)

    async def claim(self, item: str, author: str, at: datetime) -> None:
        """Claim an item for a person, in the place of an earlier claim."""
        await self.release(item)
        await self.connection.execute(insert(review_claims).values(item=item, claimed_by=author, at=at))

    async def on_record(self, source: str, source_id: str) -> list[StoredDecision]:
        """Return all decisions on a record, oldest first."""
        columns = record_decisions.c
        statement = select(record_decisions).where(columns.source == source, columns.source_id == source_id)
        return [
            StoredDecision(
                "",
                row.number,
                Decision("quarantine", "", row.answer, row.reason, row.author, row.at),
                row.withdrawn_at,
                row.withdrawn_by,
            )
            for row in await self.connection.execute(statement.order_by(columns.number))
        ]

    async def decide_on_record(self, source: str, source_id: str, decision: Decision) -> None:
        """Store a decision on a record.

        :raises StaleVersionError: 412, another transaction decided on it meanwhile.
        """
        decided = {"answer": decision.answer, "reason": decision.reason, "author": decision.author, "at": decision.at}
        number = len(await self.on_record(source, source_id)) + 1
        values = {"source": source, "source_id": source_id, "number": number, **decided}
        try:
            await self.connection.execute(insert(record_decisions).values(**values))
        except IntegrityError:
            raise StaleVersionError from None

    async def withdraw_on_record(self, source: str, source_id: str, number: int, author: str, at: datetime) -> None:
        """Withdraw a decision on a record.

        :raises StaleVersionError: 412, another transaction withdrew it meanwhile.
        """
        columns = record_decisions.c
        same = (columns.source == source, columns.source_id == source_id, columns.number == number)
        statement = update(record_decisions).where(*same, columns.withdrawn_at.is_(None))
        if (await self.connection.execute(statement.values(withdrawn_at=at, withdrawn_by=author))).rowcount != 1:
            raise StaleVersionError

    async def release(self, item: str) -> None:
        """Remove the claim of an item, if there is one."""
        await self.connection.execute(delete(review_claims).where(review_claims.c.item == item))


def _items() -> Select[Any]:
    queue = _QUEUE.c
    return _open(
        queue.id,
        queue.kind,
        queue.since,
        queue.trial_key,
        queue.source,
        queue.record,
        trials.c.document,
        review_claims.c.claimed_by,
        review_claims.c.at.label("claimed_at"),
    )


def _conditions(narrowing: Narrowing) -> Sequence[ColumnElement[bool]]:
    queue, records = _QUEUE.c, source_records.c
    found: list[ColumnElement[bool]] = []
    if narrowing.kind is not None:
        found.append(queue.kind == narrowing.kind)
    if narrowing.source is not None:
        describing = select(records.trial_key).where(
            records.source == narrowing.source, records.result != OBSOLETE, records.trial_key.is_not(None)
        )
        found.append(or_(queue.source == narrowing.source, queue.trial_key.in_(describing)))
    if narrowing.claimed is not None:
        claim = review_claims.c.item
        found.append(claim.is_not(None) if narrowing.claimed else claim.is_(None))
    if narrowing.claimed_by is not None:
        found.append(review_claims.c.claimed_by == narrowing.claimed_by)
    document, name = func.lower(trials.c.document), func.lower(queue.id)
    words = (or_(document.contains(word), name.contains(word)) for word in narrowing.words)
    return [*found, *words]


def _item(row: Any) -> Item:
    return Item(
        row.id,
        row.kind,
        row.since,
        row.trial_key,
        row.document,
        row.source,
        row.record,
        row.claimed_by,
        row.claimed_at,
    )
