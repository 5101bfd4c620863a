"""Tables of dossiers. Versions, steps and comments are only added."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from services.registry.schema import METADATA
from services.registry.steps.tables import step_table
from shared.persistence import UtcInstant

submissions = Table(
    "submissions",
    METADATA,
    Column("reference", String(40), primary_key=True),
    # The organisation that is responsible for it, and the one to which it is offered.
    Column("owner", String(64), nullable=False),
    Column("transfer_to", String(64)),
    Column("state", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    # Of the last decision; null: none since the last submission.
    Column("answer", String(16)),
    Column("title", Text),
    # The working content (`content.SubmissionContent`), and the number of the version that was submitted last; 0: none.
    Column("content", Text, nullable=False),
    Column("number", Integer, nullable=False),
    # The version and the trial that are public; null: not published yet.
    Column("published_number", Integer),
    Column("trial_key", String(36), ForeignKey("trials.key", ondelete="SET NULL")),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)
Index("ix_submissions_owner", submissions.c.owner)
Index("ix_submissions_created_at", submissions.c.created_at)

submission_steps = step_table(METADATA, "submission_steps", "submissions.reference")

submission_versions = Table(
    "submission_versions",
    METADATA,
    Column("subject", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("content", Text, nullable=False),
    # What the screening found when it was submitted (`schemas.ScreeningDocument`).
    Column("screening", Text, nullable=False),
)

submission_comments = Table(
    "submission_comments",
    METADATA,
    Column("subject", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("text", Text, nullable=False),
    # The field that it is about, a JSON Pointer; null: the whole dossier.
    Column("pointer", String(200)),
    # Only for the coordination.
    Column("internal", Boolean, nullable=False),
)

# A delegation counts while its owner is that of the dossier.
submission_delegates = Table(
    "submission_delegates",
    METADATA,
    Column("subject", String(40), ForeignKey("submissions.reference", ondelete="CASCADE"), primary_key=True),
    Column("owner", String(64), primary_key=True),
    Column("organisation", String(64), primary_key=True),
    Column("may_consent", Boolean, nullable=False),
    Column("at", UtcInstant, nullable=False),
    Column("author", String(200), nullable=False),
)
