"""Row-level security on PostgreSQL: which rows callers may read and change (`shared.persistence.rls_policies`)."""

from alembic import op

from shared.persistence.rls_policies import (
    Rule,
    create_row_level_security,
    for_audience,
    granted,
    named,
    own,
    own_row,
    unprotect,
)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A right to write includes the right to read: PostgreSQL changes no row that the caller cannot read.
SEES_TRIALS = granted("trial.read.all", "trial.write.all", "source.write.all", "site.write.all")
SEES_PUBLISHED = f"published AND {granted('trial.read.published', 'site.write.own')}"
WRITES_TRIALS = granted("trial.write.all", "source.write.all", "site.write.all", "site.write.own")
MAKES_TRIALS = granted("trial.write.all", "source.write.all")
WRITES_SITE = f"{granted('trial.write.all', 'source.write.all', 'site.write.all')} OR {own('centre', 'site.write.own', of='centre')}"


def of_trial(table: str) -> str:
    """Return the condition that the row's trial is visible."""
    return f"EXISTS (SELECT FROM trials WHERE trials.key = {table}.trial_key)"


# A right on clients or members includes reading their organisation.
SEES_ORGANISATIONS = granted(
    "organisation.read.all", "organisation.write.all", "client.read.all", "client.write.all", "member.read.all", "member.write.all",
    "administrator.write.all",
)  # fmt: skip
SEES_OWN_ORGANISATION = own(
    "id", "organisation.read.own", "client.read.own", "client.write.own", "member.read.own", "member.write.own"
)  # fmt: skip


def of_organisation(kind: str) -> tuple[str, str]:
    """Return the conditions for reading and for changing clients or members (``kind``) of an organisation.

    Suspending the organisation changes them too.
    """
    changes = f"{granted(f'{kind}.write.all', 'organisation.write.all', 'administrator.write.all')} OR {own('organisation', f'{kind}.write.own')}"
    return f"{granted(f'{kind}.read.all')} OR {own('organisation', f'{kind}.read.own')} OR {changes}", changes


SEES_CLIENTS, CHANGES_CLIENTS = of_organisation("client")
SEES_MEMBERS, CHANGES_MEMBERS = of_organisation("member")

ADDED_TO = ("SELECT", "INSERT")
REWRITTEN = ("SELECT", "INSERT", "DELETE")
CHANGED = ("SELECT", "INSERT", "UPDATE")
RULES = {
    "trials": Rule(
        read=f"{SEES_TRIALS} OR ({SEES_PUBLISHED})",
        insert=MAKES_TRIALS,
        change=WRITES_TRIALS,
        public="published",
        rights=CHANGED,
    ),
    "trial_identifiers": Rule(
        read=of_trial("trial_identifiers"),
        insert=WRITES_TRIALS,
        change=WRITES_TRIALS,
        public=of_trial("trial_identifiers"),
        rights=REWRITTEN,
    ),
    "trial_facets": Rule(
        read=of_trial("trial_facets"),
        insert=WRITES_TRIALS,
        change=WRITES_TRIALS,
        public=of_trial("trial_facets"),
        rights=REWRITTEN,
    ),
    "trial_versions": Rule(
        read=of_trial("trial_versions"), insert=WRITES_TRIALS, public=of_trial("trial_versions"), rights=ADDED_TO
    ),
    "criteria_versions": Rule(
        read=of_trial("criteria_versions"), insert=MAKES_TRIALS, public=of_trial("criteria_versions"), rights=ADDED_TO
    ),
    "sites": Rule(
        read=of_trial("sites"),
        insert=WRITES_SITE,
        change=WRITES_SITE,
        public=of_trial("sites"),
        rights=(*CHANGED, "DELETE"),
    ),
    "centres": Rule(
        read="true",
        insert=granted("centre.write.all"),
        change=f"{granted('centre.write.all')} OR {own('id', 'centre.write.own', of='centre')}",
        public="true",
        rights=CHANGED,
    ),
    "source_records": Rule(
        read=granted("source.write.all"),
        insert=granted("source.write.all"),
        change=granted("source.write.all"),
        rights=CHANGED,
    ),
    "feed_head": Rule(read="true", change=named(), public="true", rights=("SELECT", "UPDATE")),
    "feed_entries": Rule(
        read=f"{granted('feed.read.all', 'feed.read.published')} AND ({for_audience('after')} OR {for_audience('before')})",
        insert=named(),
        public="""CAST(after AS jsonb) -> 'audience' @> '["public"]' OR CAST(before AS jsonb) -> 'audience' @> '["public"]'""",
        rights=ADDED_TO,
    ),
    "organisations": Rule(
        read=f"{SEES_ORGANISATIONS} OR {SEES_OWN_ORGANISATION}",
        insert=granted("organisation.write.all", "administrator.write.all"),
        change=granted("organisation.write.all"),
        rights=CHANGED,
    ),
    "clients": Rule(read=SEES_CLIENTS, insert=CHANGES_CLIENTS, change=CHANGES_CLIENTS, rights=CHANGED),
    "members": Rule(read=SEES_MEMBERS, insert=CHANGES_MEMBERS, change=CHANGES_MEMBERS, rights=CHANGED),
    # The token issuer uses the role of the service.
    "signing_keys": Rule(rights=()),
    "used_assertions": Rule(rights=()),
    "idempotency_keys": Rule(read=own_row("organisation"), change=own_row("organisation"), rights=("SELECT", "UPDATE")),
    "audit_head": Rule(read="true", change=named(), rights=("SELECT", "UPDATE")),
    "audit_entries": Rule(
        read=f"{granted('audit.read.all')} OR {own('organisation', 'audit.read.own')}", insert=named(), rights=ADDED_TO
    ),
    "audit_seals": Rule(rights=()),
}


def upgrade() -> None:
    create_row_level_security(op, "registry", RULES)


def downgrade() -> None:
    for table in RULES:
        unprotect(op, "registry", table)
