"""Safety holds, and who agrees to lift them. Who lifts one takes back the confirmation of the sites."""

import sqlalchemy as sa
from alembic import op

from shared.persistence.columns import UtcInstant
from shared.persistence.rls_policies import Rule, granted, own, protect, unprotect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# The names of a trial are visible where the trial is that answers to them: itself, or the one it is merged into.
OF_TRIAL = "EXISTS (SELECT FROM trial_aliases WHERE trial_aliases.trial_key = safety_holds.trial_key)"
OF_HOLD = "EXISTS (SELECT FROM safety_holds WHERE safety_holds.id = safety_hold_agreements.hold)"
IMPOSES = granted("safety_hold.write.all", "safety_hold.write.own")
# A hold on a product also concerns trials whose readers do not see the trial on which it was imposed.
READS = f"{OF_TRIAL} OR (scope = 'product' AND {granted('safety_hold.read.published', 'safety_hold.read.all')})"
# Which person may agree, the service decides; here only sites of trials with a hold can be changed.
LIFTS = (
    f"{IMPOSES} AND EXISTS (SELECT FROM safety_holds"
    " JOIN trial_aliases ON trial_aliases.trial_key = safety_holds.trial_key"
    " WHERE trial_aliases.present_key = {table}.trial_key OR safety_holds.scope = 'product')"
)
SITE_OF_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = sites.trial_key)"
WRITES_SITE = (
    f"{granted('trial.write.all', 'source.write.all', 'site.write.all')}"
    f" OR {own('centre', 'site.write.own', of='centre')}"
)
SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
VERSION_OF_TRIAL = "EXISTS (SELECT FROM trials WHERE trials.key = site_versions.trial_key)"
SITES_BEFORE = {
    "sites": Rule(
        read=SITE_OF_TRIAL,
        insert=WRITES_SITE,
        change=WRITES_SITE,
        public=SITE_OF_TRIAL,
        rights=("SELECT", "INSERT", "UPDATE", "DELETE"),
    ),
    "site_versions": Rule(
        read=f"{VERSION_OF_TRIAL} AND (published OR {SEES_TRIALS})",
        insert=WRITES_SITE,
        public=f"{VERSION_OF_TRIAL} AND published",
        rights=("SELECT", "INSERT"),
    ),
}
SITES = {
    "sites": Rule(
        read=SITE_OF_TRIAL,
        insert=WRITES_SITE,
        change=f"{WRITES_SITE} OR ({LIFTS.format(table='sites')})",
        public=SITE_OF_TRIAL,
        rights=("SELECT", "INSERT", "UPDATE", "DELETE"),
    ),
    "site_versions": Rule(
        read=f"{VERSION_OF_TRIAL} AND (published OR {SEES_TRIALS})",
        insert=f"{WRITES_SITE} OR ({LIFTS.format(table='site_versions')})",
        public=f"{VERSION_OF_TRIAL} AND published",
        rights=("SELECT", "INSERT"),
    ),
}
HOLDS = {
    "safety_holds": Rule(
        read=READS, insert=IMPOSES, change=IMPOSES, public=OF_TRIAL, rights=("SELECT", "INSERT", "UPDATE")
    ),
    "safety_hold_agreements": Rule(
        read=OF_HOLD, insert=IMPOSES, change=IMPOSES, public=OF_HOLD, rights=("SELECT", "INSERT", "UPDATE")
    ),
}
RULES = {**HOLDS, **SITES}


def upgrade() -> None:
    op.create_table(
        "safety_holds",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("trial_key", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=600), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(length=600), nullable=True),
        sa.Column("imposed_at", UtcInstant(), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("lifted_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_key"], ["trials.key"], name=op.f("fk_safety_holds_trial_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_holds")),
    )
    op.create_index("ix_safety_holds_trial_key", "safety_holds", ["trial_key"])
    op.create_index("ix_safety_holds_lifted_at", "safety_holds", ["lifted_at"])
    op.create_table(
        "safety_hold_agreements",
        sa.Column("hold", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", UtcInstant(), nullable=False),
        sa.Column("basis", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=600), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hold"], ["safety_holds.id"], name=op.f("fk_safety_hold_agreements_hold"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hold", "organisation", name=op.f("pk_safety_hold_agreements")),
    )
    for name in SITES:
        unprotect(op, "registry", name)
    for name, rule in RULES.items():
        protect(op, "registry", name, rule)


def downgrade() -> None:
    for name in RULES:
        unprotect(op, "registry", name)
    for name, rule in SITES_BEFORE.items():
        protect(op, "registry", name, rule)
    op.drop_table("safety_hold_agreements")
    op.drop_table("safety_holds")
