"""The guide from a study to a patient, word by word, and what each party gets of it by webhook."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.e2e.conftest import ROOT, Receiver, System, eventually
from tests.e2e.test_guides import blocks, environment_of, run

CENTRES = ("fr-lyon", "fr-necker", "fr-nantes")
PARTIES = ("sponsor", "coordination", "hospital", *CENTRES)
STATES = ["sent", "accepted", "contacted", "pre_screened", "consented", "screening", "included", "dosed"]


class Received:
    """The events that a receiver got, by the party with whose secret they are signed."""

    def __init__(self, receiver: Receiver, subscriptions: dict[str, Any]) -> None:
        self._receiver = receiver
        self._parties = {one["id"]: party for party, one in subscriptions.items()}
        self._hooks = {party: Webhook(one["secret"]) for party, one in subscriptions.items()}

    def by_party(self) -> dict[str, dict[str, Any]]:
        """Return the events of each party by id: a delivery may be repeated."""
        found: dict[str, dict[str, Any]] = {party: {} for party in self._hooks}
        for headers, body in list(self._receiver.got):
            for party, hook in self._hooks.items():
                try:
                    event = hook.verify(body, headers)
                except WebhookVerificationError:
                    continue
                found[party][event["id"]] = event
        return found

    def is_complete(self, admin: httpx.Client) -> bool:
        """Return whether everything arrived that was to be sent until now, with the last step of the story."""
        listed = admin.get("/notifications/v1/subscription-summaries", params={"limit": 200}).json()["items"]
        sent = {self._parties[one["id"]]: one["last_number"] for one in listed if one["id"] in self._parties}
        found = self.by_party()
        steps = {event["data"].get("state") for event in found["coordination"].values()}
        return "first_patient_in" in steps and sent == {party: len(events) for party, events in found.items()}

    def about(self, kind: str) -> dict[str, list[Any]]:
        """Return the events of a kind, such as ``referral``, by party and in the order of their versions."""
        return {
            party: sorted(
                (one for one in events.values() if one["type"].startswith(f"{kind}.")),
                key=lambda one: int(one["data"]["version"]),
            )
            for party, events in self.by_party().items()
        }


@pytest.fixture
def network(tmp_path: Path) -> Iterator[System]:
    """A running system without an OpenID provider, where each key is a person's, as in the guide."""
    running = System(tmp_path / "var", CLEIO_OUTBOUND_DEV_HOSTS="127.0.0.0/8")
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


def test_the_story(network: System, receiver: Receiver, tmp_path: Path) -> None:
    code = blocks("story.md", network)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = environment_of(network, CLEIO_TOKEN=network.admin_key, WEBHOOK_URL=receiver.url)
    run(["bash", "-euc", code["bash"] + "\nenv -0 > exported"], tmp_path, environment)
    exported = dict(one.split("=", 1) for one in (tmp_path / "exported").read_text(encoding="utf-8").split("\0") if one)
    (tmp_path / "guide.py").write_text(code["python"], encoding="utf-8")
    # The parties have their own keys and no administrator's right.
    output = run([sys.executable, "guide.py"], tmp_path, {**exported, "CLEIO_TOKEN": ""}).stdout

    submission, reference, number = (
        re.findall(rf"\b{one}-[0-9A-Z-]+", output)[0] for one in ("SUB", "REF", "CLEIO-SUB")
    )
    assert f"{number} possible open" in output
    assert f"referral_to_answer referral/{reference}" in output
    assert output.endswith("1 <11\n")
    with network.client(as_admin=True) as admin:
        trial = admin.get(f"/registry/v1/trials/{number}").json()
        assert (trial["state"], trial["status"]) == ("published", "recruiting")
        assert trial["eligibility"]["text"].startswith("Inclusion Criteria:\n\n* Male, 4 to 8 years of age")
        (places,) = admin.get(f"/registry/v1/trials/{number}/enrolment").json()["items"]
        assert (places["offered"], places["held"], places["used"]) == (2, 0, 1)
        assert admin.get(f"/registry/v1/referrals/{reference}").json()["state"] == "dosed"
        report = admin.get("/registry/v1/reports/kpi", params={"view": "centre", "centre": "fr-lyon"}).json()
        # The opening of sites has steps of the same names.
        reached = {
            (one["step"], one["group"]): (one["ended"], one["cases"])
            for one in report["measures"]
            if one["section"] != "opening"
        }
        assert reached["dosing", "in_vivo"] == (1, 1)
        assert {reached[step, "all"] for step in ("first_answer", "contract", "activation", "first_patient")} == {
            (1, 1)
        }

        received = Received(receiver, json.loads((tmp_path / "webhooks.json").read_text(encoding="utf-8")))
        assert eventually(lambda: received.is_complete(admin), 30)
    check_referral(received.about("referral"), reference)
    check_dossier(received.about("submission"), submission, trial["id"])
    check_feasibility(received.about("feasibility"), submission)
    for party, events in received.by_party().items():
        public = {one["type"] for one in events.values() if trial["id"] in one["subject"].split("/")}
        assert {"trial.published", "trial.status_changed", "site.opened"} <= public, party


def check_referral(events: dict[str, list[Any]], reference: str) -> None:
    """The hospital, the centre and the coordination follow the referral; no other party gets anything of it."""
    for party in PARTIES:
        states = [one["data"]["state"] for one in events[party]]
        assert states == (STATES if party in {"hospital", "fr-lyon", "coordination"} else []), party
        assert {one["subject"] for one in events[party]} <= {f"referral/{reference}"}
    types = [one["type"] for one in events["hospital"]]
    assert types[:3] == ["referral.sent", "referral.answered", "referral.updated"]


def check_dossier(events: dict[str, list[Any]], submission: str, trial: str) -> None:
    """The sponsor and the coordination follow the dossier."""
    for party in PARTIES:
        if party not in {"sponsor", "coordination"}:
            assert events[party] == [], party
            continue
        assert {one["subject"] for one in events[party]} == {f"submission/{submission}"}
        by_type = {one["type"]: one["data"] for one in events[party]}
        assert by_type["submission.decided"]["answer"] == "accepted"
        assert by_type["submission.published"]["trial_id"] == trial


def check_feasibility(events: dict[str, list[Any]], submission: str) -> None:
    """A centre learns of its own request, the sponsor that there is a result."""
    wanted = {"feasibility.requested", "feasibility.answered", "feasibility.decided"}
    for centre in CENTRES:
        assert {one["data"]["centre"] for one in events[centre]} == {centre}
        assert wanted <= {one["type"] for one in events[centre]}
    assert {one["data"]["centre"] for one in events["coordination"]} == set(CENTRES)
    assert {one["subject"] for one in events["sponsor"]} == {f"feasibility/{submission}"}
    assert all("centre" not in one["data"] for one in events["sponsor"])
    assert events["hospital"] == []
