"""The main tasks through the real gateway: read trials, match a patient, notify a change with a valid signature."""

import base64
import json
from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook

from tests.e2e.conftest import ROOT, Receiver, System, eventually

BOY = json.loads((ROOT / "docs" / "examples" / "duchenne-boy.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(
        tmp_path_factory.mktemp("job") / "var",
        CLEIO_OUTBOUND_DEV_HOSTS="127.0.0.0/8",
        CLEIO_NOTIFICATIONS_RETRY_SECONDS="[0, 0.2, 0.2, 0.2]",
    )
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


def test_trials_are_read_a_patient_is_matched_and_a_change_is_notified(system: System, receiver: Receiver) -> None:
    with system.client() as public, system.client(as_admin=True) as admin:
        found = public.get("/registry/v1/trials", params={"q": "duchenne", "sample": "none"}).json()["items"]
        assert {"NCT05096221", "NCT04626674"} <= {trial["identifier"] for trial in found}

        assert eventually(lambda: public.post("/matching/v1/match", json=BOY).status_code == 200, 20)
        matched = public.post("/matching/v1/match", json=BOY)
        results = {result["trial"]: result for result in matched.json()["results"]}
        embark = results["NCT05096221"]
        assert (embark["verdict"], embark["from"], embark["until"]) == ("not_yet", "2026-01-02", "2029-12-20")
        failing = {one["id"]: one for one in embark["criteria"] if one["state"] == "not_met"}
        assert len(failing) == 2
        assert sorted(one["clears_on"] for one in failing.values()) == ["2025-12-20", "2026-01-02"]
        assert all(one["reason"] for one in embark["criteria"] if one["state"] == "unknown")

        receiver.failing = 2
        wanted = {
            "channel": {"type": "webhook", "url": receiver.url},
            "types": ["trial.status_changed"],
            "filter": {"condition": ["ORPHA:98896"]},
        }
        subscribed = admin.post(
            "/notifications/v1/subscriptions", json=wanted, headers={"Idempotency-Key": "main-job-of-the-test"}
        )
        assert subscribed.status_code == 201, subscribed.text
        secret = subscribed.json()["secret"]
        assert "secret" not in admin.get(subscribed.headers["location"]).json()

        for identifier, status in (("NCT03745287", "suspended"), ("NCT05096221", "suspended")):
            patched = admin.patch(
                f"/registry/v1/trials/{identifier}",
                content=json.dumps({"status": status}),
                headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"},
            )
            assert patched.status_code == 200, patched.text
        assert eventually(lambda: len(receiver.got) >= 3, 15)
        assert len({body for _, body in receiver.got}) == 1, "each attempt sends the same bytes"
        headers, body = receiver.got[-1]
        event = Webhook(secret).verify(body, headers)
        assert (event["type"], event["data"]["identifier"], event["data"]["to"]) == (
            "trial.status_changed",
            "NCT05096221",
            "suspended",
        )
        assert "routing" not in event
        assert len(body) < 2_000

        # The match sees the change too.
        def recruitment() -> str:
            answer = public.post("/matching/v1/match", json=BOY).json()
            return next(one["recruitment_status"] for one in answer["results"] if one["trial"] == "NCT05096221")

        assert eventually(lambda: recruitment() == "suspended", 15)


def test_writes_need_the_administrators_token(system: System) -> None:
    with system.client() as public:
        body = json.dumps({"status": "completed"})
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        path = "/registry/v1/trials/NCT04626674"
        assert public.patch(path, content=body, headers=headers).status_code == 401
        forged = {**headers, "Authorization": "Bearer " + base64.b64encode(b"guess").decode()}
        assert public.patch(path, content=body, headers=forged).status_code == 401
        assert public.get(path).json()["version"] == 1
