"""Generated requests for the OpenAPI document of each service, sent to the real process on SQLite with the sample.

Each push runs a smoke test of the two small documents. The long version tests all, and varies callers and phases.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.http.openapi import describe
from tests.conftest import ADMIN, INTERNAL, token_of
from tests.contract.processes import ServiceProcess

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("fuzz_hooks.py")
SCHEMA = "#/components/schemas/"
# Larger limits apply to all bodies and have their own test; generating bodies of that size is slow.
GENERAL_STRING, GENERAL_ARRAY = 8_000, 1_000
# Depth of nested expressions when every form of every value is tried: each level multiplies the requests.
LEVELS = 2
SERVICES = ("registry", "matching", "notifications")
CALLERS = {
    "administrator": ADMIN,
    "hospital": token_of("hospital", "admin", "editor"),
    "service": INTERNAL,
    "public": None,
}
SMOKE = 2  # requests for each operation
FULL = [
    ("administrator", "coverage", 100),
    ("administrator", "fuzzing,stateful", 100),
    ("hospital", "fuzzing", 50),
    ("public", "coverage", 50),
    ("public", "fuzzing", 50),
    ("service", "fuzzing", 20),
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServiceProcess]]:
    folder = tmp_path_factory.mktemp("fuzz")
    registry = ServiceProcess(folder / "registry", "registry")
    running = {"registry": registry}
    try:
        for name in ("matching", "notifications"):
            running[name] = ServiceProcess(
                folder / name, name, CLEIO_REGISTRY_URL=registry.url, CLEIO_OUTBOUND_DEV_HOSTS="127.0.0.0/8"
            )
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
    return {
        name: without_general_limits(one)
        for name, one in value.items()
        if not (name in ends and isinstance(one, int) and one >= ends[name])
    }


def document_of(service: str) -> dict[str, Any]:
    document: dict[str, Any] = without_general_limits(
        describe(importlib.import_module(f"services.{service}.app").create_app(), internal=True)
    )
    for path in document["paths"].values():
        for method, operation in list(path.items()):
            # A cursor cannot be generated: it comes from the previous page.
            operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] != "cursor"]
            if "application/x-ndjson" in operation.get("requestBody", {}).get("content", {}):
                del path[method]  # lines of source records: tests/contract/test_sources.py
    return document


def unroll_requests(document: dict[str, Any]) -> None:
    """Make the schemas of requests finite.

    An expression has all its forms; one nested in it goes on or is the last leaf; LEVELS deep it is that leaf.
    """
    schemas = document["components"]["schemas"]
    reached = {name: reached_from(name, schemas) for name in schemas}
    endless = {name for name in schemas if name in reached[name]}
    concerned = {name for name in schemas if endless & {name, *reached[name]}}

    def unrolled(value: Any, level: int) -> Any:
        if isinstance(value, list):
            return [unrolled(one, level) for one in value]
        if not isinstance(value, dict):
            return value
        name = name_of(value)
        if name not in concerned:
            return {key: unrolled(one, level) for key, one in value.items()}
        copy = f"{name}.{level}"
        if copy not in schemas:
            schemas[copy] = {}
            forms = schemas[name].get("anyOf") if name in endless else None
            if forms is None:
                schemas[copy] = unrolled(schemas[name], level)
            else:
                nested = [form for form in forms if name_of(form) in endless]
                kept = forms if level == 0 else [*nested, forms[-1]] if level < LEVELS else [forms[-1]]
                schemas[copy] = {"anyOf": unrolled(kept, level + 1)}
        return {"$ref": SCHEMA + copy}

    for path in document["paths"].values():
        for operation in path.values():
            operation["requestBody"] = unrolled(operation.get("requestBody"), 0)
            if operation["requestBody"] is None:
                del operation["requestBody"]


def reached_from(name: str, schemas: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that this one refers to, directly or through others."""
    found: set[str] = set()
    pending: list[Any] = [schemas[name]]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            if (other := name_of(value)) in schemas and other not in found:
                found.add(other)
                pending.append(schemas[other])
            pending += value.values()
    return found


def name_of(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(SCHEMA)


@pytest.mark.parametrize(
    ("service", "caller", "phases", "examples"),
    [
        ("matching", "administrator", "fuzzing", SMOKE),
        ("notifications", "administrator", "fuzzing", SMOKE),
        *(pytest.param(service, *one, marks=pytest.mark.full) for one in FULL for service in SERVICES),
    ],
)
def test_no_answer_contradicts_the_document(
    installation: dict[str, ServiceProcess],
    tmp_path: Path,
    figure: Callable[[str, object], None],
    service: str,
    caller: str,
    phases: str,
    examples: int,
) -> None:
    document = document_of(service)
    if "coverage" in phases:
        unroll_requests(document)
    file, report_file = tmp_path / f"{service}.json", tmp_path / "report.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    token = CALLERS[caller]
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(CONFIG),
        "run",
        str(file),
        "--url",
        installation[service].url,
    ]
    options = [
        "--phases",
        phases,
        "--max-examples",
        str(examples),
        "--seed",
        "1",
        "--generation-deterministic",
        "--no-color",
    ]
    options += [
        "--report",
        "json",
        "--report-json-path",
        str(report_file),
        *(["--header", f"Authorization: Bearer {token}"] if token else []),
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)}
    result = subprocess.run(
        [*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=3_000
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
    report = json.loads(report_file.read_text(encoding="utf-8"))
    operations = sum(len(path) for path in document["paths"].values())
    assert report["complete"]
    assert report["operations"]["tested"] == operations
    accepted = sum(rate["accepted"] for phase in report["valid_rates"].values() for rate in phase.values())
    assert accepted or caller == "public", "every request of this caller was refused"
    cases, seconds = report["test_cases"]["generated"], report["running_time"]
    figure(
        f"generated requests to {service}, {caller}, {phases}",
        f"{operations} operations, {cases} requests, {accepted} valid ones accepted, {seconds:.0f} s",
    )
