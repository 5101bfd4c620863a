"""Merges of trials and assignments of records over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.duplicates.assigning import AssignedRecord, AssignmentService
from services.registry.duplicates.schemas import (
    AssignmentDocument,
    AssignmentInput,
    AssignmentPage,
    MergeInput,
    MergeResult,
    RecordDocument,
    UnmergeInput,
)
from services.registry.duplicates.service import Merge, MergeService
from services.registry.merge.merging import merge
from services.registry.model.shown import Trial
from services.registry.provenance.schemas import ConflictDocument
from services.registry.trials.drafts import validated
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService, author_of
from services.registry.trials.sites.repository import SiteRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["duplicates"])


def _reading_service(request: Request, connection: Reading) -> AssignmentService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return AssignmentService(MergeService(trials))


def _writing_service(request: Request, connection: Writing) -> AssignmentService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return AssignmentService(MergeService(trials))


Reads = Annotated[AssignmentService, Depends(_reading_service)]
Writes = Annotated[AssignmentService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("statement", "read"))]
Decider = Annotated[Access, Depends(allow("trial", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its own numbers.")]
Source = Annotated[str, Path(max_length=40, description="The source, such as `ctgov`.")]
RecordId = Annotated[str, Path(max_length=100, description="The id of the record in its source.")]
DryRun = Annotated[bool, Query(description="Answer what would come of it, and change nothing.")]


@router.post("/trials/{identifier}/merge", summary="Merge a trial into another one")
@accepts()
@idempotent()
async def merge_trial(
    if_match: IfMatch,
    given: MergeInput,
    service: Writes,
    access: Decider,
    response: Response,
    identifier: Identifier,
    dry_run: DryRun = False,
) -> MergeResult:
    """Merge a trial into another one, which from then on answers to all names of both.

    Records, statements and declarations of both are merged by the same rules as those of one trial; where people stated
    different values of both, those on the other trial count, and that is a conflict. Its criteria stay. Nothing is
    deleted: a separation restores both. `If-Match` names the version of the trial in the path.
    """
    author, expected = author_of(access.principal, given.reason), if_match.required_version()
    async with service.merges.trial_run(dry_run=dry_run):
        made = await service.merges.merge(identifier, given.into, access.rows, expected, author)
        return await _merged(service, made, response)


@router.post("/trials/{identifier}/unmerge", summary="Separate a trial that was merged into another one")
@accepts()
@idempotent()
async def unmerge_trial(
    if_match: IfMatch,
    given: UnmergeInput,
    service: Writes,
    access: Decider,
    response: Response,
    identifier: Identifier,
    dry_run: DryRun = False,
) -> MergeResult:
    """Separate a trial, named by its own id or one of its own numbers, from the one that answers in its place.

    Both are as if they had never been merged, with what became known of each meanwhile; their versions go on.
    `If-Match` names the version that the path answers until now, which is that of the other trial.
    """
    author, expected = author_of(access.principal, given.reason), if_match.required_version()
    async with service.merges.trial_run(dry_run=dry_run):
        made = await service.merges.unmerge(identifier, access.rows, expected, author)
        return await _merged(service, made, response)


@router.get("/assignments", summary="Read the log of assignments and merges")
async def list_assignments(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    trial: Annotated[str | None, Query(max_length=100, description="Only what concerns this trial.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AssignmentPage:
    """List which records were assigned to which trials and which trials were merged, by whom and why, newest first."""
    place = open_page(request, cursor)
    found = await service.log(trial, access.rows, place[0] if place else None, limit + 1)
    following = close_page(request, response, [found[limit - 1].number] if len(found) > limit else None)
    return AssignmentPage(items=[AssignmentDocument.of(one) for one in found[:limit]], next=following)


@router.get("/sources/{source}/records/{record}", summary="Read a record of a source")
async def read_record(
    service: Reads, access: Reader, response: Response, source: Source, record: RecordId
) -> RecordDocument:
    """Return a stored record: to which trial it is assigned, by whom, and with which trials it shares numbers."""
    return _record(await service.read(source, record), response)


@router.post("/sources/{source}/records/{record}/assign", summary="Assign a record to a trial")
@accepts()
@idempotent()
async def assign_record(
    if_match: IfMatch,
    given: AssignmentInput,
    service: Writes,
    access: Decider,
    response: Response,
    source: Source,
    record: RecordId,
) -> RecordDocument:
    """Assign a record to another trial, or to a new one. Its later forms follow; shared numbers move it no more.

    Its own number, and those that only it states, go with it. `If-Match` names the version of the record.
    """
    author, expected = author_of(access.principal, given.reason), if_match.required_version()
    return _record(await service.assign(source, record, given.trial, access.rows, expected, author), response)


@router.post("/sources/{source}/records/{record}/undo", summary="Undo the last decision on a record")
@accepts()
@idempotent()
async def undo_assignment(
    if_match: IfMatch, service: Writes, access: Decider, response: Response, source: Source, record: RecordId
) -> RecordDocument:
    """Undo the last decision of a person on a record: it belongs again to the trial where it was before, if any.

    What the same decision merged is separated.
    """
    author, expected = author_of(access.principal), if_match.required_version()
    return _record(await service.undo(source, record, expected, author), response)


async def _merged(service: AssignmentService, made: Merge, response: Response) -> MergeResult:
    into = made.into.trial
    response.headers["ETag"] = etag(into.version)
    conflicts = await service.merger.statements.conflicts(made.into.key)
    writer = service.merger.writer
    shown = await SiteRepository(writer.repository.connection).shown(into, writer.now)
    return MergeResult(
        merged=made.merged.key,
        into=made.into.key,
        trial=Trial.model_validate_json(shown),
        changed=list(made.changed),
        conflicts=[ConflictDocument.of(one, into.identifier) for one in conflicts],
        not_used=await service.merges.not_used(made) if made.merged.merged_into else [],
    )


def _record(found: AssignedRecord, response: Response) -> RecordDocument:
    draft = validated(merge([found.record]).document)
    response.headers["ETag"] = etag(found.version)
    return RecordDocument(
        source=found.record.source,
        source_id=found.record.source_id,
        version=found.version,
        trial=found.known.trial_key,
        result=found.known.result,
        numbers=[one.value for one in draft.identifiers],
        titles=draft.titles,
        shares_with=sorted({present for _, present in found.owners.values()}),
        assignments=[AssignmentDocument.of(one) for one in found.entries],
    )
