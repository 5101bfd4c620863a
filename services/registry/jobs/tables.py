"""Jobs, the lines that they still need, and the results of those that are done."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, false, text

from services.registry.schema import METADATA
from shared.persistence import UtcInstant

jobs = Table(
    "jobs",
    METADATA,
    # In the order of acceptance: jobs of one source run in this order.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("source", String(40), nullable=False),
    Column("organisation", String(64), nullable=False),
    Column("author", String(200), nullable=False),
    Column("language", String(2), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("undoes", Integer),
    Column("dry_run", Boolean, nullable=False, server_default=false()),
    Column("full", Boolean, nullable=False, server_default=false()),
    Column("headings", Text, nullable=False),
    Column("unknown", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    # JSON: results and how often each occurred.
    Column("counts", Text, nullable=False, server_default="{}"),
    Column("created_at", UtcInstant, nullable=False),
    Column("started_at", UtcInstant),
    Column("ended_at", UtcInstant),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    Column("note", String(40)),
    Column("undone_by", Integer),
    # The process that runs it, and until when no other one takes it over.
    Column("claimed_by", String(40)),
    Column("claimed_until", UtcInstant),
)
Index("ix_jobs_state", jobs.c.state)

# Deleted when the job has ended.
job_inputs = Table(
    "job_inputs",
    METADATA,
    Column("job", Integer, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    # The place of the first line, from 0, and how many there are.
    Column("first", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

job_results = Table(
    "job_results",
    METADATA,
    Column("job", Integer, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    # The place among the lines of the job, from 0.
    Column("place", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("source_id", String(100)),
    Column("result", String(32), nullable=False),
    Column("trial_id", String(36)),
    Column("detail", Text, nullable=False),
    # What was stored of the record before, where the line changed that: an undo puts it back.
    Column("before", Text),
)
