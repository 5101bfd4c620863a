"""The report of breaking API changes names each change that would break a client, and no addition."""

# ruff: noqa: E501 - a table with one case a line

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tools import openapi_changes
from tests.tools.openapi_changes import breaking_changes, without_texts

GONE = object()
SCHEMAS = ("components", "schemas")
SUBSCRIPTIONS, SUBSCRIPTION = (("paths", f"/notifications/v1/subscriptions{more}") for more in ("", "/{subscription}"))
CREATE, LIST = (*SUBSCRIPTIONS, "post"), (*SUBSCRIPTIONS, "get")
INPUT, OUTPUT, URL = (
    (*SCHEMAS, "SubscriptionInput"),
    (*SCHEMAS, "Subscription"),
    (*SCHEMAS, "WebhookChannel", "properties", "url"),
)
CRITERIA = (*SCHEMAS, "Expression", "anyOf")


def document(service: str) -> dict[str, Any]:
    return json.loads((openapi_changes.ROOT / "docs" / "openapi" / f"{service}.json").read_text(encoding="utf-8"))


def changed(released: dict[str, Any], place: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Return the document with this value in this place, or without the place; after a list's last element it is
    appended.
    """
    present = copy.deepcopy(released)
    holder: Any = present
    for name in place[:-1]:
        holder = holder[name]
    if value is GONE:
        del holder[place[-1]]
    elif isinstance(holder, list) and place[-1] == len(holder):
        holder.append(value)
    else:
        holder[place[-1]] = value
    return present


BREAKING = [
    ("notifications", SUBSCRIPTIONS, GONE, "POST /notifications/v1/subscriptions removed"),
    ("notifications", CREATE, GONE, "POST /notifications/v1/subscriptions removed"),
    ("notifications", (*CREATE, "operationId"), "subscribe", "operationId: create_subscription is now subscribe"),
    ("notifications", (*CREATE, "security"), [{"internal": []}], "security: no longer open to bearer"),
    ("notifications", (*CREATE, "security"), [{"bearer": ["more"]}], "security: no longer open to bearer"),
    ("notifications", (*CREATE, "parameters", 1), {"in": "query", "name": "dry", "required": True, "schema": {}}, "query dry: now required"),
    ("notifications", (*LIST, "parameters", 0), GONE, "query limit: removed"),
    ("notifications", (*LIST, "parameters", 0, "schema", "maximum"), 50, "query limit: maximum 200 is now 50"),
    ("notifications", (*LIST, "parameters", 0, "schema", "default"), 20, "query limit: default 50 is now 20"),
    ("notifications", (*CREATE, "requestBody", "x-max-bytes"), 100, "body: x-max-bytes 65536 is now 100"),
    ("notifications", (*CREATE, "requestBody", "content", "application/json"), GONE, "body: application/json removed"),
    ("notifications", (*CREATE, "requestBody"), GONE, "body: removed"),
    ("notifications", (*INPUT, "required", 1), "filter", "body/filter: now required"),
    ("notifications", (*INPUT, "properties", "filter"), GONE, "body/filter: removed"),
    ("notifications", (*INPUT, "properties", "types", "items", "enum", 0), GONE, "body/types/*: 'trial.published' no longer accepted"),
    ("notifications", (*INPUT, "properties", "types", "maxItems"), 3, "body/types: maxItems 50 is now 3"),
    ("notifications", (*INPUT, "properties", "types", "minItems"), 1, "body/types: minItems none is now 1"),
    ("notifications", (*INPUT, "not"), {"required": ["filter"]}, "body: not none is now {'required': ['filter']}"),
    ("notifications", (*URL, "maxLength"), 100, "body/channel/url: maxLength 2048 is now 100"),
    ("notifications", (*URL, "pattern"), "^https:", "body/channel/url: pattern none is now ^https:"),
    ("notifications", (*URL, "type"), "integer", "body/channel/url: type string is now integer"),
    ("notifications", (*CREATE, "responses", "201"), GONE, "201: removed"),
    ("notifications", (*CREATE, "responses", "202"), {"description": "Later."}, "202: new status that is not an error"),
    ("notifications", (*CREATE, "responses", "201", "headers", "Location"), GONE, "201: header Location removed"),
    ("notifications", (*CREATE, "responses", "201", "content", "application/json"), GONE, "201: application/json removed"),
    ("notifications", (*OUTPUT, "properties", "filter"), GONE, "200/items/*/filter: removed"),
    ("notifications", (*OUTPUT, "required"), [], "200/items/*/filter: may now be missing"),
    ("notifications", (*OUTPUT, "properties", "status", "enum", 2), "paused", "200/items/*/status: 'paused' is new"),
    ("notifications", (*OUTPUT, "properties", "status", "enum", 1), GONE, "200/items/*/status: 'disabled' removed"),
    ("notifications", (*OUTPUT, "properties", "status", "enum"), GONE, "200/items/*/status: no longer one of ['active', 'disabled']"),
    ("notifications", (*OUTPUT, "properties", "disabled_reason", "anyOf", 2), {"type": "integer"}, "200/items/*/disabled_reason: integer is new"),
    ("notifications", (*SCHEMAS, "Problem", "properties", "code"), GONE, "400/code: removed"),
    # Expressions contain expressions.
    ("registry", (*CRITERIA, 14), GONE, "body/criteria/*/expr: Human no longer accepted"),
    ("registry", (*SCHEMAS, "AllOf", "properties", "all", "maxItems"), 50, "body/criteria/*/expr/all: maxItems 100 is now 50"),
    ("registry", (*SCHEMAS, "Expression", "anyOf", 15), {"$ref": "#/components/schemas/Slots"}, "200/criteria/*/expr: Slots is new"),
    # A patient has one of two forms, and the other accepts any object.
    ("matching", (*SCHEMAS, "Patient", "required"), ["sex"], "body/sex: now required"),
]  # fmt: skip
ADDED = [
    ("notifications", ("paths", "/notifications/v1/more"), {"get": {}}),
    ("notifications", (*SUBSCRIPTIONS, "patch"), {}),
    ("notifications", (*CREATE, "security"), [{}, {"bearer": []}]),
    ("notifications", (*CREATE, "description"), "Get events."),
    ("notifications", (*CREATE, "parameters", 1), {"in": "query", "name": "dry", "required": False, "schema": {}}),
    ("notifications", (*CREATE, "responses", "418"), {"description": "Another error."}),
    ("notifications", (*LIST, "responses", "304"), {"description": "It is the version of the caller."}),
    ("notifications", (*CREATE, "responses", "201", "headers", "Sunset"), {"schema": {"type": "string"}}),
    ("notifications", (*LIST, "parameters", 0, "schema", "maximum"), 500),
    ("notifications", (*CREATE, "requestBody", "required"), False),
    ("notifications", (*INPUT, "properties", "more"), {"type": "string"}),
    ("notifications", (*INPUT, "required"), []),
    ("notifications", (*INPUT, "properties", "types", "items", "enum", 13), "trial.seen"),
    ("notifications", (*INPUT, "properties", "types", "maxItems"), 100),
    ("notifications", (*OUTPUT, "properties", "more"), {"type": "string"}),
    # Criteria are answered by the registry, but only sent to matching.
    ("matching", (*CRITERIA, 21), {"$ref": "#/components/schemas/Label"}),
]


@pytest.mark.parametrize(("service", "place", "value", "line"), BREAKING)
def test_a_breaking_change_is_named(service: str, place: tuple[Any, ...], value: object, line: str) -> None:
    present = document(service)
    found = breaking_changes(without_texts(present), changed(present, place, value))
    assert any(one.endswith(line) for one in found), found


@pytest.mark.parametrize(("service", "place", "value"), ADDED)
def test_an_addition_is_not_breaking(service: str, place: tuple[Any, ...], value: object) -> None:
    present = document(service)
    assert breaking_changes(without_texts(present), changed(present, place, value)) == []


def test_different_versions_are_not_compared() -> None:
    released = document("notifications")
    assert (
        breaking_changes(released, {**changed(released, CREATE, GONE), "info": {**released["info"], "version": "2"}})
        == []
    )


def test_the_report_compares_with_a_commit_and_never_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs" / "openapi").mkdir(parents=True)
    file = tmp_path / "docs" / "openapi" / "notifications.json"
    released = document("notifications")
    file.write_text(json.dumps(released))
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        ("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", "First"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(openapi_changes, "ROOT", tmp_path)
    assert openapi_changes.changes_since("HEAD") == []
    file.write_text(json.dumps(changed(released, (*LIST, "parameters", 0), GONE)))
    assert openapi_changes.changes_since("HEAD") == [
        "notifications: GET /notifications/v1/subscriptions query limit: removed"
    ]
    with pytest.raises(subprocess.CalledProcessError):
        openapi_changes.changes_since("no-such-commit")


def test_only_the_documents_of_an_unreleased_version_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openapi_changes, "ROOT", tmp_path)
    monkeypatch.setattr(openapi_changes, "RELEASED", tmp_path / "released")
    (tmp_path / "CHANGELOG.md").write_text("## 0.10.0 (unreleased)\n\n## 0.9.0 (2026-12-01)\n", encoding="utf-8")
    openapi_changes.keep_as_released("0.10.0")
    assert openapi_changes.changes_since_release("0.10.0") == []
    with pytest.raises(SystemExit, match="final"):
        openapi_changes.keep_as_released("0.9.0")
    (tmp_path / "released" / "0.9.0").mkdir()
    assert openapi_changes.releases() == ["0.9.0", "0.10.0"]


def test_the_report_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.tools.openapi_changes", "HEAD"]
    ended = subprocess.run(command, cwd=openapi_changes.ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()[-1].endswith("since HEAD")) == (0, True), ended.stderr
