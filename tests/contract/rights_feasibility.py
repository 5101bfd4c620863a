"""The rows of feasibility that the rights matrix requests: two dossiers, and what two centres are asked about them."""

import json
import uuid
from typing import Any

from tests.conftest import token_of
from tests.contract.feasibility import agreement
from tests.contract.network import CENTRE, Network
from tests.contract.submissions import CONTENT

BASE = "/registry/v1"
OTHER_CENTRE = "fr-necker"
ENTITIES = {CENTRE: "670780055", OTHER_CENTRE: "750712184"}
REQUEST = f"{BASE}/feasibility/{{submission}}/{{centre}}"
DOSSIER = f"{BASE}/submissions/{{submission}}/feasibility"


async def set_up(network: Network) -> dict[str, str]:
    """Open a dossier of `own-sponsor` and one of another sponsor; send questionnaires. Return both references."""
    for centre, finess in ENTITIES.items():
        entity = {"finess_ej": finess, "name": "Entity"}
        await _call(network, "PUT", f"{BASE}/centres/{centre}/legal-entity", network.admin, entity, new=True)
    return {
        "own": await _open(network, "own-sponsor"),
        "theirs": await _open(network, "other-sponsor"),
    }


async def _open(network: Network, sponsor: str) -> str:
    token = token_of("sponsor", "admin", "editor", organisation=sponsor)
    made = await _call(network, "POST", f"{BASE}/submissions", token, {"content": CONTENT})
    reference = str(made["reference"])
    for who, action in ((token, "submit"), (network.admin, "screen"), (network.admin, "open_feasibility")):
        body = {"action": action, "reason": "as agreed"}
        await _call(network, "POST", f"{BASE}/submissions/{reference}/steps", who, body)
    values = {"submission": reference}
    await _call(network, "POST", DOSSIER.format(**values), network.admin, {"centres": list(ENTITIES)})
    await _call(network, "PUT", f"{DOSSIER}/visible-fields".format(**values), network.admin, {"visible": []})
    for centre, finess in ENTITIES.items():
        path = REQUEST.format(**values, centre=centre)
        await _call(network, "PUT", f"{path}/gate", network.admin, agreement(finess), new=True)
        for action in ("triage", "sign_cda", "send_questionnaire"):
            await _call(network, "POST", f"{path}/steps", network.admin, {"action": action})
    return reference


async def _call(
    network: Network, method: str, path: str, token: str, body: Any, *, new: bool = False
) -> dict[str, Any]:
    headers = {"If-None-Match": "*"} if new else {"If-Match": "*"}
    headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    answer = await network.call(method, path, token, content=json.dumps(body), headers=headers)
    assert answer.is_success, answer.text
    return dict(answer.json())


def documents(centre: str) -> dict[str, Any]:
    """Return the bodies of the routes of feasibility. No draft is complete: `submit` is refused to all who may."""
    finess = ENTITIES[centre]
    return {
        f"POST {REQUEST}/steps": {"action": "submit"},
        f"PUT {REQUEST}/answers": {"answers": []},
        f"PUT {REQUEST}/gate": agreement(finess),
        f"POST {DOSSIER}": {"by": ["capability"], "capabilities": ["jacie"]},
        f"PUT {DOSSIER}/visible-fields": {"visible": []},
        f"PUT {BASE}/centres/{{centre}}/legal-entity": {"finess_ej": finess, "name": "Entity"},
    }
