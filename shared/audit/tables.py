"""The audit log in a service's database. Triggers let rows be added and never changed."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData, String, Table

from shared.persistence.columns import UtcInstant


class AuditLog:
    """The tables of one service's audit log."""

    def __init__(self, metadata: MetaData) -> None:
        self.head = Table(
            "audit_head",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("number", BigInteger, nullable=False),
            CheckConstraint("id = 1", name="one_row"),
        )
        self.entries = Table(
            "audit_entries",
            metadata,
            Column("number", BigInteger, primary_key=True, autoincrement=False),
            Column("at", UtcInstant, nullable=False),
            Column("request_id", String(64), nullable=False),
            Column("principal", String(16), nullable=False),
            Column("organisation", String(64)),
            Column("client", String(64)),
            Column("outcome", String(8), nullable=False),
            Column("resource", String(32), nullable=False),
            Column("resource_id", String(160)),
            Column("method", String(8), nullable=False),
            Column("route", String(160), nullable=False),
            Column("status", Integer, nullable=False),
            Column("count", Integer, nullable=False),
            Column("human", String(64)),
        )
        self.checkpoints = Table(
            "audit_seals",
            metadata,
            Column("number", BigInteger, primary_key=True, autoincrement=False),
            Column("first", BigInteger, nullable=False),
            Column("last", BigInteger, nullable=False),
            Column("previous", String(64), nullable=False),
            Column("digest", String(64), nullable=False),
            Column("at", UtcInstant, nullable=False),
            Column("signature", String(88), nullable=False),
        )


def begin_record(op: Any) -> None:
    """Insert the row of the head and create the triggers, in a migration. ``op`` is Alembic's."""
    op.execute("INSERT INTO audit_head (id, number) VALUES (1, 0)")
    if op.get_bind().dialect.name == "sqlite":
        for table in ("audit_entries", "audit_seals"):
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                    " BEGIN SELECT RAISE(ABORT, 'the record is only added to'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the record is only added to'; END $$"
    )
    for table in ("audit_entries", "audit_seals"):
        op.execute(
            f"CREATE TRIGGER {table}_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to()"
        )


def end_record(op: Any) -> None:
    """Drop the trigger function before the tables are dropped; SQLite drops triggers with their tables."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_is_only_added_to() CASCADE")
