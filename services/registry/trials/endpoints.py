"""Trials, their criteria and their sites over HTTP."""

from datetime import UTC, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import CREATES, Precondition
from services.registry.model.shown import Trial
from services.registry.model.site import Site, SiteHistory, SiteInput
from services.registry.model.trial import TrialInput
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from services.registry.trials.schemas import SiteList
from services.registry.trials.service import TrialService, author_of
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import ChangePrecondition, IfMatch, IfNoneMatch, etag
from shared.persistence import Reading, Writing
from shared.values.problems import NotFoundError
from shared.values.strict_json import Limits
from shared.values.wire import Day

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])


def _reading_service(request: Request, connection: Reading) -> TrialService:
    return TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)


def _writing_service(request: Request, connection: Writing) -> TrialService:
    return TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)


Reads = Annotated[TrialService, Depends(_reading_service)]
Writes = Annotated[TrialService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("trial", "read"))]
Writer = Annotated[Access, Depends(allow("trial", "write"))]
SiteReader = Annotated[Access, Depends(allow("site", "read"))]
SiteWriter = Annotated[Access, Depends(allow("site", "write"))]
Identifier = Annotated[
    str,
    Path(
        max_length=100, description="The `id` of the trial, or any of its numbers, also a former one, in any spelling."
    ),
]
Centre = Annotated[str, Path(max_length=64, description="The id of the centre, such as `fr-lille`.")]
MergePatch = Annotated[
    dict[str, Any],
    Body(media_type="application/merge-patch+json", description="Fields of `TrialInput`; null removes one."),
]

Reason = Annotated[str | None, Query(max_length=500, description="Why: kept with what is stated.")]

Near = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="A place, as in the list of trials: its distance is then given, and the nearest site comes first. "
        "Unknown: 400.",
    ),
]

MAX_BODY = 1024 * 1024
LONG_TEXTS = Limits(string=60_000)
TRIAL = accepts(body_bytes=MAX_BODY, limits=LONG_TEXTS)


@router.api_route("/trials/{identifier}", methods=["GET", "HEAD"], response_model=Trial, summary="Read a trial")
async def read_trial(
    request: Request,
    cached: IfNoneMatch,
    trials: Reads,
    access: Reader,
    identifier: Identifier,
    as_of: Annotated[
        Day | None, Query(description="As it was at the end of this day (UTC). 404: it was not there, or not public.")
    ] = None,
) -> Response:
    """Return one trial by its `id` or any of its numbers, with the present state of its sites.

    The `ETag` is that of the trial: a change of a site has its own version, and its own event.
    """
    stored = await trials.find(identifier, access.rows)
    trial = stored.trial
    if as_of is None:
        return cached.unchanged(trial.version) or _answer(await trials.shown(stored), trial.version)
    end = datetime.combine(as_of, time.max, UTC)
    async with request.app.state.database.read(as_service=True) as connection:
        found = await TrialRepository(connection).as_of(trial.id, end, access.rows)
    if found is None:
        raise NotFoundError
    document, version = found
    return cached.unchanged(version) or _answer(document, version)


@router.put(
    "/trials/{identifier}", response_model=Trial, responses={201: {"model": Trial}}, summary="Create or replace a trial"
)
@TRIAL
async def write_trial(
    if_match: IfMatch,
    draft: TrialInput,
    trials: Writes,
    access: Writer,
    identifier: Identifier,
    reason: Reason = None,
    as_draft: Annotated[
        bool, Query(description="Create it in the state `draft`: it is published by `/trials/{identifier}/state`.")
    ] = False,
) -> Response:
    """Create a trial (`If-None-Match: *`) or replace a version of one (`If-Match`).

    Each field that differs becomes a statement, which goes before all sources until it is withdrawn.
    """
    expected = _precondition(if_match)
    author = author_of(access.principal, reason)
    stored = await trials.put(identifier, draft, access.rows, expected, author, as_draft=as_draft)
    return await _trial_answer(trials, stored, created=expected.creates)


@router.patch("/trials/{identifier}", response_model=Trial, summary="Change some fields of a trial")
@accepts("application/merge-patch+json", body_bytes=MAX_BODY, limits=LONG_TEXTS)
async def patch_trial(
    if_match: IfMatch,
    patch: MergePatch,
    trials: Writes,
    access: Writer,
    identifier: Identifier,
    reason: Reason = None,
) -> Response:
    """Change some fields of a trial (RFC 7396): null removes one.

    Each field that differs becomes a statement, which goes before all sources until it is withdrawn. A field in
    conflict becomes one even with its present value: that settles the conflict.
    """
    author, version = author_of(access.principal, reason), if_match.required_version()
    stored = await trials.patch(identifier, patch, access.rows, version, author)
    return await _trial_answer(trials, stored)


@router.get("/trials/{identifier}/criteria", response_model=CriteriaDocument, summary="Read the criteria of a trial")
async def read_criteria(
    cached: IfNoneMatch,
    trials: Reads,
    access: Reader,
    identifier: Identifier,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="Absent: the version in force.")] = None,
) -> Response:
    """Return the computable criteria in force, or an earlier version of them. A version never changes."""
    stored = await trials.find(identifier, access.rows)
    document = await trials.repository.criteria(stored.key, version, access.rows)
    if document is None or stored.trial.criteria is None:
        raise NotFoundError
    number = version or stored.trial.criteria.version
    return cached.unchanged(number) or _answer(document, number)


@router.put(
    "/trials/{identifier}/criteria", response_model=CriteriaDocument, summary="Sign a new version of the criteria"
)
@TRIAL
async def write_criteria(
    if_match: IfMatch, document: CriteriaDocument, trials: Writes, access: Writer, identifier: Identifier
) -> Response:
    """Sign a new version of the criteria. `If-Match` names the version of the criteria that it was made from."""
    written = await trials.sign_criteria(identifier, document, access, if_match.required_version())
    assert written.version is not None
    return _answer(written.model_dump_json(exclude_none=True), written.version)


@router.get("/trials/{identifier}/sites", summary="List the sites of a trial")
async def read_sites(
    request: Request, trials: Reads, access: SiteReader, identifier: Identifier, near: Near = None
) -> SiteList:
    """List the sites of a trial, with their present status. Hospitals and centres also see the open places."""
    atlas = await request.app.state.geography.atlas()
    return SiteList(items=await trials.list_sites(identifier, access, near, atlas))


@router.put(
    "/trials/{identifier}/sites/{centre}",
    response_model=Site,
    responses={201: {"model": Site}},
    summary="Declare a site",
)
@accepts()
async def write_site(
    if_match: IfMatch, given: SiteInput, trials: Writes, access: SiteWriter, identifier: Identifier, centre: Centre
) -> Response:
    """Declare a centre's status and open places for a trial (`If-Match`; `If-None-Match: *` for a new site)."""
    expected = _precondition(if_match)
    trial, site = await trials.put_site(identifier, centre, given, access, expected)
    document = site.document(trial, trials.now, with_slots=True).model_dump_json()
    return _answer(document, site.version, 201 if expected.creates else 200)


@router.get("/trials/{identifier}/sites/{centre}/history", summary="List the versions of a site")
async def read_site_history(
    request: Request,
    response: Response,
    trials: Reads,
    access: SiteReader,
    identifier: Identifier,
    centre: Centre,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SiteHistory:
    """List what was known of a site before and after each change, newest first. Only the coordination sees authors.

    A version from a time when the trial was not public is shown only to those who see unpublished trials.
    """
    before = open_page(request, cursor)
    items = await trials.site_history(identifier, centre, access, before[0] if before else None, limit + 1)
    following = close_page(request, response, [items[limit - 1].version] if len(items) > limit else None)
    return SiteHistory(items=items[:limit], next=following)


def _precondition(if_match: ChangePrecondition) -> Precondition:
    if if_match.creates:
        return CREATES
    return Precondition(version=if_match.required_version())


def _answer(document: str, version: int, status: int = 200, **headers: str) -> Response:
    return Response(document, status, {"ETag": etag(version), **headers}, "application/json")


async def _trial_answer(trials: TrialService, stored: StoredTrial, *, created: bool = False) -> Response:
    headers = {"Location": f"/registry/v1/trials/{stored.key}"} if created else {}
    return _answer(await trials.shown(stored), stored.trial.version, 201 if created else 200, **headers)
