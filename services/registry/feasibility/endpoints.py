"""Feasibility over HTTP: requests to centres, their answers, the confidentiality gate and the result."""

from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.feasibility.agreements import AgreementService
from services.registry.feasibility.answer_schemas import FeasibilityAnswers, FeasibilityAnswersInput
from services.registry.feasibility.answering import AnswerService
from services.registry.feasibility.asking import AskingService
from services.registry.feasibility.indication import Indication
from services.registry.feasibility.repository import FeasibilityRepository
from services.registry.feasibility.result_schemas import (
    FeasibilityOverview,
    VisibleFieldsDocument,
    VisibleFieldsInput,
)
from services.registry.feasibility.schemas import (
    ConfidentialityAgreement,
    ConfidentialityGate,
    FeasibilityAsk,
    FeasibilityAsked,
    FeasibilityDocument,
    FeasibilityPage,
    FeasibilityStepInput,
    FeasibilityStepPage,
    LegalEntityDocument,
    LegalEntityInput,
    RequestState,
)
from services.registry.feasibility.service import FeasibilityService
from services.registry.feasibility.session import Session
from services.registry.model.precondition import CREATES, Precondition
from services.registry.model.references import SubmissionReference
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import ChangePrecondition, IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing
from shared.values.wire import ApiModel, Day
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["feasibility"])

Reader = Annotated[Access, Depends(allow("feasibility", "read"))]
Writer = Annotated[Access, Depends(allow("feasibility", "write"))]
Submission = Annotated[SubmissionReference, Path(description="The reference of the dossier.")]
CentrePath = Annotated[CentreId, Path(description="The id of the centre, such as `fr-lille`.")]


def _reading(connection: Reading, access: Reader) -> Session:
    return Session(FeasibilityRepository(connection), access)


def _writing(connection: Writing, access: Writer) -> Session:
    return Session(FeasibilityRepository(connection), access)


def _indication(request: Request) -> Indication:
    return Indication(request.app.state.index, request.app.state.terminology)


Reads = Annotated[Session, Depends(_reading)]
Writes = Annotated[Session, Depends(_writing)]
Indications = Annotated[Indication, Depends(_indication)]


@router.get("/feasibility", summary="List feasibility requests")
async def list_feasibility(
    request: Request,
    response: Response,
    session: Reads,
    state: Annotated[RequestState | None, Query(description="Only those in this state.")] = None,
    due_by: Annotated[
        Day | None, Query(description="Only questionnaires that wait for answers, due by this day.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FeasibilityPage:
    """List what a centre is asked, newest first; for the coordination all requests.

    A sponsor gets those of centres that consented to be named, or that were selected, on its dossiers.
    """
    after = open_page(request, cursor)
    place = (datetime.fromtimestamp(after[0] / 1e6, UTC), cast("str", after[1])) if after else None
    found = await FeasibilityService(session).page(state, due_by, place, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    key = [round(last.requested_at.timestamp() * 1e6), last.reference] if last else None
    return FeasibilityPage(items=found[:limit], next=close_page(request, response, key))


@router.get(
    "/feasibility/{submission}/{centre}", response_model=FeasibilityDocument, summary="Read a feasibility request"
)
async def read_feasibility(session: Reads, submission: Submission, centre: CentrePath) -> Response:
    """Return a request: where it stands, what can be done, what the caller may see of the study, and the clocks."""
    found = await FeasibilityService(session).read(submission, centre)
    return _answer(found, found.version)


@router.get("/feasibility/{submission}/{centre}/steps", summary="List the steps of a feasibility request")
async def list_feasibility_steps(session: Reads, submission: Submission, centre: CentrePath) -> FeasibilityStepPage:
    """List what was done, oldest first, with the stated days."""
    return await FeasibilityService(session).steps(submission, centre)


@router.post(
    "/feasibility/{submission}/{centre}/steps", response_model=FeasibilityDocument, summary="Take a step of a request"
)
@accepts()
@idempotent()
async def take_feasibility_step(
    session: Writes, if_match: IfMatch, submission: Submission, centre: CentrePath, given: FeasibilityStepInput
) -> Response:
    """Take a step of a request (`If-Match`): `actions` says what is possible now.

    `submit` sends the saved answers as a whole. A centre declines with a coded reason. A question that waits for the
    sponsor's answer stops the clock and moves the deadline.
    """
    found = await FeasibilityService(session).step(submission, centre, given, if_match.required_version())
    return _answer(found, found.version)


@router.get(
    "/feasibility/{submission}/{centre}/answers", response_model=FeasibilityAnswers, summary="Read a questionnaire"
)
async def read_feasibility_answers(
    session: Reads, indication: Indications, submission: Submission, centre: CentrePath
) -> Response:
    """Return the questionnaire with draft, suggested and submitted answers. A sponsor gets submitted answers only."""
    found = await AnswerService(session, indication).read(submission, centre)
    return _answer(found, found.version)


@router.put(
    "/feasibility/{submission}/{centre}/answers", response_model=FeasibilityAnswers, summary="Save answers as a draft"
)
@accepts()
async def save_feasibility_answers(
    session: Writes,
    indication: Indications,
    if_match: IfMatch,
    submission: Submission,
    centre: CentrePath,
    given: FeasibilityAnswersInput,
    dry_run: Annotated[bool, Query(description="Check the answers and save nothing.")] = False,
) -> Response:
    """Save the draft of the answers (`If-Match`). It is submitted as a whole by the step `submit`."""
    version = if_match.required_version()
    service = AnswerService(session, indication)
    found = await service.save(submission, centre, given, version, dry_run=dry_run)
    return _answer(found, found.version)


@router.get(
    "/feasibility/{submission}/{centre}/gate", response_model=ConfidentialityGate, summary="Read a confidentiality gate"
)
async def read_confidentiality_gate(session: Reads, submission: Submission, centre: CentrePath) -> Response:
    """Return whether the legal entity of the centre has a confidentiality agreement in force on the dossier."""
    found = await AgreementService(session).gate(submission, centre)
    return _answer(found, found.version)


@router.put(
    "/feasibility/{submission}/{centre}/gate",
    response_model=ConfidentialityGate,
    responses={201: {"model": ConfidentialityGate}},
    summary="Record a confidentiality agreement",
)
@accepts()
async def write_confidentiality_gate(
    session: Writes, if_match: IfMatch, submission: Submission, centre: CentrePath, given: ConfidentialityAgreement
) -> Response:
    """Record a signed agreement (`If-None-Match: *`) or replace a version of it (`If-Match`). For the coordination.

    It opens the gate of every centre of the legal entity. An agreement that is no longer in force closes it again.
    """
    expected = _precondition(if_match)
    found = await AgreementService(session).put_gate(submission, centre, given, expected)
    return _answer(found, found.version, 201 if expected.creates else 200)


@router.get("/submissions/{submission}/feasibility", summary="Read the feasibility of a dossier")
async def read_feasibility_result(
    session: Reads, indication: Indications, submission: Submission
) -> FeasibilityOverview:
    """Return the result over all centres; for the coordination also each request.

    A sponsor gets numbers of the network: what one centre answers only if that consented to be named or was selected.
    """
    return await AskingService(session, indication).overview(submission)


@router.post("/submissions/{submission}/feasibility", status_code=201, summary="Ask centres about a dossier")
@accepts()
@idempotent()
async def ask_centres(
    session: Writes, indication: Indications, submission: Submission, given: FeasibilityAsk
) -> FeasibilityAsked:
    """Ask centres that were not asked yet: those named by the coordination, or those that fit.

    Before a confidentiality agreement centres are chosen by disease and age only: to ask by capability would name the
    product. A sponsor asks at least three centres at a time, so that no result is the answer of one of them.
    """
    return await AskingService(session, indication).ask(submission, given)


@router.get(
    "/submissions/{submission}/feasibility/visible-fields",
    response_model=VisibleFieldsDocument,
    summary="Read what centres see before the gate",
)
async def read_visible_fields(session: Reads, indication: Indications, submission: Submission) -> Response:
    """Return the fields that the sponsor shows before a confidentiality agreement."""
    found = await AskingService(session, indication).visible(submission)
    return _answer(found, found.version or None)


@router.put(
    "/submissions/{submission}/feasibility/visible-fields",
    response_model=VisibleFieldsDocument,
    summary="Choose what centres see before the gate",
)
@accepts()
async def write_visible_fields(
    session: Writes, indication: Indications, if_match: IfMatch, submission: Submission, given: VisibleFieldsInput
) -> Response:
    """Choose what is shown before a confidentiality agreement (`If-None-Match: *` the first time, else `If-Match`)."""
    version = 0 if if_match.creates else if_match.required_version()
    found = await AskingService(session, indication).show(submission, given, version)
    return _answer(found, found.version)


@router.get(
    "/centres/{centre}/legal-entity", response_model=LegalEntityDocument, summary="Read the legal entity of a centre"
)
async def read_legal_entity(session: Reads, centre: CentrePath) -> Response:
    """Return the legal entity that signs for a centre."""
    found = await AgreementService(session).entity(centre)
    return _answer(found, found.version)


@router.put(
    "/centres/{centre}/legal-entity",
    response_model=LegalEntityDocument,
    responses={201: {"model": LegalEntityDocument}},
    summary="Record the legal entity of a centre",
)
@accepts()
async def write_legal_entity(
    session: Writes, if_match: IfMatch, centre: CentrePath, given: LegalEntityInput
) -> Response:
    """Record the legal entity (`If-None-Match: *`) or replace a version of it (`If-Match`). For the coordination."""
    expected = _precondition(if_match)
    found = await AgreementService(session).put_entity(centre, given, expected)
    return _answer(found, found.version, 201 if expected.creates else 200)


def _precondition(if_match: ChangePrecondition) -> Precondition:
    return CREATES if if_match.creates else Precondition(version=if_match.required_version())


def _answer(document: ApiModel, version: int | None, status: int = 200) -> Response:
    headers = {"ETag": etag(version)} if version else {}
    return Response(document.model_dump_json(), status, headers, "application/json")
