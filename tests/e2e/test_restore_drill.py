"""The drill for operators: data, backup, changes, restore; then every consumer has the restored data."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ROOT, System, eventually
from tests.e2e.test_main_job import BOY, Receiver

KEPT, LOST = "NCT05096221", "NCT04626674"


def cleio(system: System, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "CLEIO_DATA_DIR": str(system.folder), "CLEIO_PORT": str(system.port)}
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


def set_status(admin: httpx.Client, trial: str, status: str) -> None:
    answer = admin.patch(
        f"/registry/v1/trials/{trial}",
        content=json.dumps({"status": status}),
        headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.full
def test_after_a_restore_every_consumer_has_the_restored_history(tmp_path: Path) -> None:
    settings = {"CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8", "CLEIO_NOTIFICATIONS_RETRY_SECONDS": "[0, 0.2, 0.2]"}
    receiver = Receiver()
    system = System(tmp_path / "var", **settings)
    try:
        system.read_until("ready in")
        with system.client(as_admin=True) as admin:
            asked = {"channel": {"type": "webhook", "url": receiver.url}, "types": ["trial.status_changed"]}
            assert (
                admin.post(
                    "/notifications/v1/subscriptions", json=asked, headers={"Idempotency-Key": "restore-drill-0001"}
                ).status_code
                == 201
            )
            set_status(admin, KEPT, "suspended")
            assert eventually(lambda: len(receiver.got) == 1, 20)
            backup = cleio(system, "backup", str(tmp_path / "kept"))
            assert backup.returncode == 0, backup.stderr
            set_status(admin, LOST, "suspended")
            assert eventually(lambda: len(receiver.got) == 2, 20)
            former = admin.get("/registry/v1/feed?limit=1000").links["next"]["url"]
        refused = cleio(system, "restore", str(tmp_path / "kept"))
        assert refused.returncode == 1
        assert "stop it first" in refused.stderr
        system.end()

        restored = cleio(system, "restore", str(tmp_path / "kept"))
        assert restored.returncode == 0, restored.stderr
        system = System(tmp_path / "var", **settings)
        system.read_until("ready in")
        with system.client(as_admin=True) as admin:
            assert admin.get(f"/registry/v1/trials/{KEPT}").json()["status"] == "suspended"
            assert admin.get(f"/registry/v1/trials/{LOST}").json()["status"] != "suspended"
            # A consumer of the former history is referred to the export.
            stale = admin.get(former)
            assert (stale.status_code, stale.json()["code"]) == (410, "cursor_of_earlier_generation")

            def recruitment(trial: str) -> str:
                answer = admin.post("/matching/v1/match?synthetic=true", json=BOY)
                return next(
                    (one["recruitment_status"] for one in answer.json().get("results", ()) if one["trial"] == trial), ""
                )

            assert eventually(lambda: recruitment(KEPT) == "suspended", 20)
            assert recruitment(LOST) not in {"", "suspended"}
            # Events delivered before the backup are not repeated; new events are delivered.
            set_status(admin, KEPT, "active_not_recruiting")
            assert eventually(lambda: len(receiver.got) == 3, 20)
        delivered = [(headers["webhook-id"], json.loads(body)["id"]) for headers, body in receiver.got]
        assert len(set(delivered)) == 3
        assert json.loads(receiver.got[-1][1])["data"]["to"] == "active_not_recruiting"
    finally:
        system.end()
        receiver.server.shutdown()
        receiver.server.server_close()
