"""Who looks near and is not: the address alone opens nothing once callers elsewhere can reach the gateway."""

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
        # A proxy on the same machine takes calls from everywhere.
        ({"CLEIO_PUBLIC_URL": "https://cleio.example"}, "127.0.0.1", False),
    ],
)
async def test_a_machine_is_closed_only_where_nobody_else_can_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], peer: str, closed: bool
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    callers = Callers(ServiceSettings(), "matching")
    caller = await callers.identify(Request({"type": "http", "headers": [], "client": (peer, 50000)}))
    assert (caller.kind, caller.closed) == ("public", closed)
