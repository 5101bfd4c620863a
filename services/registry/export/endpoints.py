"""``GET /registry/v1/export``: a header with a feed position taken *before* anything was read, the centres, the trials, and an end line.

Loading it and then following the feed from that position misses nothing; a file without its end line is cut. Demonstration trials go to
the network's own services and coordination alone; open places to who reads them anyway.
"""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.centres.repository import CentreRepository
from services.registry.schema import FEED
from services.registry.trials.endpoints import site_document
from services.registry.trials.repository import StoredTrial, TrialRepository
from shared.access.policy import Access, decide
from shared.endpoints.feed import seal_position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.persistence import Database

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["feed"])

Reader = Annotated[Access, Depends(allow("feed", "read"))]
MEDIA_TYPE = "application/x-ndjson"
PAGE = 50


@router.get("/export", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
@accepts(seconds=None)
@produces(MEDIA_TYPE)
async def export(request: Request, access: Reader) -> StreamingResponse:
    """Everything the caller may see, one JSON object a line."""
    return StreamingResponse(_lines(request, access), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


async def _lines(request: Request, access: Access) -> AsyncIterator[str]:
    """A page at a time, each of one moment: while its reader takes it, nothing in the database is held. What changes meanwhile is in the feed."""
    database: Database = request.app.state.database
    count = 0
    async with database.read() as connection:
        position = await FEED.position(connection)
    following = f"/registry/v1/feed?cursor={seal_position(request.app.state.cursors, 'registry', position)}"
    yield _line({"kind": "header", "following": following, "terminology": request.app.state.terminology.version})
    for pages in (_centres(database), _trials(database, access)):
        async for page in pages:
            count += len(page)
            yield "".join(page)
    yield _line({"kind": "end", "count": count})


async def _centres(database: Database) -> AsyncIterator[list[str]]:
    after: str | None = None
    while True:
        async with database.read() as connection:
            centres = await CentreRepository(connection).page(after, PAGE)
        if not centres:
            return
        yield [f'{{"kind":"centre","centre":{centre.model_dump_json()}}}\n' for centre in centres]
        after = centres[-1].id


async def _trials(database: Database, access: Access) -> AsyncIterator[list[str]]:
    sites_read = decide(access.principal, "read", "site")
    slots = sites_read is not None and sites_read.fields == "all"
    after = ""
    while True:
        async with database.read() as connection:
            repository = TrialRepository(connection)
            trials = await repository.after(after, access.rows, PAGE, demo="demo" in access.audiences)
            page = [await _trial(repository, stored, with_slots=slots) for stored in trials]
        if not trials:
            return
        yield page
        after = trials[-1].trial.id


async def _trial(repository: TrialRepository, stored: StoredTrial, *, with_slots: bool) -> str:
    sites = [site_document(stored.trial.id, site, with_slots=with_slots) for site in await repository.sites(stored.key)]
    criteria = await repository.criteria(stored.key)
    return (
        f'{{"kind":"trial","id":{json.dumps(stored.trial.id)},"version":{stored.trial.version},"trial":{stored.trial.model_dump_json()},'
        f'"criteria":{criteria or "null"},"sites":[{",".join(site.model_dump_json() for site in sites)}]}}\n'
    )


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
