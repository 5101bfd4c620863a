"""What the lines of `rights.txt` on safety holds and places need: an owner, a hold, and the places of two centres."""

import uuid
from typing import Any

from sqlalchemy import update

from services.registry.enrolment.model import Waiting
from services.registry.enrolment.service import EnrolmentService
from services.registry.model.references import new_reference
from services.registry.trials.repository import TrialRepository
from services.registry.trials.tables import trials
from tests.contract.network import CENTRE, Network
from tests.contract.parties import OTHER_CENTRE

SITE = "/registry/v1/trials/{identifier}/sites/{centre}/enrolment/{cohort}"
KIND = "precaution"


def hold(centre: str, kind: str = "authority_suspension") -> dict[str, Any]:
    return {"scope": "site", "target": centre, "kind": kind, "reason": "other"}


def documents(centre: str) -> dict[str, Any]:
    """Return the bodies of the routes, by method and path."""
    return {
        "POST /registry/v1/trials/{identifier}/holds": hold(centre),
        "POST /registry/v1/holds/{hold}/lift": {
            "basis": "measure_lifted",
            "reference": "1",
            "decided_on": "2026-01-01",
        },
        f"PUT {SITE}": {"offered": 3},
        f"POST {SITE}/places/{{referral}}/decision": {"decision": "assign"},
        "POST /registry/v1/trials/{identifier}/enrolment/{cohort}/release": {
            "decided_on": "2026-01-01",
            "reference": "1",
        },
    }


async def prepare(network: Network, published: str, ids: dict[str, str]) -> None:
    """Give the published trial an owner, a hold and places at both centres, of which one is held."""
    database = network.app.state.database
    async with database.transaction() as connection:
        await connection.execute(update(trials).where(trials.c.public_id == published).values(owner="own-sponsor"))
    for centre in (CENTRE, OTHER_CENTRE):
        path = SITE.format(identifier=published, centre=centre, cohort="all")
        answer = await network.call("PUT", path, network.admin, json={"offered": 3}, headers={"If-None-Match": "*"})
        assert answer.status_code == 201, answer.text
    ids["referral"] = new_reference("REF")
    async with database.transaction() as connection:
        stored = await TrialRepository(connection).find(published)
        assert stored is not None
        service = EnrolmentService(connection, stored.trial.updated_at)
        await service.request(ids["referral"], stored, CENTRE, None, Waiting(stored.trial.updated_at.date()))
    ids["hold"] = await new_hold(network, published)


async def new_hold(network: Network, published: str) -> str:
    """Impose a hold; return its id."""
    path, key = f"/registry/v1/trials/{published}/holds", {"Idempotency-Key": uuid.uuid4().hex}
    answer = await network.call("POST", path, network.admin, json=hold(CENTRE, KIND), headers=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
