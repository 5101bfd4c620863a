"""The figures that an operator watches, as Prometheus reads them."""

import re
from pathlib import Path

import pytest

from tests.conftest import client_of
from tests.contract.notifications import migrate, running_notifications, running_receiver, running_source, until
from tests.contract.registry import running_registry
from tests.contract.test_audit import running_matching

pytestmark = pytest.mark.anyio


async def figures(app: object) -> dict[str, float]:
    async with client_of(app) as client:
        text = (await client.get("/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^(cleio_\S+) (\S+)$", text, re.MULTILINE)}


async def test_each_service_tells_its_own_figures(tmp_path: Path) -> None:
    async with running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as registry, running_matching(registry) as matching:
        async with client_of(registry) as public:
            await public.get("/registry/v1/trials")
        told = await figures(registry)
        assert told['cleio_requests_total{method="GET",route="/registry/v1/trials",status="200"}'] == 1
        assert told["cleio_feed_position"] > 10
        assert not any(name.startswith(("cleio_queue", "cleio_snapshot")) for name in told)
        held = await figures(matching)
        assert 0 <= held["cleio_snapshot_age_seconds"] < 60
        assert held["cleio_snapshot_trials"] > 10


async def test_what_waits_is_counted_and_timed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    await migrate(url)
    async with (
        running_source(tmp_path) as source,
        running_receiver() as receiver,
        running_notifications(url, source, retry_seconds=(0, 60)) as service,
    ):
        assert (await figures(service.app))["cleio_oldest_unsent_seconds"] == 0
        receiver.script = [500]
        await service.subscribe(receiver)
        await source.tell()
        await until(lambda: receiver.received)

        async def waits() -> bool:
            return (await figures(service.app))["cleio_queue_depth"] == 1

        await until(waits)
        told = await figures(service.app)
        assert told['cleio_feed_lag_seconds{feed="registry"}'] >= 0
        assert told['cleio_feed_read_seconds{feed="registry"}'] >= 0
