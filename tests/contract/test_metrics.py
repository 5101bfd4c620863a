"""The metrics of the services, as Prometheus reads them."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.contract.notifications import migrate, running_notifications, running_receiver, running_source, until
from tests.contract.registry import running_registry
from tests.contract.test_audit import running_matching

pytestmark = pytest.mark.anyio


ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "cleio.json").read_text(encoding="utf-8"))
FIGURE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


async def exposed(app: object) -> list[tuple[str, str, str]]:
    """Return name, labels and value of each line."""
    async with client_of(app) as client:
        return FIGURE.findall((await client.get("/metrics")).text)


async def figures(app: object) -> dict[str, float]:
    return {f"{name}{{{labels}}}" if labels else name: float(value) for name, labels, value in await exposed(app)}


@asynccontextmanager
async def running_all(folder: Path) -> AsyncIterator[list[FastAPI]]:
    """The three services, after a change that was delivered."""
    url = f"sqlite:///{folder / 'notifications.db'}"
    await migrate(url)
    async with AsyncExitStack() as stack:
        registry = await stack.enter_async_context(running_registry(f"sqlite:///{folder / 'registry.db'}"))
        matching = await stack.enter_async_context(running_matching(registry))
        source = await stack.enter_async_context(running_source(folder))
        receiver = await stack.enter_async_context(running_receiver())
        service = await stack.enter_async_context(running_notifications(url, source))
        subscription = await service.subscribe(receiver)
        await source.publish_trial()
        await service.delivered(subscription, 1)
        yield [registry, matching, service.app]


async def test_each_service_has_its_own_metrics(tmp_path: Path) -> None:
    async with (
        running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as registry,
        running_matching(registry) as matching,
    ):
        async with client_of(registry) as public:
            await public.get("/registry/v1/trials")
        values = await figures(registry)
        assert values['cleio_requests_total{method="GET",route="/registry/v1/trials",status="200"}'] == 1
        assert values["cleio_feed_position"] > 10
        assert not any(name.startswith(("cleio_queue", "cleio_snapshot")) for name in values)
        of_matching = await figures(matching)
        assert 0 <= of_matching["cleio_snapshot_age_seconds"] < 60
        assert of_matching["cleio_snapshot_trials"] > 10


async def test_waiting_deliveries_are_counted_and_timed(tmp_path: Path) -> None:
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
        await source.publish_trial()
        await until(lambda: receiver.received)

        async def waits() -> bool:
            return (await figures(service.app))["cleio_queue_depth"] == 1

        await until(waits)
        values = await figures(service.app)
        assert values['cleio_feed_lag_seconds{feed="registry"}'] >= 0
        assert values['cleio_feed_read_seconds{feed="registry"}'] >= 0


async def test_the_dashboard_uses_existing_metrics_and_all_of_ours(tmp_path: Path) -> None:
    exposed_labels: dict[str, set[str]] = {}
    async with running_all(tmp_path) as apps:
        for app in apps:
            for name, labels, _ in await exposed(app):
                # Labels that Prometheus adds, and all labels of ours.
                exposed_labels.setdefault(name, {"job", "instance"}).update(re.findall(r"([a-z_]+)=", labels))
    used: dict[str, set[str]] = {}
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"\b(?:cleio|process)_[a-z_]+", target["expr"])
            assert names, panel["title"]
            grouped = [label for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(", ")]
            chosen = re.findall(r"\{([a-z]+)[=!]", target["expr"]) + re.findall(
                r"\{\{([a-z]+)\}\}", target["legendFormat"]
            )
            for name in names:
                used.setdefault(name, set()).update(grouped, chosen)
    assert {name: labels for name, labels in used.items() if not labels <= exposed_labels.get(name, set())} == {}
    figures_of_ours = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for name in exposed_labels
        if name.startswith("cleio_") and not name.endswith("_created")
    }
    assert {re.sub(r"_bucket$", "", name) for name in used if name.startswith("cleio_")} == figures_of_ours


async def test_the_process_has_metrics_of_its_load_and_version(tmp_path: Path) -> None:
    async with running_registry(f"sqlite:///{tmp_path / 'registry.db'}", sample=False) as registry:
        values = await figures(registry)
        assert values["process_resident_memory_bytes"] > 10_000_000
        assert values["process_cpu_seconds_total"] > 0
        assert 0 < values["process_open_fds"] < values["process_max_fds"]
        [build] = [name for name in values if name.startswith("cleio_build_info")]
        assert re.search(r'version="[0-9]+\.[0-9]+', build)

        async def watched() -> bool:
            return (await figures(registry))["cleio_event_loop_delay_seconds_count"] >= 1

        await until(watched)


async def test_a_caller_cannot_add_metrics(tmp_path: Path) -> None:
    async with (
        running_registry(f"sqlite:///{tmp_path / 'registry.db'}", sample=False) as registry,
        client_of(registry) as public,
    ):

        async def call(number: int) -> None:
            await public.request(f"ODD{number}", "/registry/v1/trials")
            await public.request(f"ODD{number}", f"/nowhere/{number}")
            await public.get(f"/nowhere/{number}?x={number}", headers={"X-Request-Id": f"{number}" * 10})
            await public.get(f"/registry/v1/trials/NCT{number:08}")

        await call(0)
        await figures(registry)  # this is a call too
        before = (await figures(registry)).keys()
        for number in range(1, 20):
            await call(number)
        after = await figures(registry)
        assert after.keys() == before
        assert after['cleio_requests_total{method="GET",route="unknown",status="404"}'] == 20
        assert after['cleio_requests_total{method="OTHER",route="/registry/v1/trials",status="405"}'] == 20
