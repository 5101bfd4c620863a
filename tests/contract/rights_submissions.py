"""The dossiers that the rights matrix requests: of the calling sponsor (`dossier`) and of another one (`rival`)."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import FastAPI

from tests.conftest import token_of
from tests.contract.submissions import CONTENT, DOSSIERS

PREFIX = f"{DOSSIERS}/{{submission}}"
DELEGATE = "third-sponsor"
OWNERS = {"dossier": "own-sponsor", "consent": "own-sponsor", "rival": "other-sponsor"}
QUERIES = {(f"{PREFIX}/versions/diff", "dossier"): "?from=1"}


class Ask(Protocol):
    """Sends one request directly to the application."""

    async def __call__(
        self, app: FastAPI, method: str, target: str, headers: dict[str, str], body: bytes, address: str
    ) -> tuple[int, str]: ...


@dataclass
class Dossiers:
    """Makes dossiers. Those in ``ready`` are in feasibility, those in ``drafts`` are drafts: refused requests use them.

    What is allowed gets one of its own.
    """

    app: FastAPI
    ask: Ask
    ready: dict[str, str] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)

    async def set(self) -> None:
        for row in ("dossier", "rival"):
            self.ready[row], self.drafts[row] = await self.in_feasibility(row), await self.draft(row)
        self.ready["consent"] = self.ready["dossier"]

    async def values(self, line: Any, *, allowed: bool) -> dict[str, str]:
        """Return the parameters of a path."""
        decides = line.method == "GET" or line.path.endswith("/decisions")
        if line.method == "GET" or not allowed:
            reference = (self.ready if decides else self.drafts)[line.row]
        else:
            reference = await (self.in_feasibility(line.row) if decides else self.draft(line.row))
        if line.method == "DELETE" and allowed:
            await self._send("PUT", f"{DOSSIERS}/{reference}/delegates/{DELEGATE}", {}, OWNERS[line.row])
        return {"submission": reference, "organisation": DELEGATE}

    async def draft(self, row: str) -> str:
        return str((await self._send("POST", DOSSIERS, {"content": CONTENT}, OWNERS[row]))["reference"])

    async def in_feasibility(self, row: str) -> str:
        reference = await self.draft(row)
        for action, by in (("submit", OWNERS[row]), ("screen", ""), ("open_feasibility", "")):
            await self._send("POST", f"{DOSSIERS}/{reference}/steps", {"action": action}, by)
        return reference

    async def _send(self, method: str, path: str, document: Any, sponsor: str) -> dict[str, Any]:
        token = (
            token_of("sponsor", "editor", organisation=sponsor)
            if sponsor
            else token_of("coordination", "editor", organisation="own-coordination")
        )
        body = json.dumps(document).encode()
        headers = {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", "If-Match": "*",
            "Content-Length": str(len(body)),
        }  # fmt: skip
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        status, answer = await self.ask(self.app, method, path, headers, body, "127.0.0.1")
        assert status in {200, 201}, answer
        found: dict[str, Any] = json.loads(answer)
        return found


def documents(line: Any) -> dict[str, Any]:
    """Return the bodies of requests."""
    decision = {"action": "consent"} if line.row == "consent" else {"action": "decide", "answer": "declined"}
    return {
        f"POST {DOSSIERS}": {"content": CONTENT},
        f"POST {DOSSIERS}/usdm": {"study": {"versions": [{}]}},
        f"PUT {PREFIX}/content": {"content": CONTENT},
        f"POST {PREFIX}/steps": {"action": "submit"},
        f"POST {PREFIX}/decisions": {**decision, "reason": "none"},
        f"POST {PREFIX}/comments": {"text": "x"},
        f"PUT {PREFIX}/delegates/{{organisation}}": {},
        f"POST {PREFIX}/transfer": {"to": None, "reason": "none"},
    }
