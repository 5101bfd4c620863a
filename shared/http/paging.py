"""Lists with keyset cursors: `{items, next}` and a `Link` header, stable while rows are added and removed."""

import hashlib
import json
from typing import Annotated, Any

from fastapi import Query, Request, Response

from shared.http.context import context_of
from shared.values.cursors import Cursors

Limit = Annotated[int, Query(ge=1, le=200, description="Maximum number of items on a page.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="The `next` of the previous page.")]


def _purpose(request: Request) -> str:
    parameters = sorted(
        (name, value) for name, value in request.query_params.multi_items() if name not in {"cursor", "limit"}
    )
    caller = context_of(request).principal
    owner = caller.organisation if caller else None
    return "list:" + hashlib.sha256(json.dumps([request.url.path, owner, parameters]).encode()).hexdigest()


def open_page(request: Request, cursor: str | None) -> list[Any] | None:
    """Return the keyset after which the page begins; None: the first page.

    :raises InvalidCursorError: 400, also for a cursor of another list or filter.
    """
    cursors: Cursors = request.app.state.cursors
    return None if cursor is None else cursors.open(_purpose(request), cursor)


def close_page(request: Request, response: Response, last: list[Any] | None) -> str | None:
    """Return the cursor of the next page (None: this is the last one), and set the ``Link`` header."""
    if last is None:
        return None
    cursors: Cursors = request.app.state.cursors
    cursor = cursors.seal(_purpose(request), last)
    following = request.url.include_query_params(cursor=cursor)
    response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return cursor
