"""The feed over HTTP: CloudEvents batches with long polling. Every answer, also an empty one, links to the next one."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access import Principal
from shared.access.policy import Access
from shared.feed.changes import Reader, Visibility, to_cloudevent, write_routing
from shared.feed.filters import read_facets, read_types
from shared.feed.log import Entry, FeedLog, Position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.persistence import Database
from shared.tracing import cause_of
from shared.values.cursors import Cursors
from shared.values.problems import GoneError
from shared.values.wire import Label
from shared.vocabulary.events import AGE_BANDS, ATMP_CLASSES, EVENT_TYPES

MEDIA_TYPE = "application/cloudevents-batch+json"
MAX_WAIT_SECONDS = 25
# Entries scanned in one query, so that a reader who may see few of them still moves on.
SCAN = 1_000
POLL_SECONDS = 0.25

FeedReader = Annotated[Access, Depends(allow("feed", "read"))]


class StaleCursorError(GoneError):
    """The cursor belongs to an earlier generation: the reader must load the export again and use its cursor."""

    code = "cursor_of_earlier_generation"
    title = Label(
        fr="Ce curseur date d'avant une restauration",
        en="This cursor is older than a restore",
    )
    detail = Label(
        fr="Rechargez l'export (lien `alternate`), puis reprenez le flux au curseur de l'export.",
        en="Load the export again (link `alternate`), then read the feed from the cursor of the export.",
    )

    def __init__(self, export: str) -> None:
        super().__init__(headers={"Link": f'<{export}>; rel="alternate"'})


def seal_position(cursors: Cursors, service: str, position: Position) -> str:
    """Write a position as the opaque cursor that callers get."""
    return cursors.seal(f"feed:{service}", [position.generation, position.seq])


def feed_router(service: str, log: FeedLog) -> APIRouter:
    """``GET /<service>/v1/feed``."""
    router = APIRouter(prefix=f"/{service}/v1", route_class=ApiRoute, tags=["feed"])
    path = f"/{service}/v1/feed"

    @router.get(
        "/feed",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}}}}},
    )
    @accepts(seconds=None)
    @produces(MEDIA_TYPE, "application/json")
    async def read_feed(
        request: Request,
        access: FeedReader,
        cursor: Annotated[
            str | None, Query(max_length=256, description="Where to continue; absent: from the beginning.")
        ] = None,
        wait: Annotated[int, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for a new entry.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of entries.")] = 100,
        types: Annotated[
            str | None,
            Query(max_length=500, description=f"Event types, comma-separated: {', '.join(EVENT_TYPES)}. Unknown: 400."),
        ] = None,
        condition: Annotated[
            str | None, Query(max_length=200, description="Codes of diseases such as ORPHA:98896, comma-separated.")
        ] = None,
        age_band: Annotated[
            str | None,
            Query(max_length=20, description=f"Age bands, comma-separated: {', '.join(AGE_BANDS)}. Unknown: 400."),
        ] = None,
        departement: Annotated[
            str | None,
            Query(max_length=500, description="French départements such as 75 or 2A, comma-separated. Unknown: 400."),
        ] = None,
        atmp_class: Annotated[
            str | None,
            Query(
                max_length=60, description=f"Product classes, comma-separated: {', '.join(ATMP_CLASSES)}. Unknown: 400."
            ),
        ] = None,
        centre: Annotated[
            str | None, Query(max_length=500, description="Ids of centres such as fr-necker, comma-separated.")
        ] = None,
    ) -> Response:
        """Changes since the cursor, oldest first."""
        state = request.app.state
        asked = {
            "condition": condition,
            "age_band": age_band,
            "departement": departement,
            "atmp_class": atmp_class,
            "centre": centre,
        }
        reader = Reader(access.audiences, read_facets(asked), read_types(types))
        database: Database = state.database
        async with database.read() as connection:
            newest = await log.position(connection)
        at = _open_cursor(state.cursors, service, cursor, newest)
        events, at = await _collect(
            database,
            log,
            reader,
            at,
            limit,
            wait,
            _renderer(f"{state.settings.event_source}/{service}", access.principal),
        )
        following = request.url.include_query_params(cursor=seal_position(state.cursors, service, at))
        return Response(
            json.dumps(events, separators=(",", ":"), ensure_ascii=False),
            media_type=MEDIA_TYPE,
            headers={"Link": f'<{path}?{following.query}>; rel="next"', "Cache-Control": "no-store"},
        )

    return router


def _renderer(source: str, principal: Principal) -> Callable[[Entry, bool], dict[str, Any]]:
    def render(entry: Entry, tombstone: bool) -> dict[str, Any]:
        event = to_cloudevent(
            source=source,
            event_id=entry.id,
            event_type=entry.type,
            subject=entry.subject,
            version=entry.version,
            at=entry.at,
            changed=entry.changed,
            extra=entry.extra,
            tombstone=tombstone,
        )
        if principal.kind == "service":
            # Services decide visibility again for each of their own subscribers.
            event["routing"] = {"before": write_routing(entry.before), "after": write_routing(entry.after)}
            if cause := cause_of(entry.id):
                event["traceparent"] = cause.write()
        return event

    return render


def _open_cursor(cursors: Cursors, service: str, cursor: str | None, newest: Position) -> Position:
    if cursor is None:
        return Position(newest.generation, 0)
    generation, seq = cursors.open(f"feed:{service}", cursor)
    if generation != newest.generation or seq > newest.seq:
        raise StaleCursorError(f"/{service}/v1/export")
    return Position(generation, seq)


async def _collect(
    database: Database,
    log: FeedLog,
    reader: Reader,
    at: Position,
    limit: int,
    wait: int,
    render: Callable[[Entry, bool], dict[str, Any]],
) -> tuple[list[dict[str, Any]], Position]:
    deadline = asyncio.get_running_loop().time() + wait
    events: list[dict[str, Any]] = []
    # Most readers see most entries, so a reader of one entry need not wait for a thousand.
    scanned = min(limit, SCAN)
    while True:
        committed = database.committed
        async with database.read() as connection:
            entries = await log.read(connection, at.seq, scanned)
            # Row-level security may hide entries: continue after the newest one, not after the last one seen.
            newest = at.seq if len(entries) == scanned else (await log.position(connection)).seq
        for entry in entries:
            seen = reader.sees(entry.type, entry.before, entry.after)
            if seen is not Visibility.NOTHING:
                events.append(render(entry, seen is Visibility.TOMBSTONE))
            at = Position(at.generation, entry.seq)
            if len(events) == limit:
                return events, at
        at = Position(at.generation, max(at.seq, newest))
        remaining = deadline - asyncio.get_running_loop().time()
        if len(entries) == scanned:
            scanned = SCAN
            continue
        if events or remaining <= 0 or database.closing:
            return events, at
        try:
            # On PostgreSQL another replica may have committed, so look again soon.
            async with asyncio.timeout(remaining if database.is_sqlite else min(remaining, POLL_SECONDS)):
                await committed.wait()
        except TimeoutError:
            continue
