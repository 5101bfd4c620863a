"""Callers of feasibility for tests: a dossier open for it, centres with legal entities, and their questionnaires."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from shared.access.principal import OrganisationKind
from shared.values.clock import day_in_france
from tests.conftest import client_of, token_of
from tests.contract.submissions import CONTENT, Cast, checked

BASE = "/registry/v1"
# Two centres of one legal entity, and one of another.
ENTITIES = {"fr-necker": "750712184", "fr-trousseau": "750712184", "fr-strasbourg": "670780055"}
CODED = {
    **CONTENT,
    "trial": {
        **CONTENT["trial"],
        "acronym": "HIDDEN-1",
        "conditions": [{"code": "ORPHA:589", "text": "Myasthenia gravis"}],
    },
}
ANSWERS: dict[str, Any] = {
    "populations": "child", "competing_trials": 1, "investigator": "yes", "gcp": "valid", "contract_time": 3,
    "activation_time": 2, "languages": "english", "able": "yes", "recruitment_per_year": 4, "recruitment_total": 9,
    "recruitment_months": 24, "long_term_follow_up": "yes",
}  # fmt: skip
PER_DISEASE = ("patients_per_year", "patients_in_age_range")


@dataclass
class Member:
    """One person or program of an organisation that takes part in feasibility."""

    app: FastAPI
    token: str

    async def call(
        self, method: str, path: str, body: Any = None, version: int | str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        if version == "new":
            headers["If-None-Match"] = "*"
        elif version is not None:
            headers["If-Match"] = version if isinstance(version, str) else f'"v{version}"'
        async with client_of(self.app, token=self.token) as client:
            return await client.request(method, f"{BASE}{path}", json=body, headers=headers, **more)

    async def get(self, path: str, expected: int = 200) -> dict[str, Any]:
        return checked(await self.call("GET", path), expected)

    async def step(self, path: str, action: str, expected: int = 200, **more: Any) -> dict[str, Any]:
        """Take a step of the request at a path, by default from any version."""
        version = more.pop("version", "*")
        return checked(await self.call("POST", f"{path}/steps", {"action": action, **more}, version), expected)

    async def save(self, path: str, answers: list[dict[str, Any]], expected: int = 200, **more: Any) -> dict[str, Any]:
        body = {"answers": answers, **more}
        return checked(await self.call("PUT", f"{path}/answers", body, "*"), expected)


def member(app: FastAPI, kind: OrganisationKind, organisation: str, centre: str | None = None) -> Member:
    more = {"centre": centre} if centre else {}
    return Member(app, token_of(kind, "admin", "editor", organisation=organisation, **more))


def answers(condition: str | None = "ORPHA:589", **changes: Any) -> list[dict[str, Any]]:
    """Return answers to every required question."""
    given = {**ANSWERS, **changes}
    found = [{"question": name, "value": value} for name, value in given.items() if value is not None]
    of_disease = {"condition": condition} if condition else {}
    return [*found, *({"question": name, "value": 12, **of_disease} for name in PER_DISEASE)]


def today(days: int = 0) -> str:
    return day_in_france(datetime.now(UTC) + timedelta(days=days)).isoformat()


def agreement(finess: str, **changes: Any) -> dict[str, Any]:
    signed = {"signed_on": today(-1), "valid_until": today(365)}
    return {"finess_ej": finess, "signed_by": "Direction de la recherche", "evidence": "CDA-17", **signed, **changes}


@dataclass
class Study:
    """A dossier of the sponsor ``acme`` that is open for feasibility, and those who work on it."""

    app: FastAPI
    cast: Cast
    reference: str
    coordination: Member
    sponsor: Member
    centres: dict[str, Member]

    @classmethod
    async def open(cls, app: FastAPI, content: Any = None) -> "Study":
        cast = Cast.of(app)
        reference = str((await cast.sponsor.create(content or CODED))["reference"])
        await cast.sponsor.act(reference, "submit")
        for action in ("screen", "open_feasibility"):
            await cast.first.act(reference, action)
        coordination = member(app, "coordination", "coordination")
        centres = {name: member(app, "centre", f"org-{name}", name) for name in ENTITIES}
        return cls(app, cast, reference, coordination, member(app, "sponsor", "acme"), centres)

    def path(self, centre: str) -> str:
        return f"/feasibility/{self.reference}/{centre}"

    @property
    def overview(self) -> str:
        return f"/submissions/{self.reference}/feasibility"

    async def ask(self, who: Member, expected: int = 201, **body: Any) -> dict[str, Any]:
        return checked(await who.call("POST", self.overview, body), expected)

    async def ask_all(self) -> None:
        """Ask the three centres, whose legal entities are recorded, as their work begins."""
        for centre, finess in ENTITIES.items():
            body = {"finess_ej": finess, "name": f"Entity of {centre}"}
            answer = await self.coordination.call("PUT", f"/centres/{centre}/legal-entity", body, "new")
            assert answer.status_code in {201, 412}, answer.text
        await self.ask(self.coordination, centres=list(ENTITIES))

    async def act(self, centre: str, *actions: str) -> None:
        """Take steps of the coordination."""
        for action in actions:
            await self.coordination.step(self.path(centre), action)

    async def sign(self, centre: str, expected: int = 201, version: int | str = "new", **more: Any) -> dict[str, Any]:
        body = agreement(ENTITIES[centre], **more)
        return checked(await self.coordination.call("PUT", f"{self.path(centre)}/gate", body, version), expected)

    async def answer(self, centre: str, *, named: bool = False, **changes: Any) -> None:
        """Send the questionnaire to a centre behind the gate; it answers."""
        await self.act(centre, "triage", "sign_cda", "send_questionnaire")
        who = self.centres[centre]
        await who.save(self.path(centre), answers(**changes), may_be_named=named)
        await who.step(self.path(centre), "submit")
