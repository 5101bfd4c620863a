"""Callers of dossiers for tests: sponsors and people of the coordination."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from shared.access.principal import OrganisationKind, Role
from tests.conftest import ADMIN, client_of, token_of

DOSSIERS = "/registry/v1/submissions"
CONTENT: dict[str, Any] = {
    "title": "Gene therapy of Duchenne muscular dystrophy",
    "protocol_code": "DMD-101",
    "regulation": "REG536",
    "trial": {
        "titles": {"en": "Micro-dystrophin gene therapy in boys with Duchenne muscular dystrophy"},
        "conditions": [{"text": "Duchenne muscular dystrophy"}],
        "product": {"atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav", "serotype": "AAV9"},
        "study_type": "interventional",
        "phase": "phase-1-phase-2",
        "status": "not_yet_recruiting",
        "countries": ["FR"],
        "sponsor": {"name": "Sponsor of the tests"},
        "eligibility": {"sex": "male", "minimum_age": "P4Y", "maximum_age": "P8Y", "text": "Boys who walk."},
    },
}


@dataclass
class Party:
    """One person or program of an organisation."""

    app: FastAPI
    token: str

    async def call(self, method: str, path: str, body: Any = None, version: int | str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        if version is not None:
            headers["If-Match"] = version if isinstance(version, str) else f'"v{version}"'
        async with client_of(self.app, token=self.token) as client:
            return await client.request(method, f"{DOSSIERS}{path}", json=body, headers=headers)

    async def create(self, content: Any = None, expected: int = 201, **more: Any) -> dict[str, Any]:
        body = {**({"content": CONTENT if content is None else content} if not more else {}), **more}
        return checked(await self.call("POST", "", body), expected)

    async def read(self, reference: str, expected: int = 200) -> dict[str, Any]:
        return checked(await self.call("GET", f"/{reference}"), expected)

    async def edit(self, reference: str, content: Any, expected: int = 200, version: int | str = "*") -> dict[str, Any]:
        answer = await self.call("PUT", f"/{reference}/content", {"content": content}, version)
        return checked(answer, expected)

    async def act(self, reference: str, action: str, expected: int = 200, **more: Any) -> dict[str, Any]:
        """Take a step or a decision, with a reason."""
        where = "decisions" if action in {"consent", "decide", "publish"} else "steps"
        version = more.pop("version", "*")
        body = {"action": action, "reason": "as agreed", **more}
        return checked(await self.call("POST", f"/{reference}/{where}", body, version), expected)


def checked(answer: httpx.Response, expected: int) -> dict[str, Any]:
    assert answer.status_code == expected, answer.text
    return dict(answer.json())


def party(app: FastAPI, kind: OrganisationKind, organisation: str, *roles: Role, client: str = "one") -> Party:
    return Party(app, token_of(kind, *(roles or ("admin", "editor")), organisation=organisation, client=client))


async def add_organisation(app: FastAPI, name: str, kind: OrganisationKind = "sponsor") -> None:
    """Create an organisation, as the coordination does."""
    async with client_of(app, token=ADMIN) as admin:
        body = {"kind": kind, "name": name}
        answer = await admin.put(f"/registry/v1/organisations/{name}", json=body, headers={"If-None-Match": "*"})
    assert answer.status_code == 201, answer.text


@dataclass
class Cast:
    """A sponsor, another one, two people of the coordination, and an authority."""

    sponsor: Party
    other: Party
    first: Party
    second: Party
    authority: Party

    @classmethod
    def of(cls, app: FastAPI) -> "Cast":
        return cls(
            party(app, "sponsor", "acme"),
            party(app, "sponsor", "rival"),
            party(app, "coordination", "coordination", client="first"),
            party(app, "coordination", "coordination", client="second"),
            party(app, "authority", "agency"),
        )

    async def accepted(self, reference: str) -> None:
        """Take a draft to its acceptance and the consent of the sponsor."""
        await self.sponsor.act(reference, "submit")
        for action in ("screen", "open_feasibility"):
            await self.first.act(reference, action)
        await self.first.act(reference, "decide", answer="accepted")
        await self.sponsor.act(reference, "consent")

    async def published(self, reference: str) -> str:
        """Take a draft to its publication. Return the id of its trial."""
        await self.accepted(reference)
        await self.first.act(reference, "publish")
        return str((await self.second.act(reference, "publish"))["trial_id"])
