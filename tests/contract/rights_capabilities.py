"""The rows of capabilities and of the preparation of sites that the callers of `rights.py` request."""

from typing import Any

from tests.contract.network import Network
from tests.contract.test_registry import a_trial

# The first belongs to `own-sponsor`, the second to no sponsor; both have the centre of the callers and the other one.
OWNED, UNOWNED = "NCT99999983", "NCT99999984"
TRIALS = {"owned": OWNED, "unowned": UNOWNED, "elsewhere": UNOWNED}
CODE, STEP, ITEM, EVIDENCE = "thawing", "submission", "pharmacy", "evidence-of-thawing"
VALUES = {"code": CODE, "step": STEP, "item": ITEM}
_NEW = {"If-None-Match": "*"}
_TRIAL = "/registry/v1/trials/{identifier}"
_CAPABILITY = {"scope": "both", "evidence": EVIDENCE}
DOCUMENTS: dict[str, Any] = {
    "PUT /registry/v1/centres/{centre}/capabilities/{code}": _CAPABILITY,
    f"PUT {_TRIAL}/needs": {"complete": True},
    f"PUT {_TRIAL}/follow-up": {"years": 15, "reference": "protocol 1"},
    f"PUT {_TRIAL}/gmo-declaration": {"state": "not_required"},
    f"PUT {_TRIAL}/regulatory-path/{{step}}": {"state": "done", "on": "2026-01-15"},
    f"PUT {_TRIAL}/sites/{{centre}}/checklist/{{item}}": {"due": "2027-01-15"},
}


async def state_again(network: Network, centre: str) -> None:
    """State the capability of a centre, which an allowed request may have removed."""
    path = f"/registry/v1/centres/{centre}/capabilities/{CODE}"
    answer = await network.call("PUT", path, network.admin, json=_CAPABILITY, headers=_NEW)
    assert answer.status_code in {201, 412}, answer.text


async def prepare(network: Network, own: str, other: str) -> None:
    """Create both trials, and state everything once."""
    sites = [{"centre": centre, "status": "recruiting"} for centre in (own, other)]
    for identifier in (OWNED, UNOWNED):
        path = f"/registry/v1/trials/{identifier}"
        answer = await network.call("PUT", path, network.admin, json=a_trial(identifier, sites=sites), headers=_NEW)
        assert answer.status_code == 201, answer.text
    given = {"owner": "own-sponsor", "reason": "its trial"}
    answer = await network.call("POST", f"/registry/v1/trials/{OWNED}/owner", network.admin, json=given)
    assert answer.status_code == 200, answer.text
    for identifier, centre in ((OWNED, own), (UNOWNED, other)):
        await state_again(network, centre)
        for line, document in DOCUMENTS.items():
            path = line.removeprefix("PUT ").format(identifier=identifier, centre=centre, **VALUES)
            if "{code}" not in line:
                answer = await network.call("PUT", path, network.admin, json=document, headers=_NEW)
                assert answer.status_code == 201, answer.text
