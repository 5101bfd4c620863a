"""Fixtures for contract tests: the registry, matching and notifications services, a feed, a receiver and a network."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from tests.conftest import ADMIN, client_of, installation_at, new_database
from tests.contract.matching import Line, running_matching, until_loaded
from tests.contract.network import Network, Services, running_network, running_services
from tests.contract.notifications import (
    Notifications,
    Receiver,
    Source,
    migrate,
    running_notifications,
    running_receiver,
    running_source,
)
from tests.contract.registry import running_registry


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    async with running_source(tmp_path) as source:
        yield source


@pytest.fixture
async def service(migrated: str, source: Source) -> AsyncIterator[Notifications]:
    async with running_notifications(migrated, source) as service:
        yield service


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


async def stock(url: str) -> None:
    async with running_registry(url):
        pass


def made_once(folder: Path, url: str, fill: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    """Fill a database that is then only copied: tests need one each, and filling takes up to a second."""
    with installation_at(folder / "var"), ThreadPoolExecutor() as apart:
        apart.submit(asyncio.run, fill(url)).result()


@pytest.fixture(scope="session")
def stocked_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of a registry with the sample, not in use: to be copied."""
    folder = tmp_path_factory.mktemp("stocked")
    made_once(folder, f"sqlite:///{folder / 'registry.db'}", stock)
    return folder / "registry.db"


@pytest.fixture(scope="session")
def stocked_database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with the sample, to be copied."""
    with new_database(postgres) as url:
        made_once(tmp_path_factory.mktemp("stocked"), url, stock)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of notifications without rows, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    made_once(folder, f"sqlite:///{folder / 'notifications.db'}", migrate)
    return folder / "notifications.db"


@pytest.fixture(scope="session")
def migrated_database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database of notifications without rows, to be copied."""
    with new_database(postgres) as url:
        made_once(tmp_path_factory.mktemp("migrated"), url, migrate)
        yield str(make_url(url).database)


@contextmanager
def copied(request: pytest.FixtureRequest, name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a copy of the file or database ``name``, of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue(f"{name}_file"), folder / "test.db")
        yield f"sqlite:///{folder / 'test.db'}"
    else:
        with new_database(request.getfixturevalue("postgres"), request.getfixturevalue(f"{name}_database")) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def stocked_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a registry's database with the sample, of each kind."""
    with copied(request, "stocked", tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of notifications, of each kind."""
    with copied(request, "migrated", tmp_path) as url:
        yield url


@pytest.fixture
async def app(stocked_url: str) -> AsyncIterator[FastAPI]:
    """A registry with the sample, on each kind of database."""
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def public(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=ADMIN) as client:
        yield client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def standing_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """A registry with the sample, on each kind of database, for the tests of a module that change nothing in it."""
    folder = tmp_path_factory.mktemp("standing")
    with installation_at(folder / "var"), copied(request, "stocked", folder) as url:
        async with running_registry(url) as app:
            yield app


@pytest.fixture
async def reader(standing_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An anonymous client of the standing registry."""
    async with client_of(standing_app) as client:
        yield client


@pytest.fixture
async def refused_admin(standing_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the standing registry, who writes nothing that is accepted."""
    async with client_of(standing_app, token=ADMIN) as client:
        yield client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """One registry for all tests of a module, on each kind of database; each test creates its own organisations."""
    folder = tmp_path_factory.mktemp("network")
    with installation_at(folder / "var"), copied(request, "stocked", folder) as url:
        async with running_network(url) as network:
            yield network


@pytest.fixture
async def registry(stocked_file: Path, tmp_path: Path) -> AsyncIterator[FastAPI]:
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    async with running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as app:
        yield app


@pytest.fixture
def line(registry: FastAPI) -> Line:
    return Line(registry)


@pytest.fixture
async def matching(line: Line) -> AsyncIterator[FastAPI]:
    async with running_matching(line) as app:
        await until_loaded(app)
        yield app


@pytest.fixture
async def own_matching_client(matching: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(matching) as client:
        yield client


@pytest.fixture
async def curator(registry: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(registry, token=ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
async def standing_line(stocked_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """A client of one registry for a module whose tests change nothing in it."""
    folder = tmp_path_factory.mktemp("standing")
    shutil.copyfile(stocked_file, folder / "registry.db")
    with installation_at(folder / "var"):
        async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app:
            yield Line(app)


@pytest.fixture(scope="module")
async def standing_matching(standing_line: Line, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """One matching service for a module whose tests only read."""
    async with running_matching(standing_line, data_dir=tmp_path_factory.mktemp("standing")) as app:
        await until_loaded(app)
        yield app


@pytest.fixture
async def matching_client(standing_matching: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the shared matching service, on the same machine."""
    async with client_of(standing_matching) as client:
        yield client


@pytest.fixture(scope="module")
async def services(stocked_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """The three services, on SQLite, for all tests of a module."""
    folder = tmp_path_factory.mktemp("services")
    shutil.copyfile(stocked_file, folder / "registry.db")
    with installation_at(folder / "var"):
        async with running_services(f"sqlite:///{folder / 'registry.db'}", folder) as services:
            yield services
