"""What demonstration users find in their workspaces: made over the API by programs of their organisations."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.contract.submissions import CONTENT
from tests.e2e.conftest import System

TODAY = datetime.now(UTC).date()
# The roles and rights of a program of each demonstration organisation.
_RIGHTS = {
    "demo-hospital": ("system", "referral.read,referral.write"),
    "demo-centre-strasbourg": (
        "editor",
        "referral.read,referral.write,feasibility.read,feasibility.write,enrolment.read,enrolment.write",
    ),
    "demo-sponsor": ("editor,validator", "submission.read,submission.write,submission_decision.write"),
    "demo-coordination": (
        "editor,validator",
        "submission.read,submission.write,submission_decision.write,feasibility.read,feasibility.write,trial.write",
    ),
}


class Caller:
    """A program of an organisation."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/registry/v1"
        self._headers = {"Authorization": f"Bearer {key}"}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self._headers, **headers}
        answer = httpx.request(method, f"{self._url}{path}", json=body, headers=sent, timeout=30, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def has(self, path: str) -> bool:
        found = httpx.get(f"{self._url}{path}", headers=self._headers, timeout=30, trust_env=False)
        return found.status_code == httpx.codes.OK

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
    return Caller(site.url, made.stdout.split()[-1])


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


def send_questionnaire(sponsor: Caller, coordination: Caller, centre: str, finess: str) -> str:
    """Submit a study, ask a centre, and send it the questionnaire; return the reference of the dossier."""
    reference = str(sponsor.create("/submissions", {"content": CONTENT})["reference"])
    dossier, request = f"/submissions/{reference}", f"/feasibility/{reference}/{centre}"
    sponsor.act(dossier, "submit")
    for action in ("screen", "open_feasibility"):
        coordination.act(dossier, action)
    entity = {"finess_ej": finess, "name": f"Entity of {centre}"}
    if not coordination.has(f"/centres/{centre}/legal-entity"):
        coordination.send("PUT", f"/centres/{centre}/legal-entity", entity, **{"If-None-Match": "*"})
    coordination.create(f"{dossier}/feasibility", {"centres": [centre]})
    coordination.act(request, "triage")
    agreement = {
        "finess_ej": finess,
        "signed_by": "Direction de la recherche",
        "signed_on": TODAY.isoformat(),
        "valid_until": (TODAY + timedelta(days=365)).isoformat(),
        "evidence": "CDA-17",
    }
    coordination.act(request, "send_cda")
    coordination.send("PUT", f"{request}/gate", agreement, **{"If-None-Match": "*"})
    coordination.act(request, "send_questionnaire")
    return reference


def send_answers(coordination: Caller, dossier: str, centre: str, *, named: bool) -> None:
    """Answer a whole questionnaire for a centre. ``named``: the sponsor may read the answers as those of the centre."""
    request = f"/feasibility/{dossier}/{centre}"
    sheet = coordination.send("GET", f"{request}/answers")
    answers = [
        {
            "question": one["question"],
            "value": {"choice": one["options"][0]["code"] if one["options"] else "", "text": "Deux infirmières."}.get(
                one["type"], 7
            ),
            **({"condition": one["condition"]} if one["condition"] else {}),
        }
        for one in sheet["questions"]
    ]
    coordination.send(
        "PUT",
        f"{request}/answers",
        {"answers": answers, "may_be_named": named},
        **{"If-Match": f'"v{sheet["version"]}"'},
    )
    coordination.act(request, "submit")
