"""Generated requests over each service's own OpenAPI document, against the real process on SQLite with the sample: no finding of any check."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ADMIN
from tests.contract.processes import ServiceProcess

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
# From here on a limit is one of all bodies (tests/unit/shared/test_edge_limits.py), and generating bodies of that size is only slow.
GENERAL_STRING, GENERAL_ARRAY = 8_000, 1_000


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServiceProcess]]:
    folder = tmp_path_factory.mktemp("fuzz")
    registry = ServiceProcess(folder / "registry", "registry")
    running = {"registry": registry}
    try:
        for name in ("matching", "notifications"):
            running[name] = ServiceProcess(folder / name, name, CLEIO_REGISTRY_URL=registry.url, CLEIO_OUTBOUND_DEV_HOSTS="127.0.0.0/8")
        yield running
    finally:
        for process in running.values():
            process.kill()


def without_general_limits(value: Any) -> Any:
    if isinstance(value, list):
        return [without_general_limits(one) for one in value]
    if not isinstance(value, dict):
        return value
    ends = {"maxLength": GENERAL_STRING, "maxItems": GENERAL_ARRAY}
    return {name: without_general_limits(one) for name, one in value.items() if not (name in ends and isinstance(one, int) and one >= ends[name])}


def document_of(service: str) -> dict[str, Any]:
    document: dict[str, Any] = without_general_limits(json.loads((ROOT / "docs" / "openapi" / f"{service}.json").read_text(encoding="utf-8")))
    for path in document["paths"].values():
        for method, operation in list(path.items()):
            # Nobody can make up a cursor: it is told by the page before.
            operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] != "cursor"]
            if "application/x-ndjson" in operation.get("requestBody", {}).get("content", {}):
                del path[method]  # records of others, line by line: tests/contract/test_sources.py
    return document


@pytest.mark.parametrize("service", ["registry", "matching", "notifications"])
@pytest.mark.parametrize(
    ("caller", "phases", "examples"),
    [
        ("administrator", "fuzzing", 2),
        pytest.param("administrator", "coverage,fuzzing,stateful", 100, marks=pytest.mark.full),
        pytest.param("public", "coverage,fuzzing", 50, marks=pytest.mark.full),
    ],
)
def test_no_request_is_answered_against_the_document(
    installation: dict[str, ServiceProcess], tmp_path: Path, service: str, caller: str, phases: str, examples: int
) -> None:
    file = tmp_path / f"{service}.json"
    file.write_text(json.dumps(document_of(service)), encoding="utf-8")
    token = ["--header", f"Authorization: Bearer {ADMIN}"] if caller == "administrator" else []
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(file), "--url", installation[service].url]
    options = ["--phases", phases, "--max-examples", str(examples), "--seed", "1", "--generation-deterministic", "--no-color"]
    result = subprocess.run([*command, *options, *token], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=3_000)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
