"""Organisations, clients, members and tokens."""

import sqlalchemy as sa
from alembic import op

import shared.persistence.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("updated_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("created_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("retired_at", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
    )
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.create_index(
            "uq_signing_keys_state",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state != 'retired'"),
            postgresql_where=sa.text("state != 'retired'"),
        )

    op.create_table(
        "used_assertions",
        sa.Column("client", sa.String(length=36), nullable=False),
        sa.Column("jti", sa.String(length=128), nullable=False),
        sa.Column("forget_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.PrimaryKeyConstraint("client", "jti", name=op.f("pk_used_assertions")),
    )
    with op.batch_alter_table("used_assertions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_used_assertions_forget_at"), ["forget_at"], unique=False)

    op.create_table(
        "clients",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("jwks", sa.Text(), nullable=True),
        sa.Column("jwks_url", sa.Text(), nullable=True),
        sa.Column("key_digest", sa.LargeBinary(), nullable=True),
        sa.Column("former_digest", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.Column("expires_at", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tokens_ended_at", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("updated_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["organisation"], ["organisations.id"], name=op.f("fk_clients_organisation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clients_organisation"), ["organisation"], unique=False)
        batch_op.create_index(batch_op.f("ix_clients_tokens_ended_at"), ["tokens_ended_at"], unique=False)

    op.create_table(
        "members",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tokens_ended_at", shared.persistence.columns.UtcInstant(length=27), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.Column("updated_at", shared.persistence.columns.UtcInstant(length=27), nullable=False),
        sa.ForeignKeyConstraint(["organisation"], ["organisations.id"], name=op.f("fk_members_organisation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_members_organisation"), ["organisation"], unique=False)
        batch_op.create_index(batch_op.f("ix_members_tokens_ended_at"), ["tokens_ended_at"], unique=False)
        batch_op.create_index(
            "uq_members_active",
            ["issuer", "subject"],
            unique=True,
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        )
    op.add_column("audit_entries", sa.Column("human", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_entries", "human")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_members_active",
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        )
        batch_op.drop_index(batch_op.f("ix_members_tokens_ended_at"))
        batch_op.drop_index(batch_op.f("ix_members_organisation"))

    op.drop_table("members")
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clients_tokens_ended_at"))
        batch_op.drop_index(batch_op.f("ix_clients_organisation"))

    op.drop_table("clients")
    with op.batch_alter_table("used_assertions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_assertions_forget_at"))

    op.drop_table("used_assertions")
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_signing_keys_state",
            sqlite_where=sa.text("state != 'retired'"),
            postgresql_where=sa.text("state != 'retired'"),
        )

    op.drop_table("signing_keys")
    op.drop_table("organisations")
