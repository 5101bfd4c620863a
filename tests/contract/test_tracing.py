"""Traces cost nothing without a collector, and a collector that fails or hangs affects no request."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import pytest

from shared.tracing import spans, start_export, stop_export, working
from tests.collector import running_collector
from tests.contract.processes import ROOT, ServiceProcess

WITHOUT = """
import json, sys
from services.registry.app import create_app
from shared.tracing import start_export
create_app()
start_export("registry", "")
unwanted = ("opentelemetry.sdk", "opentelemetry.exporter", "requests", "google.protobuf")
print(json.dumps([name for name in sys.modules if name.startswith(unwanted)]))
"""


def test_without_an_endpoint_the_sdk_is_not_loaded() -> None:
    loaded = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(loaded.stdout) == []


@pytest.mark.parametrize("collector", ["refusing", "silent"])
@pytest.mark.anyio
async def test_a_failing_collector_affects_no_request_and_no_stop(
    tmp_path: Path, collector: str, figure: Callable[[str, object], None]
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if collector == "silent":
            listener.listen(1)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        queue = {"OTEL_BSP_MAX_QUEUE_SIZE": "50", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "20"}
        service = ServiceProcess(tmp_path, sample=False, CLEIO_OTLP_ENDPOINT=address, **queue)
        try:
            async with service.admin() as admin:
                # Three times the capacity of the queue.
                assert {(await admin.get("/registry/v1/nowhere")).status_code for _ in range(150)} == {404}
        finally:
            started = perf_counter()
            service.stop()
            figure(f"traces: stop with a {collector} collector, s", round(perf_counter() - started, 2))


@pytest.mark.anyio
async def test_an_unlisted_attribute_is_dropped_and_a_failure_records_only_its_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=told")
    with running_collector() as collector:
        start_export("registry", collector.url + "/")
        try:
            with suppress(ValueError), working("step") as attributes:
                attributes.update({"patient.name": "told", "http.response.status_code": 500})
                raise ValueError("told")
            with working("other") as attributes:
                attributes["error.type"] = "x" * 1_000
        finally:
            await stop_export()
        assert spans._Process.export is None
        failed, long = sorted(collector.spans(), key=lambda one: one.name, reverse=True)
        assert failed.attributes == {"http.response.status_code": 500, "error.type": "ValueError"}
        assert (failed.failed, failed.events, len(long.attributes["error.type"])) == (True, 0, 100)
        assert b"told" not in b"".join(collector.bodies)
