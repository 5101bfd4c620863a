"""Row-level security on PostgreSQL: which rows callers may read and change (`shared.persistence.rls_policies`)."""

from alembic import op

from shared.persistence.rls_policies import Rule, create_row_level_security, granted, named, own, own_row, unprotect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A right to write includes the right to read: PostgreSQL changes no row that the caller cannot read.
SEES = own("owner", "subscription.read.own", "subscription.write.own")
CHANGES = own("owner", "subscription.write.own")
OF_SUBSCRIPTION = "subscription_id IN (SELECT id FROM subscriptions)"
CHANGES_SUBSCRIPTION = f"{granted('subscription.write.own')} AND {OF_SUBSCRIPTION}"
OF_DELIVERY = "EXISTS (SELECT FROM deliveries WHERE deliveries.id = attempts.delivery_id)"
# Subscriptions first: there are few, and their id is the first column of the key of deliveries.
DELIVERED = """EXISTS (
    SELECT FROM deliveries
    WHERE deliveries.subscription_id = ANY (ARRAY(SELECT id FROM subscriptions))
        AND deliveries.event_source = events.source AND deliveries.event_id = events.id
)"""

RULES = {
    "subscriptions": Rule(read=SEES, insert=CHANGES, change=CHANGES, rights=("SELECT", "INSERT", "UPDATE", "DELETE")),
    "deliveries": Rule(
        read=OF_SUBSCRIPTION,
        insert=CHANGES_SUBSCRIPTION,
        change=CHANGES_SUBSCRIPTION,
        rights=("SELECT", "INSERT", "UPDATE"),
    ),
    "attempts": Rule(read=OF_DELIVERY),
    # Callers cannot read the column with the text: only receivers get it.
    "events": Rule(
        read=DELIVERED,
        insert=granted("subscription.write.own"),
        rights=("SELECT (source, id, type, subject, at)", "INSERT"),
    ),
    "tails": Rule(rights=()),
    "idempotency_keys": Rule(read=own_row("organisation"), change=own_row("organisation"), rights=("SELECT", "UPDATE")),
    "audit_head": Rule(read="true", change=named(), rights=("SELECT", "UPDATE")),
    "audit_entries": Rule(
        read=f"{granted('audit.read.all')} OR {own('organisation', 'audit.read.own')}",
        insert=named(),
        rights=("SELECT", "INSERT"),
    ),
    "audit_seals": Rule(rights=()),
}


def upgrade() -> None:
    create_row_level_security(op, "notifications", RULES)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "notifications", table)
