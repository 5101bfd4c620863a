"""The feed over HTTP: CloudEvents batches with long polling. Every answer, also an empty one, links to the next one."""

from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from shared.access.policy import Access
from shared.feed.buffer import FeedBuffer, FeedQuery
from shared.feed.changes import Reader
from shared.feed.filters import read_facets, read_types
from shared.feed.log import Position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces
from shared.values.cursors import Cursors
from shared.values.problems import GoneError
from shared.values.wire import Label
from shared.vocabulary.events import AGE_BANDS, ATMP_CLASSES, EVENT_TYPES

MEDIA_TYPE = "application/cloudevents-batch+json"
MAX_WAIT_SECONDS = 25
# Remembered cursors and links: many readers wait at the same position, with the same query.
SEALED = 1_024


class DescribedResponse(JSONResponse):
    """For OpenAPI: FastAPI describes the model of an answer only for a subclass of `JSONResponse`."""

    media_type = MEDIA_TYPE


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


@lru_cache(SEALED)
def seal_position(cursors: Cursors, service: str, position: Position) -> str:
    """Write a position as the opaque cursor that callers get."""
    return cursors.seal(f"feed:{service}", [position.generation, position.seq])


def feed_router(service: str, event: Any = dict[str, Any]) -> APIRouter:
    """``GET /<service>/v1/feed``, from the `FeedBuffer` in ``app.state.feed``.

    ``event``: the model that describes its events in OpenAPI.
    """
    router = APIRouter(prefix=f"/{service}/v1", route_class=ApiRoute, tags=["feed"])
    path = f"/{service}/v1/feed"

    @router.get(
        "/feed",
        response_class=DescribedResponse,
        response_model=list[event],
        summary="Read the feed of changes",
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
        trial: Annotated[
            str | None,
            Query(
                max_length=2000,
                description="Trials, comma-separated: their ids or any of their numbers, also former ones, in any"
                " spelling.",
            ),
        ] = None,
    ) -> Response:
        """List the changes since the cursor, oldest first. The header `Link` always leads to the next batch.

        An empty batch is the end only if its `next` is the cursor that was sent: one answer inspects at most 5,000
        entries, and a narrow filter may select none of them. `wait` waits at the end only.
        A subject that the caller may no longer see, or that no longer matches the filter, comes as a `….removed` event.
        """
        state = request.app.state
        filters = {
            "condition": condition,
            "age_band": age_band,
            "departement": departement,
            "atmp_class": atmp_class,
            "centre": centre,
            "trial": trial,
        }
        reader = Reader(access.audiences, read_facets(filters), read_types(types))
        buffer: FeedBuffer = state.feed
        await buffer.refresh()
        at = _open_cursor(state.cursors, service, cursor, buffer.position)
        # A service that serves subscribers of its own decides visibility again, for each of them.
        query = FeedQuery(reader, limit, with_routing=access.principal.kind == "service")
        others = _without_cursor(request.scope["query_string"].decode("ascii", errors="replace"))
        batch = await buffer.next(query, at, wait)
        following = f"{others}cursor={seal_position(state.cursors, service, batch.at)}"
        return Response(
            batch.body,
            media_type=MEDIA_TYPE,
            headers={"Link": f'<{path}?{following}>; rel="next"', "Cache-Control": "no-store"},
        )

    return router


@lru_cache(SEALED)
def _without_cursor(query: str) -> str:
    """Return a query without its cursor, ready for another one."""
    others = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f"{urlencode(others)}&" if others else ""


def _open_cursor(cursors: Cursors, service: str, cursor: str | None, newest: Position) -> Position:
    if cursor is None:
        return Position(newest.generation, 0)
    generation, seq = cursors.open(f"feed:{service}", cursor)
    if generation != newest.generation or seq > newest.seq:
        raise StaleCursorError(f"/{service}/v1/export")
    return Position(generation, seq)
