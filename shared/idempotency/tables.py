"""Where keys and the answers they got live in a service's own database."""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from shared.persistence.columns import UtcInstant


class IdempotencyLog:
    """The table of one service. ``id`` is a digest of organisation, client, route and key: what a client wrote into its key is not kept.

    Without ``status`` a row is a claim: somebody is at work, until ``until`` at the latest. With it, it is the answer, kept until then.
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
