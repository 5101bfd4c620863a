"""Rows and bodies of the rights matrix for proposed criteria."""

import json
import uuid
from typing import Any

from tests.contract.network import Network

_SET = {"trial", "grade", "signed_by", "signed_by_rpps", "signed_at"}


def documents(criteria: dict[str, Any]) -> dict[str, Any]:
    """Return the bodies. ``criteria``: signed ones, without errors."""
    return {
        "POST /registry/v1/trials/{identifier}/criteria/proposals": draft_of(criteria),
        "POST /registry/v1/trials/{identifier}/criteria/proposals/{number}/signature": {
            "signed_by": "C. Dubois",
            "signed_by_rpps": "10001234565",
        },
    }


def draft_of(criteria: dict[str, Any]) -> dict[str, Any]:
    return {"source_version": "protocol 1.0", **{name: one for name, one in criteria.items() if name not in _SET}}


async def new_proposal(network: Network, trial: str, criteria: dict[str, Any]) -> str:
    """Propose criteria as the administrator; return the number of the proposal."""
    headers = {"If-Match": "*", "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    path = f"/registry/v1/trials/{trial}/criteria/proposals"
    answer = await network.call("POST", path, network.admin, content=json.dumps(draft_of(criteria)), headers=headers)
    assert answer.is_success, answer.text
    return str(answer.json()["number"])
