"""What several modules share: a registry with a matching service that copies it; a feed, a notifications service and a receiver."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import ADMIN, client_of, own_installation
from tests.contract.matching import Line, running_matching, until_loaded
from tests.contract.notifications import Notifications, Receiver, Source, migrate, running_notifications, running_receiver, running_source
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


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[FastAPI]:
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
    """The way to one registry for a whole module, whose tests change nothing in it."""
    folder = tmp_path_factory.mktemp("standing")
    with pytest.MonkeyPatch.context() as environment:
        own_installation(environment, folder)
        async with running_registry(f"sqlite:///{folder / 'registry.db'}") as app:
            yield Line(app)


@pytest.fixture(scope="module")
async def standing_matching(standing_line: Line, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """One matching service for a whole module, whose tests only ask."""
    async with running_matching(standing_line, data_dir=tmp_path_factory.mktemp("standing")) as app:
        await until_loaded(app)
        yield app


@pytest.fixture
async def asked(standing_matching: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A caller on this machine of the service that stands."""
    async with client_of(standing_matching) as client:
        yield client
