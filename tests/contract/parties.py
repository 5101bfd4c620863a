"""A published trial with an owner and two sites, and the people who act on its holds and places."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import update

from services.registry.trials.tables import trials
from tests.conftest import client_of, token_of
from tests.contract.test_registry import a_trial, create

NUMBER = "NCT90000077"
TRIAL = f"/registry/v1/trials/{NUMBER}"
CENTRE, OTHER_CENTRE, OWNER = "fr-strasbourg", "fr-necker", "acme"
AAV9 = {"name": "AV-1", "atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav", "serotype": "AAV9"}
COHORTS = [{"id": name, "label": {"fr": name, "en": name}} for name in "AB"]
NEW = {"If-None-Match": "*"}


@dataclass
class Parties:
    """Callers by what they are; each name is another person."""

    app: FastAPI

    def __getitem__(self, name: str) -> httpx.AsyncClient:
        kind, _, who = name.partition(" ")
        organisation = {"sponsor": OWNER, "rival": "rival"}.get(kind, f"{kind}-1")
        if kind == "public":
            return client_of(self.app)
        more = {"centre": {"centre": CENTRE}, "neighbour": {"centre": OTHER_CENTRE}}.get(kind, {})
        of_kind: Any = {"rival": "sponsor", "neighbour": "centre"}.get(kind, kind)
        token = token_of(of_kind, "admin", "editor", organisation=organisation, client=f"{name}-{who}", **more)
        return client_of(self.app, token=token)

    async def call(
        self, name: str, method: str, path: str, body: Any = None, *, version: int | str = "*", expected: int = 200
    ) -> dict[str, Any]:
        """Send a request of one of them; ``expected``: the status."""
        headers = {"If-Match": "*" if version == "*" else f'"v{version}"'}
        headers |= {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        async with self[name] as client:
            answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code == expected, answer.text
        return dict(answer.json())

    async def make_trial(self, number: str = NUMBER, owner: str | None = OWNER, **changes: Any) -> str:
        """Create a trial that recruits at two centres; return its id."""
        async with self["coordination"] as admin:
            document = a_trial(number, **{"product": AAV9, "cohorts": COHORTS, **changes})
            answer = await create(admin, document)
            assert answer.status_code == 201, answer.text
            for centre in (CENTRE, OTHER_CENTRE):
                site = f"/registry/v1/trials/{number}/sites/{centre}"
                assert (await admin.put(site, json={"status": "recruiting"}, headers=NEW)).status_code == 201
        async with self.app.state.database.transaction() as connection:
            await connection.execute(update(trials).where(trials.c.public_id == number).values(owner=owner))
        return str(answer.json()["id"])
