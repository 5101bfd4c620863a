"""Row-level security of subscriptions and deliveries: each belongs to its owner only."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import DBAPIError

from shared.persistence import Database, open_database
from shared.persistence.rls_sessions import NO_ACCESS, RlsContext
from tests.contract.notifications import migrate
from tests.contract.row_security import AT, PUBLIC, as_itself, rows

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(postgresql_url: str) -> AsyncIterator[Database]:
    """Subscriptions of two organisations, each with a delivery of its own event."""
    await migrate(postgresql_url)
    database = open_database(postgresql_url, service="notifications")
    at = AT
    for owner in ("mine", "theirs"):
        await as_itself(
            database,
            "INSERT INTO events VALUES"
            f" ('/registry', 'event-{owner}', 'trial.updated', 'trial/{owner}', '{at}', '{{}}', NULL)",
            "INSERT INTO subscriptions"
            " (id, owner, audiences, version, status, url, types, filter, sealed_secret, last_number,"
            " created_at, updated_at)"
            f" VALUES ('{owner}', '{owner}', '[]', 1, 'active', 'https://example.org', '[]', '{{}}', '\\x00', 1,"
            f" '{at}', '{at}')",
            "INSERT INTO deliveries"
            " (id, subscription_id, number, event_source, event_id, tombstone, state, failures, fence,"
            " due_at, created_at)"
            f" VALUES ('{owner}', '{owner}', 1, '/registry', 'event-{owner}', false, 'pending', 0, 0, '{at}', '{at}')",
            f"INSERT INTO attempts VALUES ('{owner}', 1, '{at}', 500, NULL, 3)",
        )
    yield database
    await database.close()


LEDGER = {
    "subscriptions": "SELECT owner FROM subscriptions",
    "deliveries": "SELECT subscription_id FROM deliveries",
    "attempts": "SELECT delivery_id FROM attempts",
    "events": "SELECT substr(id, 7) FROM events",
}
OWN = frozenset({"subscription.read.own", "subscription.write.own"})


async def test_subscriptions_and_deliveries_are_visible_to_their_owner_only(ledger: Database) -> None:
    for table, statement in LEDGER.items():
        assert set(await rows(ledger, statement, RlsContext(OWN, "mine"))) == {"mine"}, table
        assert set(await rows(ledger, statement, RlsContext(OWN, "somebody"))) == set(), table
        assert set(await rows(ledger, statement, RlsContext(frozenset({"trial.read.all"}), "mine"))) == set(), table
        assert set(await rows(ledger, statement, NO_ACCESS)) == set(), table
        assert set(await rows(ledger, statement, None)) == {"mine", "theirs"}, table
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(ledger, statement, PUBLIC)


async def test_a_caller_cannot_change_rows_of_others_or_give_its_own_away(ledger: Database) -> None:
    mine = RlsContext(OWN, "mine")
    for statement in ("UPDATE subscriptions SET url = 'x' RETURNING id", "DELETE FROM subscriptions RETURNING id"):
        assert await rows(ledger, statement, RlsContext(OWN, "somebody"), writing=True) == []
    assert await rows(ledger, "UPDATE subscriptions SET url = 'x' RETURNING id", mine, writing=True) == ["mine"]
    assert await rows(ledger, "UPDATE deliveries SET failures = 0 RETURNING id", mine, writing=True) == ["mine"]
    assert (
        await rows(
            ledger,
            "UPDATE subscriptions SET url = 'x' RETURNING id",
            RlsContext(frozenset({"subscription.read.own"}), "mine"),
            writing=True,
        )
        == []
    )
    for statement in (
        "UPDATE subscriptions SET owner = 'theirs' RETURNING id",
        "UPDATE deliveries SET subscription_id = 'theirs', number = 2 RETURNING id",
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            await rows(ledger, statement, mine, writing=True)
    with pytest.raises(DBAPIError, match="permission denied"):
        await rows(ledger, "SELECT body FROM events", mine)
