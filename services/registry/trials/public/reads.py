"""The list of trials and single trials for anonymous callers (`shared.http.answer_cache.PublicRead`)."""

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from pydantic import ConfigDict, Field, ValidationError

from services.registry.search.model import SearchQuery
from services.registry.terminology.terminology import Terminology
from services.registry.trials.public.repository import PublicTrials
from services.registry.trials.schemas import page_text
from shared.http.answer_cache import Headers, PublicRead
from shared.http.paging import close_page, open_page
from shared.http.versions import etag
from shared.terminology.codes import canonical
from shared.values.problems import NotFoundError
from shared.values.wire import ApiModel, Code
from shared.vocabulary.geography import COUNTRIES
from shared.vocabulary.identifiers import CentreId
from shared.vocabulary.recruitment import RecruitmentStatus

LIST, ONE = "/registry/v1/trials", "/registry/v1/trials/{identifier}"
MAX_IDENTIFIER = 100
_JSON = (b"content-type", b"application/json")


class ListParameters(ApiModel):
    """The parameters of the list, as its route declares them."""

    model_config = ConfigDict(strict=False)

    q: Annotated[str, Field(max_length=200)] = ""
    status: RecruitmentStatus | None = None
    condition: Annotated[Code | None, Field(max_length=80)] = None
    country: Annotated[str | None, Field(pattern="^[A-Za-z]{2}$")] = None
    centre: CentreId | None = None
    sample: Annotated[str | None, Field(pattern="^none$")] = None
    count: Annotated[str | None, Field(pattern="^exact$")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=1024)] = None


def public_reads(trials: PublicTrials, terminology: Terminology) -> tuple[PublicRead, ...]:
    """Return the readers of the two routes that are called most: the list of trials and one trial."""

    async def read_list(request: Request, asked: ListParameters) -> tuple[Headers, bytes] | None:
        query = query_of(asked, terminology)
        response = Response()
        after = open_page(request, asked.cursor)
        rows = await trials.page(query, after[0] if after else 0, asked.limit + 1)
        if not rows and (asked.centre or asked.condition):
            return None  # the route says whether that centre or condition exists
        total = await trials.count(query) if asked.count else None
        following = close_page(request, response, [rows[asked.limit - 1][0]] if len(rows) > asked.limit else None)
        body = page_text([row[1] for row in rows[: asked.limit]], following, total).encode()
        link = response.headers.get("link")
        return [_JSON, *([(b"link", link.encode("latin-1"))] if link else [])], body

    async def read_one(_request: Request, identifier: str) -> tuple[Headers, bytes]:
        found = await trials.find(identifier)
        if found is None:
            raise NotFoundError
        document, version = found
        return [_JSON, (b"etag", etag(version).encode())], document.encode()

    return PublicRead(LIST, _parse_list, read_list), PublicRead(ONE, _parse_one, read_one)


def query_of(asked: ListParameters, terminology: Terminology) -> SearchQuery:
    """Return the search for these parameters."""
    codes = terminology.same_as(canonical(asked.condition)) if asked.condition else frozenset()
    return SearchQuery.parse(
        asked.q,
        status=asked.status,
        condition=codes,
        country=asked.country and asked.country.upper(),
        centre=asked.centre,
        demo=asked.sample is None,
    )


def _parse_list(request: Request) -> ListParameters | None:
    query: bytes = request.scope["query_string"]
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=20) if query else []
        given: dict[str, Any] = dict(pairs)
        if len(given) != len(pairs) or "\x00" in "".join(given.values()):
            return None
        asked = ListParameters.model_validate(given)
        return asked if asked.country is None or asked.country.upper() in COUNTRIES else None
    except (ValueError, ValidationError):
        return None


def _parse_one(request: Request) -> str | None:
    identifier: str = request.path_params["identifier"]
    plain = not request.scope["query_string"] and len(identifier) <= MAX_IDENTIFIER and "\x00" not in identifier
    return identifier if plain else None
