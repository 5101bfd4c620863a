"""What demonstration users find in their workspaces: made over the API by programs of their organisations."""

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.e2e.conftest import System

TODAY = datetime.now(UTC).date()
# The roles and rights of a program of each demonstration organisation.
_RIGHTS = {
    "demo-hospital": ("system", "referral.read,referral.write"),
    "demo-centre-strasbourg": ("editor", "referral.read,referral.write,feasibility.read,feasibility.write"),
    "demo-sponsor": ("editor,validator", "submission.read,submission.write,submission_decision.write"),
    "demo-coordination": (
        "editor,validator",
        "submission.read,submission.write,submission_decision.write,feasibility.read,feasibility.write",
    ),
}


class Caller:
    """A program of an organisation."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.client.request(method, f"/registry/v1{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def create(self, path: str, body: Any) -> Any:
        return self.send("POST", path, body, **{"Idempotency-Key": uuid.uuid4().hex})

    def act(self, path: str, action: str, to: str = "steps", **more: Any) -> Any:
        headers = {"If-Match": "*", "Idempotency-Key": uuid.uuid4().hex}
        return self.send("POST", f"{path}/{to}", {"action": action, **more}, **headers)


def caller(site: System, organisation: str) -> Caller:
    """Return a new program of a demonstration organisation, of which a user has signed in before."""
    roles, scopes = _RIGHTS[organisation]
    name = uuid.uuid4().hex[:12]
    made = site.typed(
        "client", "create", "--org", organisation, "--name", name, "--roles", roles, "--scopes", scopes, "--api-key"
    )
    headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    return Caller(httpx.Client(base_url=site.url, headers=headers, timeout=30, trust_env=False))


def send_referral(hospital: Caller, trial: str, centre: str, **changes: Any) -> str:
    """Refer a patient to a trial; return the reference."""
    referral = {
        "trial": trial,
        "centre": centre,
        "patient_agreement": {"given": True, "on": TODAY.isoformat(), "by": "both_holders"},
        "minor": True,
        "adult_on": f"{TODAY.year + 13}-06",
        "urgency": "urgent",
        "disclose_after_consent": True,
        "place": False,
        **changes,
    }
    return str(hospital.create("/referrals", referral)["reference"])
