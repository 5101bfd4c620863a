"""Dossiers over HTTP: reading them, creating, editing, steps and decisions."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.model.references import SubmissionReference
from services.registry.submissions.deciding import DecisionService
from services.registry.submissions.model import SubmissionState
from services.registry.submissions.parties import PartyService
from services.registry.submissions.publishing import Publisher
from services.registry.submissions.repository import SubmissionRepository
from services.registry.submissions.schemas import (
    NewSubmission,
    OrganisationName,
    SubmissionComment,
    SubmissionCommentInput,
    SubmissionCommentPage,
    SubmissionContentInput,
    SubmissionDecisionInput,
    SubmissionDelegate,
    SubmissionDelegateInput,
    SubmissionDelegateList,
    SubmissionDiff,
    SubmissionDocument,
    SubmissionHead,
    SubmissionInput,
    SubmissionPage,
    SubmissionScreening,
    SubmissionStepInput,
    SubmissionTransferInput,
    SubmissionVersionList,
    UsdmDocument,
)
from services.registry.submissions.service import Dossier, SubmissionService
from services.registry.submissions.usdm import read_usdm
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing
from shared.values.language import negotiate
from shared.values.strict_json import Limits

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["submissions"])

Reader = Annotated[Access, Depends(allow("submission", "read"))]
Writer = Annotated[Access, Depends(allow("submission", "write"))]
Decider = Annotated[Access, Depends(allow("submission_decision", "write"))]
Reference = Annotated[SubmissionReference, Path(description="The reference of the dossier.")]
Organisation = Annotated[OrganisationName, Path(description="The id of the organisation.")]
# A protocol has its whole text, with figures.
PROTOCOL = Limits(string=2_000_000, array=20_000, nodes=200_000, described=False)
CONTENT = accepts(body_bytes=1024 * 1024, limits=Limits(string=60_000))


def _reads(request: Request, connection: Reading, access: Reader) -> SubmissionService:
    return SubmissionService(SubmissionRepository(connection), request.app.state.trial_rules, access)


def _writes(request: Request, connection: Writing, access: Writer) -> SubmissionService:
    return SubmissionService(SubmissionRepository(connection), request.app.state.trial_rules, access)


def _publisher(request: Request, repository: SubmissionRepository) -> Publisher:
    state, language = request.app.state, negotiate(request.headers.get("accept-language"))
    return Publisher(repository, state.trial_rules, language, state.publication_hooks)


def _decides(request: Request, connection: Writing, access: Decider) -> DecisionService:
    repository = SubmissionRepository(connection)
    service = SubmissionService(repository, request.app.state.trial_rules, access)
    return DecisionService(service, _publisher(request, repository))


def _parties(request: Request, dossiers: Annotated[SubmissionService, Depends(_writes)]) -> PartyService:
    return PartyService(dossiers, _publisher(request, dossiers.repository))


Reads = Annotated[SubmissionService, Depends(_reads)]
Writes = Annotated[SubmissionService, Depends(_writes)]
Decides = Annotated[DecisionService, Depends(_decides)]
Parties = Annotated[PartyService, Depends(_parties)]


@router.get("/submissions", summary="List dossiers")
async def list_submissions(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    state: Annotated[SubmissionState | None, Query(description="Only those in this state.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SubmissionPage:
    """List the dossiers of the caller, and those on which it acts for another sponsor, newest first.

    The coordination and authorities see all.
    """
    after = open_page(request, cursor)
    place = (datetime.fromtimestamp(after[0] / 1e6, UTC), cast("str", after[1])) if after else None
    found = await service.page(state, place, limit + 1)
    last = found[limit - 1][0] if len(found) > limit else None
    following = close_page(request, response, [_microseconds(last.created_at), last.reference] if last else None)
    return SubmissionPage(items=[SubmissionHead.of(one, steps) for one, steps in found[:limit]], next=following)


@router.post("/submissions", status_code=201, response_model=SubmissionDocument, summary="Create a dossier")
@CONTENT
@idempotent()
async def create_submission(service: Writes, access: Writer, given: SubmissionInput) -> Response:
    """Create a draft that belongs to the caller's organisation: empty, with a content, or from a trial's number."""
    if given.from_ is None:
        return await _answer(service, await service.create(given.content), created=True)
    content = await service.prefilled(given.from_, given.content)
    return await _answer(service, await service.create(content, {"from": given.from_}), created=True)


@router.post("/submissions/usdm", status_code=201, summary="Create a dossier from a digital protocol")
@accepts(body_bytes=4 * 1024 * 1024, limits=PROTOCOL)
@idempotent()
async def create_submission_from_usdm(
    service: Writes, access: Writer, response: Response, document: UsdmDocument
) -> NewSubmission:
    """Create a draft from a protocol in USDM 4: what is understood is filled in, the rest is listed in `findings`.

    Check it: nothing is submitted or published from it without people.
    """
    content, findings = await asyncio.to_thread(read_usdm, document.model_dump())
    dossier = await service.create(content, {"from": "usdm"})
    response.headers["ETag"] = etag(dossier.one.version)
    submission = SubmissionDocument.model_validate_json(await service.document(dossier))
    return NewSubmission(submission=submission, findings=findings)


@router.api_route(
    "/submissions/{submission}", methods=["GET", "HEAD"], response_model=SubmissionDocument, summary="Read a dossier"
)
async def read_submission(service: Reads, access: Reader, cached: IfNoneMatch, submission: Reference) -> Response:
    """Return a dossier with its steps and what the caller can do now."""
    dossier = await service.find(submission)
    return cached.unchanged(dossier.one.version) or await _answer(service, dossier)


@router.put("/submissions/{submission}/content", response_model=SubmissionDocument, summary="Replace a draft's content")
@CONTENT
async def write_submission_content(
    service: Writes, access: Writer, if_match: IfMatch, submission: Reference, given: SubmissionContentInput
) -> Response:
    """Replace the content of a draft (`If-Match`). A submitted version never changes."""
    version = if_match.required_version()
    return await _answer(service, await service.edit(await service.find(submission), given.content, version))


@router.post("/submissions/{submission}/steps", response_model=SubmissionDocument, summary="Take a step of a dossier")
@accepts()
@idempotent()
async def take_submission_step(
    service: Writes,
    parties: Parties,
    access: Writer,
    if_match: IfMatch,
    submission: Reference,
    given: SubmissionStepInput,
) -> Response:
    """Submit, screen, return, withdraw or amend a dossier (`If-Match`): `actions` says what is possible now."""
    version, dossier = if_match.required_version(), await service.find(submission)
    taking = parties.answer if given.action in {"accept_transfer", "refuse_transfer"} else service.step
    return await _answer(service, await taking(dossier, given, version))


@router.post("/submissions/{submission}/decisions", response_model=SubmissionDocument, summary="Decide on a dossier")
@accepts()
@idempotent()
async def decide_on_submission(
    service: Decides, access: Decider, if_match: IfMatch, submission: Reference, given: SubmissionDecisionInput
) -> Response:
    """Consent to the publication, accept or decline a dossier, or ask for its publication (`If-Match`).

    To publish takes the consent of the sponsor and two people of the coordination. It makes the dossier a record of
    the source `sponsor`, which is merged into a trial; that two people asked for it is also their decision that the
    trial belongs in this registry, where the rules leave it open.
    """
    version, dossier = if_match.required_version(), await service.dossiers.find(submission)
    return await _answer(service.dossiers, await service.decide(dossier, given, version))


@router.get("/submissions/{submission}/screening", summary="Screen a dossier")
async def screen_submission(
    service: Reads,
    access: Reader,
    submission: Reference,
    version: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="As it was when this version was submitted.")
    ] = None,
) -> SubmissionScreening:
    """Screen the content as it is now, also that of a draft: scope, the 24 items of the WHO, consistency."""
    return await service.screening(await service.find(submission), version)


@router.get("/submissions/{submission}/versions", summary="List the submitted versions of a dossier")
async def list_submission_versions(service: Reads, access: Reader, submission: Reference) -> SubmissionVersionList:
    """Return the versions that were submitted, with what the screening found then."""
    return SubmissionVersionList(items=await service.versions(await service.find(submission)))


@router.get("/submissions/{submission}/versions/diff", summary="Compare two versions of a dossier")
async def compare_submission_versions(
    service: Reads,
    access: Reader,
    submission: Reference,
    from_: Annotated[int, Query(alias="from", ge=1, le=1_000_000, description="The earlier version.")],
    to: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="The later version; absent: the working content.")
    ] = None,
) -> SubmissionDiff:
    """Return the fields that differ, and whether who can take part changes."""
    return await service.diff(await service.find(submission), from_, to)


@router.get("/submissions/{submission}/comments", summary="List the comments on a dossier")
async def list_submission_comments(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    submission: Reference,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SubmissionCommentPage:
    """List comments, oldest first. Internal ones are for the coordination; authorities read none."""
    after = open_page(request, cursor)
    found = await service.comments(await service.find(submission), after[0] if after else 0, limit + 1)
    following = close_page(request, response, [found[limit - 1].number] if len(found) > limit else None)
    return SubmissionCommentPage(items=[SubmissionComment.of(one) for one in found[:limit]], next=following)


@router.post("/submissions/{submission}/comments", status_code=201, summary="Comment on a dossier")
@accepts()
@idempotent()
async def comment_on_submission(
    service: Writes, access: Writer, submission: Reference, given: SubmissionCommentInput
) -> SubmissionComment:
    """Add a comment, on the whole dossier or on a field. Comments are never changed."""
    return SubmissionComment.of(await service.comment(await service.find(submission), given))


@router.get("/submissions/{submission}/delegates", summary="List who acts for the owner of a dossier")
async def list_submission_delegates(service: Reads, access: Reader, submission: Reference) -> SubmissionDelegateList:
    """List the organisations that act for the owner, such as a contract research organisation."""
    found = await service.repository.delegates((await service.find(submission)).one)
    return SubmissionDelegateList(items=[SubmissionDelegate.of(one) for one in found])


@router.put(
    "/submissions/{submission}/delegates/{organisation}",
    response_model=SubmissionDocument,
    summary="Let another sponsor act on a dossier",
)
@accepts()
async def set_submission_delegate(
    service: Parties,
    access: Writer,
    if_match: IfMatch,
    submission: Reference,
    organisation: Organisation,
    given: SubmissionDelegateInput,
) -> Response:
    """Let another sponsor act for the owner (`If-Match`: of the dossier): all but consent, unless that is granted."""
    version, dossier = if_match.required_version(), await service.dossiers.find(submission)
    return await _answer(service.dossiers, await service.delegate(dossier, organisation, given, version))


@router.delete(
    "/submissions/{submission}/delegates/{organisation}",
    response_model=SubmissionDocument,
    summary="End a delegation",
)
async def revoke_submission_delegate(
    service: Parties, access: Writer, if_match: IfMatch, submission: Reference, organisation: Organisation
) -> Response:
    """End a delegation (`If-Match`: of the dossier). What was done under it stays."""
    version, dossier = if_match.required_version(), await service.dossiers.find(submission)
    return await _answer(service.dossiers, await service.revoke(dossier, organisation, version))


@router.post("/submissions/{submission}/transfer", response_model=SubmissionDocument, summary="Offer a dossier")
@accepts()
@idempotent()
async def offer_submission(
    service: Parties, access: Writer, if_match: IfMatch, submission: Reference, given: SubmissionTransferInput
) -> Response:
    """Offer a dossier to another sponsor (`If-Match`), which accepts or refuses it by a step; its trial follows."""
    version, dossier = if_match.required_version(), await service.dossiers.find(submission)
    return await _answer(service.dossiers, await service.offer(dossier, given, version))


async def _answer(service: SubmissionService, dossier: Dossier, *, created: bool = False) -> Response:
    return Response(
        await service.document(dossier),
        status_code=201 if created else 200,
        media_type="application/json",
        headers={"ETag": etag(dossier.one.version)},
    )


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)
