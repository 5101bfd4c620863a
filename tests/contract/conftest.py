"""Fixtures for contract tests: the registry, matching and notifications services, a feed, a receiver and a network."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from tests.conftest import ADMIN, client_of, install, new_database
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
async def migrated(database_url: str) -> str:
    await migrate(database_url)
    return database_url


@pytest.fixture
async def service(migrated: str, source: Source) -> AsyncIterator[Notifications]:
    async with running_notifications(migrated, source) as service:
        yield service


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stocked_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of a registry with the sample, not in use: to be copied."""
    folder = tmp_path_factory.mktemp("stocked")
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as apart:
        install(patch, folder / "var")
        apart.submit(asyncio.run, stock(f"sqlite:///{folder / 'registry.db'}")).result()
    return folder / "registry.db"


@pytest.fixture(scope="session")
def stocked_database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with the sample, to be copied."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as apart, new_database(postgres) as url:
        install(patch, tmp_path_factory.mktemp("stocked"))
        apart.submit(asyncio.run, stock(url)).result()
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def stocked_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a registry's database with the sample, of each kind: copied, because creating it takes a second."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("stocked_file"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
    else:
        with new_database(request.getfixturevalue("postgres"), request.getfixturevalue("stocked_database")) as url:
            yield url


async def stock(url: str) -> None:
    async with running_registry(url):
        pass


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """One registry for all tests of a module, on each kind of database; each test creates its own organisations."""
    folder = tmp_path_factory.mktemp("network")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder / "var")
        if request.param == "sqlite":
            shutil.copyfile(request.getfixturevalue("stocked_file"), folder / "registry.db")
            async with running_network(f"sqlite:///{folder / 'registry.db'}") as network:
                yield network
        else:
            with new_database(request.getfixturevalue("postgres"), request.getfixturevalue("stocked_database")) as url:
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
async def public(matching: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(matching) as client:
        yield client


@pytest.fixture
async def curator(registry: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(registry, token=ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
async def standing_line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """A client of one registry for a module whose tests change nothing in it."""
    folder = tmp_path_factory.mktemp("standing")
    with pytest.MonkeyPatch.context() as environment:
        install(environment, folder / "var")
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
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder / "var")
        shutil.copyfile(stocked_file, folder / "registry.db")
        async with running_services(f"sqlite:///{folder / 'registry.db'}", folder) as services:
            yield services
