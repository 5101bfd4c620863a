"""What the tests of notifications share: a feed, a migrated database, the running service and a receiver."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.notifications import Notifications, Receiver, Source, migrate, running_notifications, running_receiver, running_source


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
