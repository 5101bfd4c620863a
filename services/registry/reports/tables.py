"""The questions of sponsors: a question that is repeated on a day is counted once."""

from sqlalchemy import Column, Date, String, Table

from services.registry.schema import METADATA

report_questions = Table(
    "report_questions",
    METADATA,
    Column("organisation", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    # A hash: the table does not say what was asked.
    Column("question", String(64), primary_key=True),
)
