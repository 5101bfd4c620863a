"""Row-level security as an operator sets it up: with an ordinary login, on every table, and no start without it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app as command_line
from services.cli.databases import metadata_of, upgrade_at
from services.registry.app import create_app
from services.registry.settings import RegistrySettings
from shared.persistence import RowLevelSecurityError, open_database
from tests.conftest import ADMIN, administer, client_of, empty_postgresql, started_postgres
from tests.contract.registry import running_registry
from tests.contract.row_security import HIDDEN, PUBLIC, SHOWN, as_itself, hide_one, rows, rules_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("service", ["registry", "notifications"])
async def test_every_table_has_row_level_security(postgresql_url: str, service: str) -> None:
    assert {one for one in rules_of(service) if not one.startswith("search_")} == metadata_of(service).tables.keys(), (
        "a new table needs its rule (shared.persistence.rls_policies)"
    )
    await upgrade_at(service, postgresql_url)
    database = open_database(postgresql_url, service=service)
    await database.check_row_level_security()
    await as_itself(database, "CREATE TABLE forgotten (id int)")
    with pytest.raises(RowLevelSecurityError, match="forgotten"):
        await database.check_row_level_security()
    await database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A separate server: roles belong to a server, and other tests need them."""
    with started_postgres() as url:
        yield url


async def test_a_service_does_not_start_with_roles_that_bypass_row_level_security(server: str) -> None:
    async with empty_postgresql(server) as url:
        await upgrade_at("registry", url)
        await administer(url, "ALTER ROLE cleio_registry_public BYPASSRLS")
        app = create_app(RegistrySettings(database_url=url))
        with pytest.raises(RowLevelSecurityError, match="cleio_registry_public"):
            async with app.router.lifespan_context(app):
                pass
        await administer(url, "ALTER ROLE cleio_registry_public NOBYPASSRLS")


def cleio(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


async def test_an_ordinary_login_is_enough(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It owns only its database. It creates the roles itself, or reports what an administrator must create."""
    await administer(server, "CREATE ROLE makes_roles LOGIN CREATEROLE", "CREATE ROLE makes_none LOGIN")
    async with empty_postgresql(server, owner="makes_none") as url:
        monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)
        code, said = await asyncio.to_thread(cleio, "migrate")
        assert code == 1
        reason, _, statements = said.splitlines()[-1].partition(". Run as an administrator of the database server: ")
        assert reason == "cleio: this login cannot create roles"
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
        answer = await admin.patch(
            f"/registry/v1/trials/{SHOWN}", content='{"acronym": "BY AN ORDINARY LOGIN"}', headers=headers
        )
        assert answer.status_code == 200, answer.text


async def test_a_copy_is_refused_if_row_level_security_would_hide_rows(server: str, tmp_path: Path) -> None:
    """Row-level security hides rows from logins that do not own them: a backup would be empty and look complete."""
    async with empty_postgresql(server) as url:
        await upgrade_at("registry", url)
        await administer(url, "CREATE ROLE login_reader LOGIN")
        await administer(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO login_reader")
        reader = url.replace("postgres@", "login_reader@").replace("postgres:@", "login_reader:@")
        assert "login_reader" in reader
        code, said = await asyncio.to_thread(
            cleio, "db", "copy", "registry", "--from", reader, "--to", f"sqlite:///{tmp_path / 'part.db'}"
        )
        assert code == 1
        assert "row-level security" in said.splitlines()[-1]
        await administer(url, "DROP OWNED BY login_reader", "DROP ROLE login_reader")
