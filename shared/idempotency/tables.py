"""The table of idempotency keys and their answers, in the database of each service."""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from shared.persistence.columns import UtcInstant


class IdempotencyLog:
    """The table of one service.

    ``id``: a digest of organisation, client, route and key; the key itself could contain data and is not stored.
    ``status``: NULL while the call is in progress, which ends at ``until``; else the status of the stored answer.
    """

    def __init__(self, metadata: MetaData) -> None:
        self.keys = Table(
            "idempotency_keys",
            metadata,
            Column("id", String(64), primary_key=True),
            Column("organisation", String(64)),
            Column("route", String(200), nullable=False),
            Column("fingerprint", String(64), nullable=False),
            Column("claim", String(32), nullable=False),
            Column("until", UtcInstant, nullable=False),
            Column("status", Integer),
            Column("headers", Text),
            Column("body", Text),
        )
        Index("ix_idempotency_keys_until", self.keys.c.until)
