"""Row-level security on a real PostgreSQL: a statement without any condition returns only permitted rows."""

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
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from services.registry.app import create_app
from services.registry.settings import RegistrySettings
from shared.access import Principal
from shared.access.policy import Access
from shared.access.views import view_of
from shared.feed import Change
from shared.feed.changes import NOT_VISIBLE, Routing
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.operations.service import create_service
from shared.persistence import Reading, Writing
from shared.persistence.rls_sessions import NO_ACCESS, RlsContext
from shared.settings import ServiceSettings
from shared.values.cursors import Cursors
from tests.conftest import ADMIN, CURSOR_KEY, INTERNAL, administer, client_of, empty_postgresql, installation_at
from tests.contract.registry import running_registry
from tests.contract.row_security import AT, COORDINATION, HIDDEN, PUBLIC, SHOWN, as_itself, hide_one, rows, rules_of

pytestmark = pytest.mark.anyio

OF_TRIALS = ("trial_aliases", "trial_versions", "criteria_versions", "sites")


@pytest.fixture(scope="module")
def filled(postgres: str) -> Iterator[str]:
    """The name of a database with the bundled sample, of which one trial is a draft; each test takes a copy."""
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


# The handlers under test: none has any condition.
router = APIRouter(prefix="/registry/v1", route_class=ApiRoute)


@router.get("/forgetful")
async def read_everything(
    connection: Reading, access: Annotated[Access, Depends(allow("trial", "read"))]
) -> dict[str, list[str]]:
    return {"seen": sorted((await connection.execute(text("SELECT public_id FROM trials"))).scalars())}


@router.get("/forgetful-elsewhere")
async def read_everything_beside(
    connection: Reading, access: Annotated[Access, Depends(allow("centre", "read"))]
) -> dict[str, list[str]]:
    return {"seen": sorted((await connection.execute(text("SELECT public_id FROM trials"))).scalars())}


@router.patch("/forgetful")
async def change_everything(
    connection: Writing, access: Annotated[Access, Depends(allow("centre", "read"))]
) -> dict[str, list[str]]:
    changed = await connection.execute(text("UPDATE trials SET demo = demo RETURNING public_id"))
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
async def test_a_handler_without_a_condition_returns_only_permitted_rows(forgetful: FastAPI, path: str) -> None:
    async with (
        client_of(forgetful) as public,
        client_of(forgetful, token=ADMIN) as admin,
        client_of(forgetful, token=INTERNAL) as service,
    ):
        everything = set((await admin.get(path)).json()["seen"])
        assert HIDDEN in everything
        assert set((await service.get(path)).json()["seen"]) == everything
        # A route may be public for every row of its own kind: it opens no other kind.
        assert set((await public.get(path)).json()["seen"]) == everything - {HIDDEN}


async def test_a_handler_without_a_condition_changes_only_permitted_rows(forgetful: FastAPI) -> None:
    async with (
        client_of(forgetful) as public,
        client_of(forgetful, token=INTERNAL) as service,
        client_of(forgetful, token=ADMIN) as admin,
    ):
        for reader in (public, service):
            assert (await reader.patch("/registry/v1/forgetful")).json() == {"seen": []}
        assert HIDDEN in (await admin.patch("/registry/v1/forgetful")).json()["seen"]


async def test_callers_that_alternate_never_see_rows_of_the_previous_one(forgetful: FastAPI) -> None:
    chance = random.Random(7)
    async with (
        client_of(forgetful) as public,
        client_of(forgetful, token=ADMIN) as admin,
        client_of(forgetful, token="guess") as forger,
    ):

        async def ask() -> None:
            caller = chance.choice([public, admin, forger])
            answer = await caller.get("/registry/v1/forgetful")
            if caller is forger:
                assert answer.status_code == 401
            else:
                assert (HIDDEN in answer.json()["seen"]) == (caller is admin)

        for _ in range(6):
            await asyncio.gather(*(ask() for _ in range(20)))


SEEN: Mapping[str, tuple[RlsContext, Callable[[bool], bool]]] = {
    "the public": (PUBLIC, lambda published: published),
    "another organisation": (RlsContext(frozenset({"trial.read.published"}), "elsewhere"), lambda published: published),
    "its own, which no trial is yet": (
        RlsContext(frozenset({"trial.read.own"}), "elsewhere"),
        lambda _published: False,
    ),
    "all": (RlsContext(frozenset({"trial.read.all"}), "local"), lambda _published: True),
    "a caller with other rights": (
        RlsContext(frozenset({"subscription.read.own", "centre.read.all"}), "elsewhere"),
        lambda _published: False,
    ),
    "no access": (NO_ACCESS, lambda _published: False),
}


async def test_the_rows_of_trials_and_their_related_tables(registry: FastAPI) -> None:
    database = registry.state.database
    every = dict.fromkeys(await rows(database, "SELECT key FROM trials WHERE published", None), True)
    every |= dict.fromkeys(await rows(database, "SELECT key FROM trials WHERE NOT published", None), False)
    stored = {table: set(await rows(database, f"SELECT trial_key FROM {table}", None)) for table in OF_TRIALS}
    drafts = {key for key, published in every.items() if not published}
    assert all(drafts <= keys for keys in stored.values())
    for caller, (view, sees) in SEEN.items():
        expected = {key for key, published in every.items() if sees(published)}
        assert set(await rows(database, "SELECT key FROM trials", view)) == expected, caller
        for table, keys in stored.items():
            assert set(await rows(database, f"SELECT trial_key FROM {table}", view)) == keys & expected, (caller, table)


async def test_a_context_allows_no_more_than_policy_and_token() -> None:
    writer = Principal(
        "coordination",
        organisation="coordination",
        roles=frozenset({"admin", "editor"}),
        scopes=frozenset({"trial.write"}),
    )
    view = view_of(writer)
    assert {"trial.write.all", "trial.read.published", "feed.read.published"} <= view.grants
    assert not {
        grant
        for grant in view.grants
        if grant.startswith(("organisation.write", "client.", "audit.", "subscription.write"))
    }
    # A caller that reads the feed as the public does belongs to no internal audience.
    assert view.audiences == {"public", "organisation:coordination"}
    assert view_of(Principal("hospital", organisation="a", centre="fr-a")).centre == "fr-a"
    assert view_of(None) is NO_ACCESS


async def test_without_a_context_nothing_is_visible(registry: FastAPI) -> None:
    database = registry.state.database

    async def shown(table: str, *, in_request: bool) -> int:
        statement = f"SELECT count(*) FROM {table}"
        try:
            if in_request:
                return (await rows(database, statement, NO_ACCESS))[0]
            async with database.rls.callers.connect() as connection:
                return (await connection.execute(text(statement))).scalar_one()
        except DBAPIError as error:
            if "permission denied" in str(error):
                return 0
            raise

    for name, rule in rules_of("registry").items():
        for in_request in (True, False):
            assert bool(await shown(name, in_request=in_request)) == (rule.read == "true"), name


async def test_a_context_ends_with_its_transaction_and_reset_does_not_restore_the_role(registry: FastAPI) -> None:
    rls = registry.state.database.rls
    async with rls.callers.connect() as connection:
        backend = "SELECT pg_backend_pid()"
        first = (await connection.execute(text(backend))).scalar_one()
        await rls.set_context(connection, COORDINATION, reading=True)
        assert HIDDEN in set((await connection.execute(text("SELECT public_id FROM trials"))).scalars())
    async with rls.callers.connect() as connection:
        assert (await connection.execute(text(backend))).scalar_one() == first
        for statement in ("SELECT 1", "RESET ROLE", "RESET ALL"):
            await connection.execute(text(statement))
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "cleio_registry_callers"
            assert list((await connection.execute(text("SELECT public_id FROM trials"))).scalars()) == []


async def test_the_public_role_writes_nothing_and_reads_no_audit_log(registry: FastAPI) -> None:
    async with registry.state.database.rls.public.connect() as connection:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("UPDATE trials SET demo = demo"))
        await connection.rollback()
        await connection.execute(text("SET TRANSACTION READ WRITE"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text("UPDATE trials SET demo = demo"))
        await connection.rollback()
        for table in ("audit_entries", "audit_seals", "source_records"):
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(text(f"SELECT * FROM {table}"))
            await connection.rollback()


async def test_versions_and_the_audit_log_cannot_be_changed_even_with_write_rights(registry: FastAPI) -> None:
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
    # The right to write does not include reading the audit log.
    assert await rows(registry.state.database, "SELECT number FROM audit_entries", COORDINATION) == []


def change(subject: str, before: Routing, after: Routing) -> Change:
    return Change("trial.updated", subject, 1, before, after)


async def test_feed_entries_are_visible_by_audience_before_and_after(registry: FastAPI) -> None:
    database, feed = registry.state.database, importlib.import_module("services.registry.schema").FEED
    public, inside, one = (Routing(frozenset({audience})) for audience in ("public", "coordination", "organisation:a"))
    async with database.transaction() as connection:
        await feed.append(
            connection,
            [
                change("seen", NOT_VISIBLE, public),
                change("secret", NOT_VISIBLE, inside),
                change("withdrawn", public, inside),
                change("of-one", inside, one),
            ],
        )
    statement = (
        "SELECT subject FROM feed_entries WHERE type = 'trial.updated' AND version = 1 AND subject NOT LIKE 'trial/%'"
    )
    reads = frozenset({"feed.read.published"})
    assert set(await rows(database, statement, PUBLIC)) == {"seen", "withdrawn"}
    assert set(
        await rows(database, statement, RlsContext(reads, "a", audiences=frozenset({"public", "organisation:a"})))
    ) == {
        "seen",
        "withdrawn",
        "of-one",
    }
    assert set(
        await rows(database, statement, RlsContext(reads, "b", audiences=frozenset({"public", "organisation:b"})))
    ) == {"seen", "withdrawn"}
    assert (
        set(await rows(database, statement, RlsContext(reads, "b", audiences=frozenset({"organisation", "a"}))))
        == set()
    )
    assert set(await rows(database, statement, COORDINATION)) == {"seen", "secret", "withdrawn", "of-one"}


async def test_a_reader_of_the_feed_moves_past_hidden_entries(registry: FastAPI) -> None:
    database, feed = registry.state.database, importlib.import_module("services.registry.schema").FEED
    hidden = Routing(frozenset({"coordination"}))
    async with database.transaction() as connection:
        last = await feed.append(connection, [change(f"secret/{number}", NOT_VISIBLE, hidden) for number in range(5)])
    async with client_of(registry) as public:
        answer = await public.get("/registry/v1/feed?limit=1000")
    assert not [event for event in answer.json() if event["subject"].startswith("secret/")]
    cursor = answer.links["next"]["url"].partition("cursor=")[2].partition("&")[0]
    assert Cursors(base64.b64decode(CURSOR_KEY)).open("feed:registry", cursor) == [1, last]


# The tables with rows of an organisation, and the right to read them.
OF_ORGANISATIONS = {
    "SELECT id FROM organisations": "organisation.read",
    "SELECT organisation FROM clients": "client.read",
    "SELECT organisation FROM members": "member.read",
    "SELECT organisation FROM audit_entries WHERE request_id = 'of-this-test'": "audit.read",
}


async def test_organisations_their_clients_members_and_audit_entries(registry: FastAPI) -> None:
    database = registry.state.database
    for number, name in enumerate(("mine", "theirs"), 1):
        await as_itself(
            database,
            f"INSERT INTO organisations VALUES ('{name}', 'hospital', '{name}', NULL, 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO clients"
            " (id, organisation, name, method, audience, scopes, roles, status, version, created_at, updated_at)"
            f" VALUES ('{name}', '{name}', '{name}', 'api_key', 'issuer', '[]', '[]', 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO members (id, organisation, issuer, subject, roles, status, version, created_at, updated_at)"
            f" VALUES ('{name}', '{name}', 'https://idp.example', '{name}', '[]', 'active', 1, '{AT}', '{AT}')",
            "INSERT INTO audit_entries"
            " (number, at, request_id, principal, organisation, outcome, resource, method, route, status, count)"
            f" VALUES ({1000 + number}, '{AT}', 'of-this-test', 'hospital', '{name}',"
            " 'read', 'trial', 'GET', '/x', 200, 1)",
            "INSERT INTO idempotency_keys (id, organisation, route, fingerprint, claim, until)"
            # Not expired: the service deletes expired keys meanwhile.
            f" VALUES ('{name}', '{name}', 'POST /x', 'f', 'c', '2126-01-01T00:00:00.000000Z')",
        )
    for statement, right in OF_ORGANISATIONS.items():
        every = set(await rows(database, statement, None))
        assert every >= {"mine", "theirs"}
        for view, seen in (
            (RlsContext(frozenset({f"{right}.own"}), "mine"), {"mine"}),
            (RlsContext(frozenset({f"{right}.own"}), "somebody"), set()),
            (RlsContext(frozenset({f"{right}.all"}), "mine"), every),
            (RlsContext(frozenset({"trial.read.all", "subscription.read.own"}), "mine"), set()),
            (NO_ACCESS, set()),
        ):
            assert set(await rows(database, statement, view)) == seen, (statement, view)
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(database, statement, PUBLIC)
    for kind in ("client", "member"):
        mine = RlsContext(frozenset({f"{kind}.read.own", f"{kind}.write.own"}), "mine")
        assert await rows(database, f"UPDATE {kind}s SET status = 'revoked' RETURNING id", mine, writing=True) == [
            "mine"
        ]
        with pytest.raises(DBAPIError, match="row-level security"):
            await rows(database, f"UPDATE {kind}s SET organisation = 'theirs' RETURNING id", mine, writing=True)
    assert await rows(database, "SELECT id FROM idempotency_keys", RlsContext(frozenset(), "mine")) == ["mine"]
    for table in ("signing_keys", "used_assertions", "audit_seals"):
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(database, f"SELECT * FROM {table}", COORDINATION)


async def test_a_refused_caller_waits_for_no_writer_and_takes_no_connection(database_url: str) -> None:
    async with running_registry(database_url) as app, client_of(app) as public, client_of(app, token="guess") as forger:
        path, headers = (
            f"/registry/v1/trials/{SHOWN}",
            {"Content-Type": "application/merge-patch+json", "If-Match": "*"},
        )
        # A writer stays in its transaction: on SQLite the next writer would get an error after two seconds.
        async with app.state.database.transaction():
            assert [
                (await caller.patch(path, json={}, headers=headers)).status_code for caller in (public, forger)
            ] == [401, 401]


@pytest.mark.full
@pytest.mark.alone
async def test_the_cost_of_row_level_security(registry: FastAPI, figure: Callable[[str, object], None]) -> None:
    """Repeat one short read: as the service, as the public (a separate role), and as a caller whose context is set."""
    statement = "SELECT document FROM trials WHERE public_id = 'NCT04626674'"
    for name, view in (("the service itself", None), ("the public", PUBLIC), ("a named caller", COORDINATION)):
        times = []
        for _ in range(500):
            began = perf_counter()
            assert len(await rows(registry.state.database, statement, view)) == 1
            times.append(perf_counter() - began)
        figure(f"row security: a read on PostgreSQL as {name}, median", f"{1000 * median(times):.2f} ms")
