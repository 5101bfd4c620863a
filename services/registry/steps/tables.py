"""The table of the steps of one kind of subject. Steps are only added."""

from sqlalchemy import Column, Date, ForeignKey, Integer, MetaData, String, Table, Text

from shared.persistence import UtcInstant


def step_table(metadata: MetaData, name: str, subject: str) -> Table:
    """Return the table ``name`` of the steps of subjects. ``subject``: the column that they refer to, their key."""
    return Table(
        name,
        metadata,
        Column("subject", String(40), ForeignKey(subject, ondelete="CASCADE"), primary_key=True),
        # The version of the subject that the step made.
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("action", String(40), nullable=False),
        Column("state", String(40), nullable=False),
        Column("at", UtcInstant, nullable=False),
        Column("on", Date),
        Column("organisation", String(64), nullable=False),
        Column("author", String(200), nullable=False),
        Column("reason", Text),
        Column("detail", Text, nullable=False),
    )
