"""`cleio config` shows the settings, and no secret."""

import json

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from tests.conftest import AUDIT_KEY, CURSOR_KEY, INTERNAL


@pytest.mark.parametrize("arguments", [["config"], ["config", "--json"]])
def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", "postgresql://cleio:the-password@db.example/registry")
    monkeypatch.setenv("CLEIO_PORT", "9123")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    for secret in (INTERNAL, CURSOR_KEY, AUDIT_KEY, "the-password"):
        assert secret not in result.output
    assert "9123" in result.output
    assert "CLEIO_PORT" in result.output  # named as the operator writes them
    assert "CLEIO_NOTIFICATIONS_RETRY_SECONDS" in result.output
    assert "postgresql://cleio:********@db.example/registry" in result.output
    if "--json" in arguments:
        assert json.loads(result.output)["registry"]["CLEIO_INTERNAL_TOKEN"] == "********"
