"""The second wall, on a real PostgreSQL: a repository that forgot every condition still shows nothing that its caller may not see."""

import asyncio
import base64
import importlib
import random
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from types import ModuleType
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from services.cli.app import app as command_line
from services.cli.databases import metadata_of, upgrade_at
from services.registry.app import create_app
from services.registry.settings import RegistrySettings
from shared.cursors import Cursors
from shared.database import Database, Reading, WallDownError, Writing, open_database
from shared.database.wall import NOBODY, VIEWER, View
from shared.edge import EdgeRoute
from shared.feed import Change
from shared.feed.changes import NOWHERE, Side
from shared.identity import Principal
from shared.policy import Access, allow
from shared.service import create_service
from shared.settings import ServiceSettings
from shared.views import view_of
from tests.conftest import ADMIN, CURSOR_KEY, INTERNAL, administer, client_of, empty_postgresql, installation_at, started_postgres
from tests.contract.notifications import migrate
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

HIDDEN, SHOWN = "CLEIO-DEMO-0001", "NCT04626674"
OF_TRIALS = ("trial_identifiers", "trial_facets", "trial_versions", "criteria_versions", "sites")
PUBLIC = view_of(Principal("public", on_loopback=False))
COORDINATION = view_of(Principal("coordination", on_loopback=True, organisation="local"))


def migration_of(service: str) -> ModuleType:
    return importlib.import_module(f"services.{service}.migrations.versions.0005_row_security")


@asynccontextmanager
async def seen_by(view: View | None) -> AsyncIterator[None]:
    """As inside a request of this caller; None: outside of any."""
    outside = VIEWER.set(None if view is None else lambda: view)
    try:
        yield
    finally:
        VIEWER.reset(outside)


async def rows(database: Database, statement: str, view: View | None, *, writing: bool = False) -> list[Any]:
    """What a statement without any condition gives on the connection that a handler would get."""
    async with seen_by(view), database.transaction() if writing else database.read() as connection:
        return list((await connection.execute(text(statement))).scalars())


async def as_itself(database: Database, *statements: str) -> None:
    async with database.transaction(as_service=True) as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def hide_one(app: FastAPI) -> None:
    """One trial of the sample becomes a draft."""
    await as_itself(app.state.database, f"UPDATE trials SET published = false WHERE public_id = '{HIDDEN}'")


@pytest.fixture(scope="module")
def filled(postgres: str) -> Iterator[str]:
    """The name of a database with the bundled sample, of which one trial is a draft: each test takes a copy."""
    name = f"filled_{uuid.uuid4().hex[:12]}"
    url = make_url(postgres).set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    async def fill() -> None:
        await administer(postgres, f'CREATE DATABASE "{name}"')
        async with running_registry(url) as app:
            await hide_one(app)

    with tempfile.TemporaryDirectory() as folder, installation_at(Path(folder)):
        asyncio.run(fill())
    yield name
    asyncio.run(administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def registry(postgres: str, filled: str) -> AsyncIterator[FastAPI]:
    async with empty_postgresql(postgres, template=filled) as url:
        app = create_app(RegistrySettings(database_url=url))
        async with app.router.lifespan_context(app):
            yield app


# The handlers under test: each has forgotten every condition.
router = APIRouter(prefix="/registry/v1", route_class=EdgeRoute)


@router.get("/forgetful")
async def read_everything(connection: Reading, access: Annotated[Access, Depends(allow("trial", "read"))]) -> dict[str, list[str]]:
    return {"seen": sorted((await connection.execute(text("SELECT public_id FROM trials"))).scalars())}


@router.get("/forgetful-elsewhere")
async def read_everything_beside(connection: Reading, access: Annotated[Access, Depends(allow("centre", "read"))]) -> dict[str, list[str]]:
    return {"seen": sorted((await connection.execute(text("SELECT public_id FROM trials"))).scalars())}


@router.patch("/forgetful")
async def change_everything(connection: Writing, access: Annotated[Access, Depends(allow("centre", "read"))]) -> dict[str, list[str]]:
    changed = await connection.execute(text("UPDATE trials SET curated = false RETURNING public_id"))
    return {"seen": sorted(changed.scalars())}


@pytest.fixture
async def forgetful(registry: FastAPI) -> FastAPI:
    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_service("registry", ServiceSettings(), [router], nothing, "Handlers without a memory.")
    app.state.database = registry.state.database
    return app


@pytest.mark.parametrize("path", ["/registry/v1/forgetful", "/registry/v1/forgetful-elsewhere"])
async def test_a_handler_that_forgot_its_condition_shows_each_caller_its_own(forgetful: FastAPI, path: str) -> None:
    async with client_of(forgetful) as public, client_of(forgetful, token=ADMIN) as admin, client_of(forgetful, token=INTERNAL) as service:
        everything = set((await admin.get(path)).json()["seen"])
        assert HIDDEN in everything
        assert set((await service.get(path)).json()["seen"]) == everything
        # A route may be open to everybody, with every row of its own kind: it opens no other kind.
        assert set((await public.get(path)).json()["seen"]) == everything - {HIDDEN}


async def test_a_handler_that_forgot_its_condition_changes_only_what_its_caller_may(forgetful: FastAPI) -> None:
    async with client_of(forgetful) as public, client_of(forgetful, token=INTERNAL) as service, client_of(forgetful, token=ADMIN) as admin:
        for reader in (public, service):
            assert (await reader.patch("/registry/v1/forgetful")).json() == {"seen": []}
        assert HIDDEN in (await admin.patch("/registry/v1/forgetful")).json()["seen"]


async def test_callers_who_take_turns_never_see_with_the_eyes_of_the_one_before(forgetful: FastAPI) -> None:
    chance = random.Random(7)
    async with client_of(forgetful) as public, client_of(forgetful, token=ADMIN) as admin, client_of(forgetful, token="guess") as forger:

        async def ask() -> None:
            caller = chance.choice([public, admin, forger])
            answer = await caller.get("/registry/v1/forgetful")
            if caller is forger:
                assert answer.status_code == 401
            else:
                assert (HIDDEN in answer.json()["seen"]) == (caller is admin)

        for _ in range(6):
            await asyncio.gather(*(ask() for _ in range(20)))


SEEN: Mapping[str, tuple[View, Callable[[bool], bool]]] = {
    "the public": (PUBLIC, lambda published: published),
    "another organisation": (View(frozenset({"trial.read.published"}), "elsewhere"), lambda published: published),
    "its own, which no trial is yet": (View(frozenset({"trial.read.own"}), "elsewhere"), lambda _published: False),
    "all": (View(frozenset({"trial.read.all"}), "local"), lambda _published: True),
    "somebody with other rights": (View(frozenset({"subscription.read.own", "centre.read.all"}), "elsewhere"), lambda _published: False),
    "nobody": (NOBODY, lambda _published: False),
}


async def test_trials_and_all_that_hangs_on_them(registry: FastAPI) -> None:
    database = registry.state.database
    every = dict.fromkeys(await rows(database, "SELECT key FROM trials WHERE published", None), True)
    every |= dict.fromkeys(await rows(database, "SELECT key FROM trials WHERE NOT published", None), False)
    held = {table: set(await rows(database, f"SELECT trial_key FROM {table}", None)) for table in OF_TRIALS}
    drafts = {key for key, published in every.items() if not published}
    assert all(drafts <= keys for keys in held.values())
    for caller, (view, sees) in SEEN.items():
        expected = {key for key, published in every.items() if sees(published)}
        assert set(await rows(database, "SELECT key FROM trials", view)) == expected, caller
        for table, keys in held.items():
            assert set(await rows(database, f"SELECT trial_key FROM {table}", view)) == keys & expected, (caller, table)


async def test_a_view_tells_no_more_than_the_policy_and_the_token() -> None:
    writer = Principal("coordination", organisation="coordination", roles=frozenset({"admin", "editor"}), scopes=frozenset({"trial.write"}))
    view = view_of(writer)
    assert {"trial.write.all", "trial.read.published", "feed.read.published"} <= view.grants
    assert not {grant for grant in view.grants if grant.startswith(("organisation.write", "client.", "audit.", "subscription.write"))}
    # Who reads the feed as the public does belongs to no audience inside.
    assert view.audiences == {"public", "organisation:coordination"}
    assert view_of(Principal("hospital", organisation="a", centre="fr-a")).centre == "fr-a"
    assert view_of(None) is NOBODY


async def test_who_says_nothing_is_shown_nothing(registry: FastAPI) -> None:
    database = registry.state.database

    async def shown(table: str, *, in_request: bool) -> int:
        statement = f"SELECT count(*) FROM {table}"
        try:
            if in_request:
                return (await rows(database, statement, NOBODY))[0]
            async with database._walled.callers.connect() as connection:
                return (await connection.execute(text(statement))).scalar_one()
        except DBAPIError as error:
            if "permission denied" in str(error):
                return 0
            raise

    for name, rule in migration_of("registry").RULES.items():
        for in_request in (True, False):
            assert bool(await shown(name, in_request=in_request)) == (rule.read == "true"), name


async def test_what_a_transaction_said_ends_with_it_and_no_reset_gives_the_role_back(registry: FastAPI) -> None:
    walled = registry.state.database._walled
    async with walled.callers.connect() as connection:
        backend = "SELECT pg_backend_pid()"
        first = (await connection.execute(text(backend))).scalar_one()
        await walled.tell(connection, COORDINATION, reading=True)
        assert HIDDEN in set((await connection.execute(text("SELECT public_id FROM trials"))).scalars())
    async with walled.callers.connect() as connection:
        assert (await connection.execute(text(backend))).scalar_one() == first
        for statement in ("SELECT 1", "RESET ROLE", "RESET ALL"):
            await connection.execute(text(statement))
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "cleio_registry_callers"
            assert list((await connection.execute(text("SELECT public_id FROM trials"))).scalars()) == []


async def test_the_public_role_writes_nothing_and_reads_no_record(registry: FastAPI) -> None:
    async with registry.state.database._walled.public.connect() as connection:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("UPDATE trials SET curated = false"))
        await connection.rollback()
        await connection.execute(text("SET TRANSACTION READ WRITE"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text("UPDATE trials SET curated = false"))
        await connection.rollback()
        for table in ("audit_entries", "audit_seals", "source_records"):
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(text(f"SELECT * FROM {table}"))
            await connection.rollback()


async def test_versions_and_the_record_cannot_be_rewritten_even_by_who_may_write(registry: FastAPI) -> None:
    for statement in (
        "UPDATE trial_versions SET document = '{}'",
        "DELETE FROM criteria_versions",
        "DELETE FROM trials",
        "DELETE FROM feed_entries",
        "UPDATE audit_entries SET principal = 'public'",
        "SELECT * FROM audit_seals",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(registry.state.database, statement, COORDINATION, writing=True)
    # Nobody reads the record by the right to write.
    assert await rows(registry.state.database, "SELECT number FROM audit_entries", COORDINATION) == []


def told(subject: str, before: Side, after: Side) -> Change:
    return Change("trial.updated", subject, 1, before, after)


async def test_entries_of_the_feed_by_audience_before_and_after(registry: FastAPI) -> None:
    database, feed = registry.state.database, importlib.import_module("services.registry.schema").FEED
    everybody, inside, one = (Side(frozenset({audience})) for audience in ("public", "coordination", "organisation:a"))
    async with database.transaction() as connection:
        await feed.append(
            connection,
            [
                told("seen", NOWHERE, everybody),
                told("secret", NOWHERE, inside),
                told("withdrawn", everybody, inside),
                told("of-one", inside, one),
            ],
        )
    statement = "SELECT subject FROM feed_entries WHERE type = 'trial.updated' AND version = 1 AND subject NOT LIKE 'trial/%'"
    reads = frozenset({"feed.read.published"})
    assert set(await rows(database, statement, PUBLIC)) == {"seen", "withdrawn"}
    assert set(await rows(database, statement, View(reads, "a", audiences=frozenset({"public", "organisation:a"})))) == {
        "seen",
        "withdrawn",
        "of-one",
    }
    assert set(await rows(database, statement, View(reads, "b", audiences=frozenset({"public", "organisation:b"})))) == {"seen", "withdrawn"}
    assert set(await rows(database, statement, View(reads, "b", audiences=frozenset({"organisation", "a"})))) == set()
    assert set(await rows(database, statement, COORDINATION)) == {"seen", "secret", "withdrawn", "of-one"}


async def test_a_reader_of_the_feed_moves_past_what_the_database_hides(registry: FastAPI) -> None:
    database, feed = registry.state.database, importlib.import_module("services.registry.schema").FEED
    hidden = Side(frozenset({"coordination"}))
    async with database.transaction() as connection:
        last = await feed.append(connection, [told(f"secret/{number}", NOWHERE, hidden) for number in range(5)])
    async with client_of(registry) as public:
        answer = await public.get("/registry/v1/feed?limit=1000")
    assert not [event for event in answer.json() if event["subject"].startswith("secret/")]
    cursor = answer.links["next"]["url"].partition("cursor=")[2].partition("&")[0]
    assert Cursors(base64.b64decode(CURSOR_KEY)).open("feed:registry", cursor) == [1, last]


AT = "2026-01-01T00:00:00.000000Z"
# What each organisation has of its own, and the right by which it sees it.
OF_ORGANISATIONS = {
    "SELECT id FROM organisations": "organisation.read",
    "SELECT organisation FROM clients": "client.read",
    "SELECT organisation FROM members": "member.read",
    "SELECT organisation FROM audit_entries WHERE request_id = 'of-this-test'": "audit.read",
}


async def test_organisations_their_clients_members_and_lines_of_the_record(registry: FastAPI) -> None:
    database = registry.state.database
    for number, name in enumerate(("mine", "theirs"), 1):
        await as_itself(
            database,
            f"INSERT INTO organisations VALUES ('{name}', 'hospital', '{name}', NULL, 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO clients (id, organisation, name, method, audience, scopes, roles, status, version, created_at, updated_at)"
            f" VALUES ('{name}', '{name}', '{name}', 'api_key', 'issuer', '[]', '[]', 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO members (id, organisation, issuer, subject, roles, status, version, created_at, updated_at)"
            f" VALUES ('{name}', '{name}', 'https://idp.example', '{name}', '[]', 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO audit_entries (number, at, request_id, principal, organisation, outcome, resource, method, route, status, count)"
            f" VALUES ({1000 + number}, '{AT}', 'of-this-test', 'hospital', '{name}', 'read', 'trial', 'GET', '/x', 200, 1)",
            "INSERT INTO idempotency_keys (id, organisation, route, fingerprint, claim, until)"
            f" VALUES ('{name}', '{name}', 'POST /x', 'f', 'c', '{AT}')",
        )
    for statement, right in OF_ORGANISATIONS.items():
        every = set(await rows(database, statement, None))
        assert every >= {"mine", "theirs"}
        for view, seen in (
            (View(frozenset({f"{right}.own"}), "mine"), {"mine"}),
            (View(frozenset({f"{right}.own"}), "somebody"), set()),
            (View(frozenset({f"{right}.all"}), "mine"), every),
            (View(frozenset({"trial.read.all", "subscription.read.own"}), "mine"), set()),
            (NOBODY, set()),
        ):
            assert set(await rows(database, statement, view)) == seen, (statement, view)
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(database, statement, PUBLIC)
    for kind in ("client", "member"):
        mine = View(frozenset({f"{kind}.read.own", f"{kind}.write.own"}), "mine")
        assert await rows(database, f"UPDATE {kind}s SET status = 'revoked' RETURNING id", mine, writing=True) == ["mine"]
        with pytest.raises(DBAPIError, match="row-level security"):
            await rows(database, f"UPDATE {kind}s SET organisation = 'theirs' RETURNING id", mine, writing=True)
    assert await rows(database, "SELECT id FROM idempotency_keys", View(frozenset(), "mine")) == ["mine"]
    for table in ("signing_keys", "used_assertions", "audit_seals"):
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(database, f"SELECT * FROM {table}", COORDINATION)


@pytest.fixture
async def ledger(postgresql_url: str) -> AsyncIterator[Database]:
    """Two organisations' subscriptions, each with a delivery of an event of its own."""
    await migrate(postgresql_url)
    database = open_database(postgresql_url, wall="notifications")
    at = AT
    for owner in ("mine", "theirs"):
        await as_itself(
            database,
            f"INSERT INTO events VALUES ('/registry', 'event-{owner}', 'trial.updated', 'trial/{owner}', '{at}', '{{}}', NULL)",
            "INSERT INTO subscriptions"
            " (id, owner, audiences, version, status, url, types, filter, sealed_secret, last_number, created_at, updated_at)"
            f" VALUES ('{owner}', '{owner}', '[]', 1, 'active', 'https://example.org', '[]', '{{}}', '\\x00', 1, '{at}', '{at}')",
            "INSERT INTO deliveries (id, subscription_id, number, event_source, event_id, tombstone, state, failures, fence, due_at, created_at)"
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


async def test_subscriptions_and_deliveries_are_their_owner_s(ledger: Database) -> None:
    for table, statement in LEDGER.items():
        assert set(await rows(ledger, statement, View(OWN, "mine"))) == {"mine"}, table
        assert set(await rows(ledger, statement, View(OWN, "somebody"))) == set(), table
        assert set(await rows(ledger, statement, View(frozenset({"trial.read.all"}), "mine"))) == set(), table
        assert set(await rows(ledger, statement, NOBODY)) == set(), table
        assert set(await rows(ledger, statement, None)) == {"mine", "theirs"}, table
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(ledger, statement, PUBLIC)


async def test_nobody_changes_what_is_another_s_or_gives_it_away(ledger: Database) -> None:
    mine = View(OWN, "mine")
    for statement in ("UPDATE subscriptions SET url = 'x' RETURNING id", "DELETE FROM subscriptions RETURNING id"):
        assert await rows(ledger, statement, View(OWN, "somebody"), writing=True) == []
    assert await rows(ledger, "UPDATE subscriptions SET url = 'x' RETURNING id", mine, writing=True) == ["mine"]
    assert await rows(ledger, "UPDATE deliveries SET failures = 0 RETURNING id", mine, writing=True) == ["mine"]
    assert (
        await rows(ledger, "UPDATE subscriptions SET url = 'x' RETURNING id", View(frozenset({"subscription.read.own"}), "mine"), writing=True) == []
    )
    for statement in (
        "UPDATE subscriptions SET owner = 'theirs' RETURNING id",
        "UPDATE deliveries SET subscription_id = 'theirs', number = 2 RETURNING id",
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            await rows(ledger, statement, mine, writing=True)
    with pytest.raises(DBAPIError, match="permission denied"):
        await rows(ledger, "SELECT body FROM events", mine)


@pytest.mark.parametrize("service", ["registry", "notifications"])
async def test_every_table_stands_behind_the_wall(postgresql_url: str, service: str) -> None:
    assert migration_of(service).RULES.keys() == metadata_of(service).tables.keys(), "a new table needs its rule (shared.database.row_security)"
    await upgrade_at(service, postgresql_url)
    database = open_database(postgresql_url, wall=service)
    await database.check_wall()
    await as_itself(database, "CREATE TABLE forgotten (id int)")
    with pytest.raises(WallDownError, match="forgotten"):
        await database.check_wall()
    await database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own: roles are a server's, and other tests need them."""
    with started_postgres() as url:
        yield url


async def test_a_service_does_not_start_with_roles_that_see_everything(server: str) -> None:
    async with empty_postgresql(server) as url:
        await upgrade_at("registry", url)
        await administer(url, "ALTER ROLE cleio_registry_public BYPASSRLS")
        app = create_app(RegistrySettings(database_url=url))
        with pytest.raises(WallDownError, match="cleio_registry_public"):
            async with app.router.lifespan_context(app):
                pass
        await administer(url, "ALTER ROLE cleio_registry_public NOBYPASSRLS")


def cleio(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def test_an_ordinary_login_is_enough(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator gives it: it owns its database and nothing else. It makes the roles itself, or is told what to ask an administrator for."""
    await administer(server, "CREATE ROLE makes_roles LOGIN CREATEROLE", "CREATE ROLE makes_none LOGIN")
    async with empty_postgresql(server, owner="makes_none") as url:
        monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)
        code, said = await asyncio.to_thread(cleio, "migrate")
        assert code == 1
        reason, _, statements = said.splitlines()[-1].partition(". Say as an administrator of the database server ")
        assert reason == "cleio: this login may not make roles"
        await administer(server, *statements.split("; "))
        assert (await asyncio.to_thread(cleio, "migrate"))[0] == 0
    await administer(server, "DROP ROLE cleio_registry_callers, cleio_registry_public")
    async with (
        empty_postgresql(server, owner="makes_roles") as url,
        running_registry(url) as app,
        client_of(app) as public,
        client_of(app, token=ADMIN) as admin,
    ):
        await hide_one(app)
        assert (await public.get(f"/registry/v1/trials/{HIDDEN}")).status_code == 404
        assert HIDDEN not in await rows(app.state.database, "SELECT public_id FROM trials", PUBLIC)
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        answer = await admin.patch(f"/registry/v1/trials/{SHOWN}", content='{"acronym": "BY AN ORDINARY LOGIN"}', headers=headers)
        assert answer.status_code == 200, answer.text


async def test_a_login_that_the_wall_would_hide_rows_from_copies_nothing_rather_than_a_part(postgres: str, filled: str, tmp_path: Path) -> None:
    """Row-level security hides rows from who does not own them: a backup through such a login would be empty, and look whole."""
    async with empty_postgresql(postgres, template=filled) as url:
        await administer(postgres, "CREATE ROLE login_reader LOGIN")
        await administer(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO login_reader")
        reader = url.replace("postgres@", "login_reader@").replace("postgres:@", "login_reader:@")
        assert "login_reader" in reader
        code, said = await asyncio.to_thread(cleio, "db", "copy", "registry", "--from", reader, "--to", f"sqlite:///{tmp_path / 'part.db'}")
        assert code == 1
        assert "row-level security" in said.splitlines()[-1]
        await administer(url, "DROP OWNED BY login_reader", "DROP ROLE login_reader")


async def test_who_is_refused_waits_for_no_writer_and_takes_no_connection(database_url: str) -> None:
    async with running_registry(database_url) as app, client_of(app) as public, client_of(app, token="guess") as forger:
        path, headers = f"/registry/v1/trials/{SHOWN}", {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        # Somebody writes, and goes on writing: on SQLite the next writer would be told after two seconds that it is not its turn.
        async with app.state.database.transaction():
            assert [(await caller.patch(path, json={}, headers=headers)).status_code for caller in (public, forger)] == [401, 401]


@pytest.mark.full
async def test_what_the_wall_costs(registry: FastAPI, figure: Callable[[str, object], None]) -> None:
    """One short read, again and again: as the service itself, as the public (a role of its own), and as a caller who is told to the database."""
    statement = "SELECT document FROM trials WHERE public_id = 'NCT04626674'"
    for name, view in (("the service itself", None), ("the public", PUBLIC), ("a named caller", COORDINATION)):
        times = []
        for _ in range(500):
            began = perf_counter()
            assert len(await rows(registry.state.database, statement, view)) == 1
            times.append(perf_counter() - began)
        figure(f"row security: a read on PostgreSQL as {name}, median", f"{1000 * median(times):.2f} ms")
