"""Lists of the API, page by page."""

from typing import Any

from services.portal.clients.api import Api

# A list that is longer than this is for a program, not for a page.
MOST = 1_000
_PAGE = 200


async def every(api: Api, path: str, **query: Any) -> list[Any]:
    """Return the items of a list, at most `MOST`.

    :raises ApiError: the API answered with an error.
    """
    items: list[Any] = []
    cursor: str | None = None
    while len(items) < MOST:
        found = await api.get(path, **query, limit=_PAGE, cursor=cursor)
        items += found["items"]
        cursor = found.get("next")
        if not cursor:
            break
    return items[:MOST]
