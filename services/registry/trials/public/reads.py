"""The list of trials and single trials for anonymous callers (`shared.http.answer_cache.PublicRead`)."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from pydantic import ValidationError

from services.registry.trials.listing.answers import page_json, shown
from services.registry.trials.listing.filters import Caller
from services.registry.trials.listing.parameters import ListParameters
from services.registry.trials.listing.service import TrialSearch
from services.registry.trials.public.repository import PublicTrials
from shared.http.answer_cache import Headers, PublicRead
from shared.http.paging import close_page, open_page
from shared.http.representations import cache_headers
from shared.http.versions import etag
from shared.values.problems import NotFoundError

LIST, ONE = "/registry/v1/trials", "/registry/v1/trials/{identifier}"
# Routes beside `ONE` with the same form.
OTHER_ROUTES = frozenset({"statistics", "suggest"})
PUBLIC = Caller(all_rows=False, places=False)
MAX_IDENTIFIER = 100
_JSON = (b"content-type", b"application/json")


def public_reads(trials: PublicTrials, search: TrialSearch) -> tuple[PublicRead, ...]:
    """Return the readers of the two routes that are called most: the list of trials and one trial."""

    async def read_list(request: Request, asked: ListParameters) -> tuple[Headers, bytes]:
        response = Response()
        listed = await search.page(asked, PUBLIC, open_page(request, asked.cursor), trials)
        documents = shown(listed, asked.fields)
        following = close_page(request, response, listed.last)
        body = page_json(documents, following, listed).encode()
        headers = cache_headers(body, is_public=True) | ({"Link": response.headers["link"]} if following else {})
        return [_JSON, *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())], body

    async def read_one(_request: Request, identifier: str) -> tuple[Headers, bytes]:
        found = await trials.find(identifier)
        if found is None:
            raise NotFoundError
        document, version = found
        return [_JSON, (b"etag", etag(version).encode())], document.encode()

    return PublicRead(LIST, _parse_list, read_list), PublicRead(ONE, _parse_one, read_one)


def _parse_list(request: Request) -> ListParameters | None:
    query: bytes = request.scope["query_string"]
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=40) if query else []
        given: dict[str, Any] = dict(pairs)
        if len(given) != len(pairs) or "\x00" in "".join(given.values()):
            return None
        return ListParameters.model_validate(given)
    except (ValueError, ValidationError):
        return None


def _parse_one(request: Request) -> str | None:
    identifier: str = request.path_params["identifier"]
    plain = (
        identifier not in OTHER_ROUTES
        and not request.scope["query_string"]
        and len(identifier) <= MAX_IDENTIFIER
        and "\x00" not in identifier
    )
    return identifier if plain else None
