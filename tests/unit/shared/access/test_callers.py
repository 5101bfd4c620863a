"""Callers that seem local and are not: an address gives no right once other machines can reach the gateway."""

from pathlib import Path

import pytest
from fastapi import Request

from shared.access.callers import Callers
from shared.settings import ServiceSettings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("settings", "peer", "closed"),
    [
        ({}, "127.0.0.1", True),
        ({}, "203.0.113.9", False),
        ({"CLEIO_BIND": "0.0.0.0"}, "127.0.0.1", False),
        ({"CLEIO_PUBLIC_URL": "http://127.0.0.1:8080"}, "127.0.0.1", True),
        ({"CLEIO_PUBLIC_URL": "http://localhost:8080/"}, "127.0.0.1", True),
        # A proxy on the same machine forwards calls from everywhere.
        ({"CLEIO_PUBLIC_URL": "https://cleio.example"}, "127.0.0.1", False),
    ],
)
async def test_an_installation_counts_as_local_only_if_no_other_machine_can_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], peer: str, closed: bool
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    callers = Callers(ServiceSettings(), "matching")
    caller = await callers.identify(Request({"type": "http", "headers": [], "client": (peer, 50000)}))
    assert (caller.kind, caller.closed) == ("public", closed)
