"""Proposed criteria over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.criteria_proposals.schemas import (
    CriteriaDraft,
    ProposalDocument,
    ProposalList,
    SignatureInput,
)
from services.registry.criteria_proposals.service import ProposalService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1/trials/{identifier}/criteria", route_class=ApiRoute, tags=["trials"])


def _reading_service(request: Request, connection: Reading) -> ProposalService:
    return ProposalService(
        TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    )


def _writing_service(request: Request, connection: Writing) -> ProposalService:
    return ProposalService(
        TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    )


Reads = Annotated[ProposalService, Depends(_reading_service)]
Writes = Annotated[ProposalService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("statement", "read"))]
Writer = Annotated[Access, Depends(allow("trial", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="The number of the proposal in its trial.")]
MAX_BODY = 1024 * 1024


@router.get("/proposals", summary="List proposed criteria")
async def list_proposals(service: Reads, access: Reader, identifier: Identifier) -> ProposalList:
    """List the criteria that were proposed for a trial, newest first, and what became of them."""
    return ProposalList(items=await service.of_trial(identifier, access))


@router.post("/proposals", status_code=201, summary="Propose criteria")
@accepts(body_bytes=MAX_BODY)
@idempotent()
async def propose_criteria(
    response: Response,
    if_match: IfMatch,
    service: Writes,
    access: Writer,
    identifier: Identifier,
    given: CriteriaDraft,
) -> ProposalDocument:
    """Propose criteria without errors for another person to sign. Those in force stay in force until then.

    `If-Match` names the version of the criteria that they were made from; `*`: the present one, if there is one.
    """
    found = await service.propose(identifier, given, access, if_match.required_version())
    response.headers["ETag"] = etag(found.version)
    response.headers["Location"] = f"/registry/v1/trials/{found.trial}/criteria/proposals/{found.number}"
    return found


@router.get("/proposals/{number}", summary="Read proposed criteria")
async def read_proposal(
    response: Response, service: Reads, access: Reader, identifier: Identifier, number: Number
) -> ProposalDocument:
    """Return criteria that were proposed, and what became of them."""
    found = await service.read(identifier, number, access)
    response.headers["ETag"] = etag(found.version)
    return found


@router.delete("/proposals/{number}", status_code=204, response_class=Response, summary="Withdraw proposed criteria")
async def withdraw_proposal(
    if_match: IfMatch, service: Writes, access: Writer, identifier: Identifier, number: Number
) -> None:
    """Withdraw proposed criteria (`If-Match`), or refuse to sign them. They stay readable."""
    await service.withdraw(identifier, number, access, if_match.required_version())


@router.post("/proposals/{number}/signature", summary="Sign proposed criteria")
@accepts()
@idempotent()
async def sign_proposal(
    response: Response,
    if_match: IfMatch,
    service: Writes,
    access: Writer,
    identifier: Identifier,
    number: Number,
    given: SignatureInput,
) -> CriteriaDocument:
    """Sign proposed criteria (`If-Match`) as another person than their author: they are then in force."""
    written = await service.sign(identifier, number, given, access, if_match.required_version())
    assert written.version is not None
    response.headers["ETag"] = etag(written.version)
    return written
