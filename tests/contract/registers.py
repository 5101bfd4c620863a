"""Servers on loopback that answer as public registers do, with faults on demand."""

import json
import re
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


class Eclaire(Register):
    """ECLAIRE: a Bundle by offset, without a link to the next page; 404 where nothing is found."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/ResearchStudy", self.studies)]

    async def studies(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.asked.append(query)
        count, offset = int(query.get("_count", "20")), int(query.get("_getpagesoffset", "0"))
        if count > 100:
            return web.json_response({"error": "Bad Request", "message": "_count"}, status=400)
        since = query.get("_lastUpdated", "ge").removeprefix("ge")
        names = [
            name
            for name, study in sorted(self.records.items())
            if study.get("meta", {}).get("lastUpdated", "9") >= since
        ]
        found = [name for name in names if query.get("identifier", name) == name]
        page = found[offset : offset + count]
        entries = [{"resource": resource} for name in page for resource in self.with_included(name)]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
        fault = self.fault(json.dumps(bundle).encode())
        return fault or web.json_response(bundle, status=200 if page else 404)

    def with_included(self, name: str) -> list[dict[str, Any]]:
        study = {key: value for key, value in self.records[name].items() if key != "contained"}
        return [study, *self.records[name].get("contained", [])]


class Ctis(Register):
    """CTIS: a search by page from 1, and each trial by its number."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/search", self.search), web.get("/retrieve/{number}", self.retrieve)]

    async def search(self, request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["pagination"]
        self.asked.append(asked)
        found = sorted(self.records, key=lambda number: iso(self.records[number]), reverse=True)
        start = (asked["page"] - 1) * asked["size"]
        rows = [
            {"ctNumber": one, "lastUpdated": self.records[one]["lastUpdated"]} for one in found[start:][: asked["size"]]
        ]
        return self.answer({"pagination": {"totalRecords": len(found)}, "data": rows})

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        number = request.match_info["number"]
        self.asked.append({"number": number})
        return self.answer(self.records[number]) if number in self.records else web.Response(status=404)


def iso(record: dict[str, Any]) -> str:
    """Return the day of a record of CTIS, which writes 31/12/2026."""
    day = record["lastUpdated"]
    return f"{day[6:10]}-{day[3:5]}-{day[:2]}" if "/" in day else str(day)


class Isrctn(Register):
    """ISRCTN: XML without pages. ``records`` have the day of editing and the elements of the trial."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.query)]

    async def query(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.asked.append(query)
        bounds = dict(re.findall(r"lastEdited (GE|LT) (\d{4}-\d\d-\d\d)", query["q"]))
        found = [
            (name, one)
            for name, one in sorted(self.records.items())
            if (query["q"] == name or bounds) and bounds.get("GE", "") <= one["edited"] < bounds.get("LT", "9")
        ]
        trials = "".join(f"<fullTrial>{one['xml']}</fullTrial>" for _, one in found[: int(query["limit"])])
        namespace = "http://www.67bricks.com/isrctn"
        body = f'<allTrials xmlns="{namespace}" totalCount="{len(found)}">{trials}</allTrials>'
        return self.fault(body.encode()) or web.Response(text=body, content_type="application/xml")


class Euctr(Register):
    """EUCTR: two protocols a page, as text; the number of pages in a page for people."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/search", self.search), web.get("/rest/download/full", self.download)]

    async def search(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        pages = (len(self.records) + 1) // 2
        return web.Response(text=f"<p>{len(self.records)} result(s) found. Displaying page 1 of {pages}.</p>")

    async def download(self, request: web.Request) -> web.StreamResponse:
        start = (int(request.query["page"]) - 1) * 2
        names = [name for name in sorted(self.records) if name.startswith(request.query["query"][:4])]
        names = names or sorted(self.records)[start : start + 2]
        text = "EU Clinical Trials Register Data Download\n" + "\n".join(self.records[one]["text"] for one in names)
        return self.fault(text.encode()) or web.Response(text=text)
