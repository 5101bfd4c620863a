"""Trials have a state and an owner, versions a source and an author.

The state of a stored trial follows from its scope: until now nothing else decided.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

# In a JSON text these signs stand for the members themselves: inside of values quotes are escaped.
STATES = {"in_scope": "published", "scope_unclear": "in_review", "out_of_scope": "withdrawn"}
PUBLISHED = '"published":'


def upgrade() -> None:
    op.add_column("trials", sa.Column("owner", sa.String(length=64), nullable=True))
    op.add_column("trial_versions", sa.Column("source", sa.String(length=40), nullable=True))
    op.add_column("trial_versions", sa.Column("author", sa.String(length=200), nullable=True))
    for table in ("trials", "trial_versions"):
        for answer, state in STATES.items():
            op.get_bind().execute(
                sa.text(
                    f"UPDATE {table} SET document = replace(document, :old, :new)"  # noqa: S608 - names of our own
                    " WHERE document LIKE :sign"
                ),
                {"old": PUBLISHED, "new": f'"state":"{state}",{PUBLISHED}', "sign": f'%"answer":"{answer}"%'},
            )


def downgrade() -> None:
    for table in ("trials", "trial_versions"):
        for state in ("published", "in_review", "withdrawn", "draft", "archived"):
            op.get_bind().execute(
                sa.text(f"UPDATE {table} SET document = replace(document, :new, :old)"),  # noqa: S608 - names of our own
                {"old": PUBLISHED, "new": f'"state":"{state}",{PUBLISHED}'},
            )
    op.drop_column("trial_versions", "author")
    op.drop_column("trial_versions", "source")
    op.drop_column("trials", "owner")
