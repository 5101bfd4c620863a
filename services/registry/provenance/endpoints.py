"""Provenance, statements and conflicts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.model.shown import Trial
from services.registry.provenance.schemas import ConflictList, ConflictPage, ProvenanceList, StatementList
from services.registry.provenance.service import ProvenanceService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService, author_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute
from shared.http.versions import IfMatch, etag
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import TrialId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])


def _reading_service(request: Request, connection: Reading) -> ProvenanceService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return ProvenanceService(trials)


def _writing_service(request: Request, connection: Writing) -> TrialService:
    return TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)


Reads = Annotated[ProvenanceService, Depends(_reading_service)]
Writes = Annotated[TrialService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("trial", "read"))]
Resolver = Annotated[Access, Depends(allow("statement", "read"))]
Writer = Annotated[Access, Depends(allow("trial", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="The number of the statement.")]


@router.get("/trials/{identifier}/provenance", summary="Read where the fields of a trial come from")
async def read_provenance(service: Reads, access: Reader, identifier: Identifier) -> ProvenanceList:
    """Return for each field the source record and its date, or the statement. Only the coordination sees authors."""
    return ProvenanceList(items=await service.origins(identifier, access))


@router.get("/trials/{identifier}/statements", summary="List what people state of a trial")
async def read_statements(service: Reads, access: Resolver, identifier: Identifier) -> StatementList:
    """List all statements on a trial, also withdrawn ones. To state something, change the trial."""
    return StatementList(items=await service.stated(identifier, access))


@router.delete(
    "/trials/{identifier}/statements/{number}", response_model=Trial, summary="Withdraw a statement on a trial"
)
async def withdraw_statement(
    if_match: IfMatch,
    trials: Writes,
    access: Writer,
    identifier: Identifier,
    number: Number,
    stated_on: Annotated[
        TrialId | None, Query(description="The trial on which it was stated, where that is merged into this one.")
    ] = None,
) -> Response:
    """Withdraw a statement: the field follows the sources again. `If-Match` names the version of the trial."""
    author, version = author_of(access.principal), if_match.required_version()
    stored = await trials.withdraw_statement(identifier, number, access.rows, version, author, stated_on)
    headers = {"ETag": etag(stored.trial.version)}
    return Response(await trials.shown(stored), 200, headers, "application/json")


@router.get("/trials/{identifier}/conflicts", summary="List the open conflicts of a trial")
async def read_conflicts(service: Reads, access: Resolver, identifier: Identifier) -> ConflictList:
    """List where sources, or a source and a person, disagree, and what settles it."""
    return ConflictList(items=await service.conflicts(identifier, access))


@router.get("/conflicts", summary="List the open conflicts of all trials")
async def list_conflicts(
    request: Request,
    response: Response,
    service: Reads,
    access: Resolver,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConflictPage:
    """List open conflicts in the order of trials."""
    after = open_page(request, cursor) or ["", ""]
    found = await service.all_conflicts((after[0], after[1]), limit + 1)
    following = close_page(request, response, found[limit - 1][1] if len(found) > limit else None)
    return ConflictPage(items=[document for document, _ in found[:limit]], next=following)
