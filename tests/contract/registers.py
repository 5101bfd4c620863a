"""Servers on loopback that answer as public registers do, with faults on demand."""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.conftest import free_port

# Name of a fault → the answer in place of a good one.
FAULTS: dict[str, Callable[[bytes], web.StreamResponse]] = {
    "500": lambda _: web.Response(status=500, text="<html>oops</html>"),
    "429": lambda _: web.Response(status=429, headers={"Retry-After": "0"}),
    "html": lambda _: web.Response(text="<html>Maintenance</html>"),
    "cut": lambda body: web.Response(body=body[: len(body) // 2]),
    "latin-1": lambda _: web.Response(body='{"studies": ["é"]}'.encode("latin-1")),
    "other json": lambda _: web.json_response({"message": "ok"}),
    "token refused": lambda _: web.Response(status=400, text="Invalid page token"),
}


@dataclass
class Register:
    """A register: its records by id, and what it does wrong next.

    ``faults``: names of `FAULTS`, one for each request; empty text: a good answer. ``before_page``: called before each
    good page, to change the register while it is read. ``asked``: the queries so far.
    """

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    before_page: Callable[[], None] = lambda: None
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def fault(self, body: bytes) -> web.StreamResponse | None:
        """Return the answer of the next fault, if it is the turn of one."""
        name = self.faults.popleft() if self.faults else ""
        return FAULTS[name](body) if name else None

    def answer(self, body: Any) -> web.StreamResponse:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.fault(content) or web.Response(body=content, content_type="application/json")


class Ctgov(Register):
    """ClinicalTrials.gov: pages of two studies. ``repeats``: answers with the same token again and again."""

    size = 2
    repeats = False

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/studies", self.studies), web.get("/studies/{number}", self.study)]

    async def studies(self, request: web.Request) -> web.StreamResponse:
        self.before_page()
        query = dict(request.query)
        self.asked.append(query)
        since = query.get("filter.advanced", "RANGE[,").partition("RANGE[")[2].partition(",")[0]
        found = sorted(
            (number for number, record in self.records.items() if updated(record) >= since),
            key=lambda number: (updated(self.records[number]), number),
        )
        start = int(query.get("pageToken", "0"))
        page = found[start : start + self.size]
        studies = [self.shown(number, query["fields"]) for number in page]
        following = {"nextPageToken": str(start if self.repeats and start else start + self.size)} if page else {}
        return self.answer({"studies": studies, "totalCount": len(found), **following})

    async def study(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        if number not in self.records:
            return web.Response(status=404, text="NCT number not found")
        return self.answer(self.records[number])

    def shown(self, number: str, fields: str) -> Any:
        return study_head(number) if fields == "NCTId" else self.records[number]


def study_head(number: str) -> dict[str, Any]:
    return {"protocolSection": {"identificationModule": {"nctId": number}}}


def updated(record: dict[str, Any]) -> str:
    day = record["protocolSection"]["statusModule"].get("lastUpdatePostDateStruct", {}).get("date", "2026-01-01")
    return str(day)


@asynccontextmanager
async def serving(register: Any) -> AsyncIterator[Any]:
    """Serve a register on loopback; its address is in ``url``."""
    app = web.Application()
    app.add_routes(register.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    register.url = f"http://127.0.0.1:{port}"
    try:
        yield register
    finally:
        await runner.cleanup()
