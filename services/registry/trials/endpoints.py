"""Trials over HTTP. Lists and trials are answered from their stored text: nothing is parsed on the way out."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.terminology.terminology import Terminology
from services.registry.trials.repository import Search, StoredSite, StoredTrial, TrialRepository
from services.registry.trials.schemas import Origin, Site, SiteInput, Trial, TrialInput
from services.registry.trials.service import TrialService, check_address, draft_of
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.persistence import Reading, Writing
from shared.values.problems import AlreadyExistsError, ForbiddenError, InvalidBodyError, NotFoundError
from shared.values.strict_json import Limits
from shared.values.validation import faults
from shared.values.wire import ApiModel
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.geography import COUNTRY_PATTERN
from shared.vocabulary.recruitment import RecruitmentStatus

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])

Reader = Annotated[Access, Depends(allow("trial", "read"))]
Writer = Annotated[Access, Depends(allow("trial", "write"))]
SiteReader = Annotated[Access, Depends(allow("site", "read"))]
SiteWriter = Annotated[Access, Depends(allow("site", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="Any public identifier of the trial.")]

TRIAL = accepts(body_bytes=1024 * 1024, limits=Limits(string=60_000))


class TrialPage(ApiModel):
    items: list[Trial]
    next: str | None
    total: int | None = None


class SiteList(ApiModel):
    items: list[Site]


class TrialVersion(ApiModel):
    """One version of a trial: which fields it changed, and the trial as it was then."""

    version: int
    at: str
    changed: list[str]
    trial: Trial


class History(ApiModel):
    items: list[TrialVersion]
    next: str | None


def _desk(request: Request, connection: Any) -> TrialService:
    terminology: Terminology = request.app.state.terminology
    return TrialService(TrialRepository(connection), CentreRepository(connection), terminology)


async def _found(connection: Any, identifier: str, access: Access) -> StoredTrial:
    stored = await TrialRepository(connection).find(identifier, access.rows)
    if stored is None:
        raise NotFoundError
    return stored


def _answer(document: str, version: int, status: int = 200, **headers: str) -> Response:
    return Response(document, status, {"ETag": etag(version), **headers}, "application/json")


@router.api_route("/trials", methods=["GET", "HEAD"], response_model=TrialPage)
async def list_trials(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    q: Annotated[
        str, Query(max_length=200, description="Words: disease, gene, product, title, number; accents do not matter.")
    ] = "",
    status: Annotated[RecruitmentStatus | None, Query()] = None,
    condition: Annotated[str | None, Query(max_length=80, description="A code; its descendants are found too.")] = None,
    country: Annotated[str | None, Query(pattern=COUNTRY_PATTERN)] = None,
    centre: Annotated[str | None, Query(max_length=64)] = None,
    sample: Annotated[
        str | None, Query(pattern="^none$", description="`none` leaves the fictitious demonstration trials out.")
    ] = None,
    count: Annotated[str | None, Query(pattern="^exact$", description="`exact` adds the total.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Published trials in the order of their identifiers."""
    terminology: Terminology = request.app.state.terminology
    search = Search(
        q, status, terminology.same_as(condition) if condition else frozenset(), country, centre, sample is None
    )
    after = open_page(request, cursor)
    repository = TrialRepository(connection)
    rows = await repository.page(search, access.rows, after[0] if after else None, limit + 1)
    page = rows[:limit]
    following = close_page(request, response, [page[-1][0]] if len(rows) > limit else None)
    total = f',"total":{await repository.count(search, access.rows)}' if count else ""
    body = f'{{"items":[{",".join(document for _, document in page)}],"next":{json.dumps(following)}{total}}}'
    return Response(body, headers=dict(response.headers), media_type="application/json")


@router.api_route("/trials/{identifier}", methods=["GET", "HEAD"], response_model=Trial)
async def read_trial(request: Request, connection: Reading, access: Reader, identifier: Identifier) -> Response:
    """One trial."""
    trial = (await _found(connection, identifier, access)).trial
    return unchanged(request, trial.version) or _answer(trial.model_dump_json(), trial.version)


@router.put("/trials/{identifier}", response_model=Trial, responses={201: {"model": Trial}})
@TRIAL
async def write_trial(
    request: Request, draft: TrialInput, connection: Writing, access: Writer, identifier: Identifier
) -> Response:
    """Create a trial (`If-None-Match: *`) or replace a version of one (`If-Match`)."""
    check_address(identifier, draft)
    desk = _desk(request, connection)
    held = await desk.repository.find(identifier, access.rows)
    if request.headers.get("if-none-match", "").strip() == "*":
        if held is not None:
            raise AlreadyExistsError
        stored = await desk.create(draft, Origin(source="curated"), curated=True)
        return _answer(stored.trial.model_dump_json(), 1, 201, Location=f"/registry/v1/trials/{stored.trial.id}")
    expected = required_version(request)
    if held is None:
        raise NotFoundError
    return await _updated(desk, held, draft, expected)


@router.patch("/trials/{identifier}", response_model=Trial)
@accepts("application/merge-patch+json", body_bytes=1024 * 1024, limits=Limits(string=60_000))
async def patch_trial(
    request: Request,
    patch: Annotated[dict[str, Any], Body(media_type="application/merge-patch+json")],
    connection: Writing,
    access: Writer,
    identifier: Identifier,
) -> Response:
    """Change some fields of a trial (RFC 7396): null removes one."""
    expected = required_version(request)
    held = await _found(connection, identifier, access)
    merged = _merge(draft_of(held.trial).model_dump(mode="json"), patch)
    try:
        draft = TrialInput.model_validate(merged)
    except ValueError as error:
        raise InvalidBodyError(errors=faults(getattr(error, "errors", list)())) from None
    check_address(identifier, draft)
    return await _updated(_desk(request, connection), held, draft, expected)


async def _updated(desk: TrialService, held: StoredTrial, draft: TrialInput, expected: int | None) -> Response:
    stored = await desk.update(held, draft, expected, curated=True)
    return _answer(stored.trial.model_dump_json(), stored.trial.version)


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


@router.get("/trials/{identifier}/history", response_model=History)
async def read_history(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    identifier: Identifier,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The versions of a trial, newest first, each with the names of what it changed."""
    stored = await _found(connection, identifier, access)
    before = open_page(request, cursor)
    rows = await TrialRepository(connection).history(stored.key, before[0] if before else None, limit + 1)
    page = rows[:limit]
    following = close_page(request, response, [page[-1]["version"]] if len(rows) > limit else None)
    items = [{**row, "at": row["trial"]["updated_at"]} for row in page]
    return Response(
        json.dumps({"items": items, "next": following}, ensure_ascii=False),
        headers=dict(response.headers),
        media_type="application/json",
    )


@router.get("/trials/{identifier}/criteria", response_model=CriteriaDocument)
async def read_criteria(
    request: Request,
    connection: Reading,
    access: Reader,
    identifier: Identifier,
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> Response:
    """The computable criteria in force, or an earlier version of them; versions never change."""
    stored = await _found(connection, identifier, access)
    document = await TrialRepository(connection).criteria(stored.key, version)
    if document is None or stored.trial.criteria is None:
        raise NotFoundError
    number = version or stored.trial.criteria.version
    return unchanged(request, number) or _answer(document, number)


@router.put("/trials/{identifier}/criteria", response_model=CriteriaDocument)
@TRIAL
async def write_criteria(
    request: Request, document: CriteriaDocument, connection: Writing, access: Writer, identifier: Identifier
) -> Response:
    """A new version of the criteria. `If-Match` names the criteria version it was made from."""
    expected = required_version(request)
    stored = await _found(connection, identifier, access)
    desk = _desk(request, connection)
    written = await desk.sign_criteria(stored, document.model_copy(update={"trial": stored.trial.id}), expected)
    assert written.version is not None
    return _answer(written.model_dump_json(exclude_none=True), written.version)


@router.get("/trials/{identifier}/sites")
async def read_sites(connection: Reading, access: SiteReader, identifier: Identifier) -> SiteList:
    """The member centres of a trial, with status and freshness as of now; the places declared open, for hospitals and centres."""
    stored = await _found(connection, identifier, access)
    now = datetime.now(UTC)
    sites = await TrialRepository(connection).sites(stored.key)
    return SiteList(
        items=[site_document(stored.trial.id, site, now, with_slots=access.fields == "all") for site in sites]
    )


@router.put("/trials/{identifier}/sites/{centre}", response_model=Site, responses={201: {"model": Site}})
@accepts()
async def write_site(
    request: Request,
    given: SiteInput,
    connection: Writing,
    access: SiteWriter,
    identifier: Identifier,
    centre: Annotated[str, Path(max_length=64)],
) -> Response:
    """Declare a centre's status and open places for a trial: `If-Match` for a known site, `If-None-Match: *` for a new one."""
    stored = await _found(connection, identifier, access)
    if access.rows == "own" and centre != access.principal.centre:
        raise ForbiddenError
    desk = _desk(request, connection)
    known = any(site.centre == centre for site in await desk.repository.sites(stored.key))
    if request.headers.get("if-none-match", "").strip() == "*":
        if known:
            raise AlreadyExistsError
        expected = None
    else:
        expected = required_version(request)
        if not known:
            raise NotFoundError
    site = await desk.declare_site(stored, centre, given, expected)
    return _answer(
        site_document(stored.trial.id, site, desk.now).model_dump_json(), site.version, 200 if known else 201
    )


def site_document(trial: str, site: StoredSite, now: datetime | None = None, *, with_slots: bool = True) -> Site:
    """A site as it is read at ``now``: whole, or its status alone."""
    now = now or datetime.now(UTC)
    return Site(
        trial=trial,
        centre=site.centre,
        version=site.version,
        status=site.status,
        confirmed_at=site.confirmed_at,
        slots=list(site.slots) if with_slots else None,
        stale=site.confirmed_at is None or now - site.confirmed_at > STALE_AFTER,
    )
