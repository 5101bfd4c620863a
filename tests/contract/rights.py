"""The agreed rights (`rights.txt`), the callers, and the rows that each caller requests."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

from shared.access.principal import ORGANISATION_KINDS, ROLES
from tests.conftest import INTERNAL, token_of
from tests.contract import rights_capabilities, rights_criteria, rights_enrolment, rights_feasibility, rights_referrals
from tests.contract.matching import CRITERIA, EXAMPLES
from tests.contract.network import CENTRE, ORGANISATIONS, Network, Services
from tests.contract.notifications import until
from tests.contract.rights_mail import DOCUMENT as MAIL_DOCUMENT
from tests.contract.rights_mail import DOCUMENTS as MAIL_DOCUMENTS
from tests.contract.rights_mail import MAIL, confirm, token_of_link
from tests.contract.rights_submissions import DELEGATE, Dossiers
from tests.contract.rights_submissions import OWNERS as SUBMISSION_ROWS
from tests.contract.rights_submissions import QUERIES as SUBMISSION_QUERIES
from tests.contract.rights_submissions import documents as submission_documents
from tests.contract.test_registry import a_trial

TABLE = Path(__file__).with_name("rights.txt")
NEAR, FAR = "127.0.0.1", "203.0.113.9"
PUBLISHED, DRAFT, DEMO, OTHER_CENTRE = "NCT99999981", "NCT99999982", "CLEIO-DEMO-0001", "fr-necker"
FREE_PLACES = 98_765
LETTERS = {role[0]: role for role in ROLES if role != "auditor"} | {"u": "auditor"}
BOY = json.loads((EXAMPLES / "duchenne-boy.json").read_text(encoding="utf-8"))
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "gender": "male", "birthDate": "2020-12-20"}}],
}
ANY, NEW = {"If-Match": "*"}, {"If-None-Match": "*"}
KINDS = ("hospital", "centre", "sponsor", "network", "association", "authority", "coordination")
COLUMNS = ("public", "service", *KINDS, "unscoped")


@dataclass(frozen=True)
class Caller:
    """One caller. ``role`` None: every role, by a token without a scope."""

    kind: str
    near: bool = True
    role: str | None = ""
    token: str | None = None

    def __str__(self) -> str:
        return (
            f"{self.kind} {'near' if self.near else 'far'}"
            if self.role == ""
            else f"{self.kind} {self.role or 'unscoped'}"
        )


@dataclass(frozen=True)
class Expected:
    """A status, and whether restricted data is visible."""

    status: int
    allowed: bool
    whole: bool = True


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    method: str
    path: str
    row: str
    yes: int
    cells: dict[str, str]

    def concerns(self, caller: Caller) -> bool:
        """Return whether to test the line with this caller: of the roles that a line does not name, one is enough."""
        named = {LETTERS[letter] for cell in self.cells.values() for letter in cell if letter in LETTERS}
        return (
            not caller.role
            or caller.role in named
            or caller.role == ("auditor" if "clinician" in named else "clinician")
        )

    def repeats(self, caller: Caller) -> bool:
        """Return whether a kind that is refused as an administrator is asked again in a lesser role."""
        return bool(caller.role) and caller.role != "admin" and self.cells[caller.kind].isdigit()

    def expects(self, caller: Caller) -> Expected:
        if caller.kind in {"public", "service"}:
            near, _, far = self.cells[caller.kind].partition("/")
            return self._read(near if caller.near or not far else far, "")
        cell = self.cells[caller.kind]
        if caller.role is not None:
            return self._read(cell, caller.role)
        allowed, _, others = self.cells["unscoped"].partition("/")
        return self._read(allowed if not cell.isdigit() else others or cell, "")

    def _read(self, cell: str, role: str) -> Expected:
        if cell.isdigit():
            return Expected(int(cell), allowed=False)
        if cell in {"+", "~"}:
            return Expected(self.yes, allowed=True, whole=cell == "+")
        letters, _, status = cell.rstrip("~").partition("=")
        if role not in {LETTERS[letter] for letter in letters}:
            return Expected(403, allowed=False)
        return (
            Expected(int(status), allowed=False)
            if status
            else Expected(self.yes, allowed=True, whole=not cell.endswith("~"))
        )


def lines() -> Iterator[Line]:
    for text in TABLE.read_text(encoding="utf-8").splitlines():
        if text and not text.startswith(("#", "route ")):
            method, path, row, yes, *cells = text.split()
            assert len(cells) == len(COLUMNS), text
            yield Line(method, path, row, int(yes), dict(zip(COLUMNS, cells, strict=True)))


def callers(roles: tuple[str, ...]) -> Iterator[Caller]:
    for near in (True, False):
        yield Caller("public", near)
        yield Caller("service", near, token=INTERNAL)
    for kind in ORGANISATION_KINDS:
        more = {"centre": CENTRE} if kind == "centre" else {}
        for role in roles:
            yield Caller(kind, role=role, token=token_of(kind, role, organisation=f"own-{kind}", **more))  # type: ignore[arg-type]
        yield Caller(kind, role=None, token=token_of(kind, *ROLES, organisation=f"own-{kind}", scopes=(), **more))


async def ask(
    app: FastAPI, method: str, target: str, headers: dict[str, str], body: bytes, address: str
) -> tuple[int, str]:
    """Send one request directly to the application: there are thousands."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 50_000),
        "server": ("test", 80),
    }
    status, parts, given = 0, [], [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if given:
            return given.pop()
        await asyncio.Event().wait()  # the caller stays connected until it has its answer
        return None

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts).decode(errors="replace")


@dataclass
class Stage:
    """The rows that are requested: one organisation of each kind, another one, a suspended one, and their resources."""

    services: Services
    ids: dict[str, str] = field(default_factory=dict)
    made: int = 0

    @property
    def network(self) -> Network:
        return self.services.network

    async def set(self) -> None:
        for kind in KINDS:
            await self._organisation(f"own-{kind}", kind)
        await self._organisation("other-network", "network")
        await self._organisation(DELEGATE, "sponsor")
        await self._organisation("closed-hospital", "hospital")
        await self._put(
            f"{ORGANISATIONS}/closed-hospital", {"kind": "hospital", "name": "Closed", "status": "suspended"}, ANY
        )
        await self._put(f"/registry/v1/trials/{PUBLISHED}", published(), NEW)
        await self._put(f"/registry/v1/trials/{DRAFT}", draft(), NEW)
        for number, centre in ((PUBLISHED, CENTRE), (PUBLISHED, OTHER_CENTRE), (DRAFT, CENTRE)):
            await self._put(f"/registry/v1/trials/{number}/sites/{centre}", site(), ANY)
        await rights_referrals.prepare(self.network, PUBLISHED, self.ids)
        await rights_enrolment.prepare(self.network, PUBLISHED, self.ids)
        await rights_capabilities.prepare(self.network, CENTRE, OTHER_CENTRE)
        for name in ("own-network", "other-network"):
            self.ids[f"jobs/{name}"] = await self.job(name)
        self.feasibility = await rights_feasibility.set_up(self.network)
        self.submissions = Dossiers(self.network.app, ask)
        await self.submissions.set()
        await rights_referrals.until_marked(self.network.app)
        self.centre = {
            name: value
            for name, value in (await self._get(f"/registry/v1/centres/{CENTRE}")).items()
            if name in CENTRE_FIELDS
        }
        self.other_centre = {
            n: v for n, v in (await self._get(f"/registry/v1/centres/{OTHER_CENTRE}")).items() if n in CENTRE_FIELDS
        }

    async def job(self, network: str) -> str:
        """Send a file of a network; return its job once that has ended."""
        path, media = f"/registry/v1/sources/partner:{network}/trials", {"Content-Type": "application/x-ndjson"}
        answer = await self.network.call("PUT", path, self.network.admin, content=b"{}\n", headers=media)
        assert answer.status_code == 202, answer.text
        job = str(answer.json()["id"])
        async with asyncio.timeout(20):
            await until(lambda: self._has_ended(job))
        return job

    async def _has_ended(self, job: str) -> bool:
        return (await self._get(f"/registry/v1/jobs/{job}"))["state"] == "done"

    async def _organisation(self, name: str, kind: str) -> None:
        document = {"kind": kind, "name": name, **({"centre": CENTRE} if kind == "centre" else {})}
        await self._put(f"{ORGANISATIONS}/{name}", document, NEW)
        self.network.made[name] = kind
        self.ids[f"clients/{name}"] = await self.client(name)
        self.ids[f"members/{name}"] = await self.member(name)
        self.ids[f"revoked/{name}"] = await self.client(name)
        path = f"{ORGANISATIONS}/{name}/clients/{self.ids[f'revoked/{name}']}"
        assert (await self.network.call("DELETE", path, self.network.admin, headers=ANY)).status_code == 204
        self.ids[f"subscriptions/{name}"] = await self.subscription(name, kind)
        self.ids[f"mail_subscriptions/{name}"] = await self.mail_subscription(name, kind)

    async def _put(self, path: str, document: Any, headers: dict[str, str]) -> None:
        answer = await self.network.call("PUT", path, self.network.admin, json=document, headers=headers)
        assert answer.is_success, answer.text

    async def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.network.call("GET", path, self.network.admin)).json()
        return found

    async def client(self, organisation: str) -> str:
        return str((await self.network.client(organisation, scopes=[], name=f"client of {organisation}"))["id"])

    async def member(self, organisation: str) -> str:
        self.made += 1
        document = {"issuer": "https://login.example", "subject": f"{organisation}-{self.made}", "roles": ["dpo"]}
        answer = await self.network.call(
            "POST", f"{ORGANISATIONS}/{organisation}/members", self.network.admin, json=document
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def subscription(self, organisation: str, kind: str) -> str:
        created = await self._subscribe(
            "/notifications/v1/subscriptions", subscription(organisation), organisation, kind
        )
        return str(json.loads(created)["id"])

    async def mail_subscription(self, organisation: str, kind: str) -> str:
        created = await self._subscribe(MAIL, MAIL_DOCUMENT, organisation, kind)
        return await confirm(self.services.apps["notifications"], created)

    async def _subscribe(self, path: str, document: Any, organisation: str, kind: str) -> str:
        token = token_of(kind, "editor", organisation=organisation)  # type: ignore[arg-type]
        body = json.dumps(document).encode()
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        status, answer = await ask(self.services.apps["notifications"], "POST", path, headers, body, NEAR)
        assert status == 201, answer
        return answer

    async def request(self, line: Line, caller: Caller, allowed: bool) -> tuple[FastAPI, str, dict[str, str], bytes]:
        """Return the request to send: application, path, headers and body."""
        own = f"own-{caller.kind}" if caller.kind in KINDS else "own-hospital"
        organisation = {"other": "other-network", "suspended": "closed-hospital"}.get(line.row, own)
        values = {
            "identifier": {"draft": DRAFT, **rights_capabilities.TRIALS}.get(line.row, PUBLISHED),
            "centre": OTHER_CENTRE if line.row in {"other", "elsewhere"} else CENTRE,
            "source": "sample" if "{record}" in line.path else "ctgov",
            "record": DEMO,
            "organisation": organisation,
            "network": "other-network" if line.row == "theirs" else "own-network",
            **rights_capabilities.VALUES,
            "plot": "access",
            "disease": "ORPHA:275752",
        }
        values["submission"] = self.feasibility["theirs" if line.row == "theirs" else "own"]
        values["job"] = self.ids[f"jobs/{values['network']}"]
        values |= {"user": "clinician", "cohort": "all", "referral": self.ids["referral"], "hold": self.ids["hold"]}
        if "{reference}" in line.path:
            deletes = line.method == "DELETE" and allowed
            values["reference"] = rights_referrals.reference(line.row, self.ids, deletes=deletes)
        if line.path.endswith("/lift") and allowed:
            values["hold"] = await rights_enrolment.new_hold(self.network, PUBLISHED)
        values["review"] = f"scope:{values['identifier']}"
        if "{link}" in line.path:
            own_mail = self.ids["mail_subscriptions/own-hospital"]
            values["link"] = token_of_link(self.services.apps["notifications"], line.path, own_mail)
        for name in ("client", "member", "subscription", "mail_subscription"):
            if f"{{{name}}}" in line.path:
                spent = line.method == "DELETE" and allowed and line.row != "revoked"
                values[name] = (
                    await self._row(name, organisation, spent)
                    if line.row != "revoked"
                    else self.ids[f"revoked/{organisation}"]
                )
        if "{submission}" in line.path and line.row in SUBMISSION_ROWS:
            values |= await self.submissions.values(line, allowed=allowed)
        if "{key}" in line.path:
            values["key"] = await self._place() if allowed else "0" * 32
        if "{number}" in line.path:
            values["number"] = await self._number(line.path, values["identifier"]) if allowed else "1"
        if "{code}" in line.path and allowed:
            await rights_capabilities.state_again(self.network, values["centre"])
        headers: dict[str, str] = {}
        body = b""
        if line.method in {"PUT", "PATCH", "POST", "DELETE"}:
            headers = {**ANY, "Idempotency-Key": uuid.uuid4().hex} if line.method == "POST" else dict(ANY)
        if (document := self._document(line, organisation)) is not None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            headers["Content-Type"] = MEDIA_TYPES.get((line.method, line.path), "application/json")
            headers["Content-Length"] = str(len(body))
        if caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        service = line.row if line.path in {"/metrics", "/backup"} else line.path.split("/")[1]
        if line.path.startswith(("/fhir/ResearchStudy/$match", "/cds-services")):
            service = "matching"
        return (
            self.services.apps.get(service, self.network.app),
            line.path.format(**values) + QUERIES.get((line.path, line.row), ""),
            headers,
            body,
        )

    async def _place(self) -> str:
        """Say which place a facility text is; return its key."""
        self.made += 1
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        body = json.dumps({"facility": f"F{self.made}", "none": True, "reason": "x"})
        answer = await self.network.call(
            "POST", "/registry/v1/places", self.network.admin, content=body, headers=headers
        )
        assert answer.is_success, answer.text
        return str(answer.json()["key"])

    async def _number(self, path: str, trial: str) -> str:
        """Make a proposal of criteria or a statement; return its number."""
        if "/proposals/" in path:
            return await rights_criteria.new_proposal(self.network, trial, CRITERIA)
        return await self._statement(trial)

    async def _statement(self, trial: str) -> str:
        """Make a statement on a trial; return its number."""
        self.made += 1
        path, media = f"/registry/v1/trials/{trial}", "application/merge-patch+json"
        body, headers = json.dumps({"acronym": f"S{self.made}"}), {**ANY, "Content-Type": media}
        answer = await self.network.call("PATCH", path, self.network.admin, content=body, headers=headers)
        assert answer.is_success, answer.text
        return str((await self._get(f"{path}/statements"))["items"][-1]["number"])

    async def _row(self, name: str, organisation: str, spent: bool) -> str:
        key = f"{name}s/{organisation}"
        if not spent:
            return self.ids[key]
        if name == "subscription":
            return await self.subscription(organisation, self.network.made[organisation])
        if name == "mail_subscription":
            return await self.mail_subscription(organisation, self.network.made[organisation])
        return await (self.client(organisation) if name == "client" else self.member(organisation))

    def _document(self, line: Line, organisation: str) -> Any:
        self.made += 1
        centre = self.other_centre if line.row == "other" else self.centre
        documents: dict[str, Any] = {
            **rights_feasibility.documents(OTHER_CENTRE if line.row == "other" else CENTRE),
            **rights_referrals.documents(PUBLISHED),
            **rights_criteria.documents(CRITERIA),
            **rights_enrolment.documents(OTHER_CENTRE if line.row == "other" else CENTRE),
            "PUT /registry/v1/trials/{identifier}": published() if line.row == "published" else draft(),
            "PATCH /registry/v1/trials/{identifier}": {"acronym": f"A{self.made}"},
            "PUT /registry/v1/trials/{identifier}/criteria": {**CRITERIA, "trial": PUBLISHED},
            "PUT /registry/v1/sources/{source}/trials": b"{}\n",
            "POST /registry/v1/sources/{source}/sync": {},
            "POST /registry/v1/trials/{identifier}/merge": {"into": DEMO, "reason": "none"},
            "POST /registry/v1/trials/{identifier}/unmerge": {"reason": "none"},
            "POST /registry/v1/sources/{source}/records/{record}/assign": {"trial": None, "reason": "none"},
            "PUT /registry/v1/sources/partner:{network}/trials": b'{"number": "x"}\n',
            "POST /registry/v1/reviews/{review}/decide": {"answer": "out_of_scope", "reason": "none"},
            "POST /registry/v1/trials/{identifier}/state": {"action": "withdraw", "reason": "none"},
            "POST /registry/v1/trials/{identifier}/owner": {"owner": None, "reason": "none"},
            "PUT /registry/v1/trials/{identifier}/sites/{centre}": site(),
            "POST /registry/v1/places": {"facility": f"F{self.made}", "none": True, "reason": "x"},
            "PUT /registry/v1/centres/{centre}": centre,
            "PUT /registry/v1/organisations/{organisation}": self._organisation_document(organisation),
            "POST /registry/v1/organisations/{organisation}/clients": {"name": "x", "method": "api_key", "scopes": []},
            "PUT /registry/v1/organisations/{organisation}/clients/{client}": {
                "name": f"client of {organisation}",
                "scopes": [],
            },
            "POST /registry/v1/organisations/{organisation}/clients/{client}/rotate": {"overlap_hours": 0},
            "POST /registry/v1/organisations/{organisation}/members": {
                "issuer": "https://login.example",
                "subject": f"new-{self.made}",
                "roles": ["dpo"],
            },
            "PUT /registry/v1/organisations/{organisation}/members/{member}": {"roles": ["dpo"]},
            "POST /oauth/token": b"grant_type=nothing",
            "POST /registry/v1/internal/identity/introspect": {"credential": "x"},
            "POST /registry/v1/internal/administrators": {"name": "x"},
            "POST /registry/v1/internal/terminology/releases": {"releases": []},
            "POST /registry/v1/internal/geography/files": {"files": []},
            "POST /matching/v1/match": BOY,
            "POST /matching/v1/patients/read": BOY,
            "POST /matching/v1/criteria/dry-run": {"criteria": CRITERIA, "patient": BOY},
            "POST /matching/v1/criteria/check": CRITERIA,
            "POST /fhir/ResearchStudy/$match": BUNDLE,
            "POST /cds-services/trials": {
                "hook": "patient-view",
                "hookInstance": "x",
                "context": {"patientId": "p"},
                "prefetch": {"patient": BUNDLE["entry"][0]["resource"]},
            },
            "POST /cds-services/trials/feedback": {"feedback": []},
            "POST /notifications/v1/subscriptions": subscription("x"),
            "PUT /notifications/v1/subscriptions/{subscription}": subscription(organisation),
            "POST /notifications/v1/subscriptions/{subscription}/rotate": {"overlap_hours": 0},
            **MAIL_DOCUMENTS,
        }
        others = rights_capabilities.DOCUMENTS | submission_documents(line)
        return (documents | others).get(f"{line.method} {line.path}")

    def _organisation_document(self, organisation: str) -> dict[str, Any]:
        kind = self.network.made[organisation]
        status = "suspended" if organisation == "closed-hospital" else "active"
        return {
            "kind": kind,
            "name": f"name {self.made}",
            "status": status,
            **({"centre": CENTRE} if kind == "centre" else {}),
        }

    def marker(self, line: Line) -> str | None:
        """Return a text that is in an answer with the whole row, and in no other."""
        return {
            "drafts": DRAFT,
            "demo": DEMO,
            "slots": f'"open":{FREE_PLACES}',
            "held": f'"kind":"{rights_enrolment.KIND}"',
            "others": self.ids[f"{'mail_' * ('mail' in line.path)}subscriptions/other-network"]
            if line.path.startswith("/notifications")
            else "other-network",
            "revocations": self.ids["revoked/other-network"],
            "evidence": rights_capabilities.EVIDENCE,
            "own": "client of other-network" if line.path.endswith("/clients") else self.ids["members/other-network"],
        }.get(line.row)


CENTRE_FIELDS = frozenset(
    {
        "name",
        "finess_et",
        "city",
        "departement",
        "region",
        "lat",
        "lon",
        "label",
        "populations",
        "capabilities",
        "member",
        "illustrative",
    }
)
MEDIA_TYPES = {
    ("PATCH", "/registry/v1/trials/{identifier}"): "application/merge-patch+json",
    ("PUT", "/registry/v1/sources/{source}/trials"): "application/x-ndjson",
    ("PUT", "/registry/v1/sources/partner:{network}/trials"): "application/x-ndjson",
    ("POST", "/oauth/token"): "application/x-www-form-urlencoded",
}
QUERIES = {
    ("/registry/v1/reports/kpi", "year"): "?year=2026",
    ("/registry/v1/reports/kpi", "theirs"): f"?view=centre&year=2026&centre={OTHER_CENTRE}",
    ("/registry/v1/reports/kpi/plots/{plot}", "year"): "?year=2026",
    ("/registry/v1/reports/referral-counts", "owned"): f"?trial={rights_capabilities.OWNED}",
    ("/registry/v1/reports/referral-counts", "unowned"): f"?trial={rights_capabilities.UNOWNED}",
    ("/registry/v1/organisation-names", "-"): "?ids=other-network",
    ("/registry/v1/trials", "drafts"): "?limit=200",
    ("/registry/v1/trials/suggest", "-"): "?q=a",
    ("/registry/v1/feed", "drafts"): "?limit=1000",
    ("/registry/v1/feed", "demo"): "?limit=1000",
    ("/registry/v1/feed", "revocations"): "?limit=1000",
    ("/registry/v1/organisations", "others"): "?limit=200",
    ("/registry/v1/sources/{source}/trials", "-"): "?dry_run=true",
    ("/notifications/v1/subscription-summaries", "others"): "?limit=200",
    ("/registry/v1/signing-keys/rotate", "-"): "?compromised=true",  # repeated requests may find it done
    ("/matching/v1/match", "invented"): "?synthetic=true",
    ("/matching/v1/patients/read", "invented"): "?synthetic=true",
    ("/fhir/ResearchStudy/$match", "invented"): "?synthetic=true",
    ("/matching/v1/criteria/dry-run", "invented"): "?synthetic=true",
    **SUBMISSION_QUERIES,
}


def published() -> dict[str, Any]:
    return a_trial(PUBLISHED, sites=[{"centre": centre, "status": "recruiting"} for centre in (CENTRE, OTHER_CENTRE)])


def draft() -> dict[str, Any]:
    """Create a draft: a trial whose scope is unclear waits for review."""
    return a_trial(
        DRAFT,
        conditions=[{"text": "Langerhans cell histiocytosis"}],
        sites=[{"centre": CENTRE, "status": "recruiting"}],
    )


def site() -> dict[str, Any]:
    return {"status": "recruiting", "slots": [{"cohort": "all", "open": FREE_PLACES}]}


def subscription(name: str) -> dict[str, Any]:
    return {"channel": {"type": "webhook", "url": f"http://127.0.0.1:9/{name}"}, "types": ["trial.published"]}
