"""What the lines of `rights.txt` on referrals need: one of the own hospital and centre, and one between others."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI

from services.registry.referrals.repository import ReferralRepository
from services.registry.referrals.upkeep import mark_some
from tests.conftest import token_of
from tests.contract.network import CENTRE, Network
from tests.contract.parties import OTHER_CENTRE

TODAY = datetime.now(UTC).date().isoformat()


async def until_marked(app: FastAPI) -> None:
    """Wait until no referral is to be marked: the service does the same in the background."""
    database, waits = app.state.database, True
    while waits:
        await mark_some(database, datetime.now(UTC))
        async with database.transaction(as_service=True) as connection:
            waits = await ReferralRepository(connection).has_marks()
        await asyncio.sleep(0.01)


def referral(published: str, centre: str = CENTRE) -> dict[str, Any]:
    return {
        "trial": published,
        "centre": centre,
        "patient_agreement": {"given": True, "on": "2026-01-05", "by": "patient"},
        "minor": False,
        "urgency": "standard",
        "disclose_after_consent": False,
        "place": False,
    }


def documents(published: str) -> dict[str, Any]:
    """Return the bodies of the routes, by method and path."""
    return {
        "POST /registry/v1/referrals": referral(published),
        "POST /registry/v1/referrals/{reference}/steps": {"action": "patient_informed", "on": TODAY, "of": "change"},
    }


async def prepare(network: Network, published: str, ids: dict[str, str]) -> None:
    """Send the referrals, before a hold stops them. One more for each request that deletes one."""
    ids["referrals/mine"] = await _send(network, published, "own-hospital", CENTRE)
    ids["referrals/elsewhere"] = await _send(network, published, "other-hospital", OTHER_CENTRE)
    for number in range(8):
        ids[f"referrals/deleted/{number}"] = await _send(network, published, "own-hospital", CENTRE)


def reference(row: str, ids: dict[str, str], *, deletes: bool) -> str:
    """Return the referral of a row; ``deletes``: one that is not needed any more."""
    if not deletes or row != "mine":
        return ids[f"referrals/{row}"]
    return ids.pop(next(name for name in ids if name.startswith("referrals/deleted/")))


async def _send(network: Network, published: str, hospital: str, centre: str) -> str:
    token = token_of("hospital", "clinician", organisation=hospital)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = referral(published, centre)
    answer = await network.call("POST", "/registry/v1/referrals", token, json=body, headers=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["reference"])
