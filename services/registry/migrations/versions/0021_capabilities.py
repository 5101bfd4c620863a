"""Capabilities of centres, and what the parties of a trial state to prepare its sites."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WRITES_CAPABILITY = f"{granted('capability.write.all')} OR {own('centre', 'capability.write.own', of='centre')}"
# Sponsors have no centre: they see the evidence of all.
SEES_EVIDENCE = (
    f"{granted('activation.read.all', 'capability.write.all')}"
    f" OR {own('centre', 'activation.read.own', 'capability.write.own', of='centre')}"
    f" OR ({granted('activation.read.own')} AND (SELECT coalesce(current_setting('cleio.centre', true), '')) = '')"
)


def of_trial(condition: str = "true") -> str:
    return f"EXISTS (SELECT FROM trials WHERE trials.key = preparation_versions.trial_key AND {condition})"


OWNS = of_trial(own("trials.owner", "activation.read.own", "activation.write.own"))
CHANGES_OWN = of_trial(own("trials.owner", "activation.write.own"))
HAS_SITE = (
    "centre = '' AND EXISTS (SELECT FROM sites WHERE sites.trial_key = preparation_versions.trial_key"
    f" AND {own('sites.centre', 'activation.read.own', of='centre')})"
)
RULES = {
    "capabilities": Rule(
        read=f"{granted('capability.read.all')} OR {WRITES_CAPABILITY}",
        insert=WRITES_CAPABILITY,
        change=WRITES_CAPABILITY,
        public="NOT removed",
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "capability_versions": Rule(read=SEES_EVIDENCE, insert=WRITES_CAPABILITY, rights=("SELECT", "INSERT")),
    "preparation_versions": Rule(
        read=(
            f"{granted('activation.read.all', 'activation.write.all')}"
            f" OR {own('centre', 'activation.read.own', 'activation.write.own', of='centre')}"
            f" OR {OWNS} OR ({HAS_SITE}) OR (part = 'follow_up' AND {of_trial()})"
            f" OR (part = 'needs' AND {granted('activation.read.own')} AND {of_trial()})"
        ),
        insert=(
            f"{granted('activation.write.all')} OR {CHANGES_OWN}"
            f" OR (part = 'checklist' AND {own('centre', 'activation.write.own', of='centre')})"
        ),
        public=f"part = 'follow_up' AND {of_trial()}",
        rights=("SELECT", "INSERT"),
    ),
}


def upgrade() -> None:
    op.create_table(
        "capabilities",
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("scope_note", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("planned_from", sa.Date(), nullable=True),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("alarm_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["centre"], ["centres.id"], name=op.f("fk_capabilities_centre"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("centre", "code", name=op.f("pk_capabilities")),
    )
    op.create_index("ix_capabilities_alarm_on", "capabilities", ["alarm_on"])
    op.create_table(
        "capability_versions",
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre"], ["centres.id"], name=op.f("fk_capability_versions_centre"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("centre", "code", "version", name=op.f("pk_capability_versions")),
    )
    op.create_table(
        "preparation_versions",
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_preparation_versions_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_key", "part", "centre", "item", "version", name=op.f("pk_preparation_versions")),
    )
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    op.drop_table("preparation_versions")
    op.drop_table("capability_versions")
    op.drop_index("ix_capabilities_alarm_on", "capabilities")
    op.drop_table("capabilities")
