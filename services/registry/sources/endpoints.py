"""Bulk import of a source's own records: NDJSON in, a result per line out."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from services.registry.sources.importing import ImportService
from services.registry.sources.merging_again import MergingAgain
from services.registry.sources.readers import READERS, reader_of
from services.registry.sources.registers.sponsor import SPONSOR
from services.registry.sources.schemas import BulkResult, PublishedRecord, RereadResult
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency.marks import repeatable
from shared.values.language import negotiate
from shared.values.problems import NotFoundError, TooLargeError
from shared.values.wire import Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["sources"])

Writer = Annotated[Access, Depends(allow("source", "write"))]
MAX_LINES = 200
SOURCES = ", ".join(f"`{source}`" for source in READERS)
MAX_REREAD = 50


async def _lines(request: Request) -> list[bytes]:
    lines = (await request.body()).split(b"\n")
    if sum(1 for line in lines if line.strip()) > MAX_LINES:
        raise TooLargeError(
            Label(fr=f"au plus {MAX_LINES} lignes par envoi", en=f"at most {MAX_LINES} lines per request")
        )
    return lines


def _service(
    request: Request,
    source: Annotated[
        str, Path(max_length=40, description=f"The source: {SOURCES}, or a partner's, such as `partner:pedstart`.")
    ],
) -> ImportService:
    if reader_of(source) is None:
        raise NotFoundError
    state, language = request.app.state, negotiate(request.headers.get("accept-language"))
    return ImportService(source, state.database, state.trial_rules, language, state.reading_processes)


@router.put(
    "/sources/{source}/trials",
    summary="Import records of another registry",
)
@accepts("application/x-ndjson", body_bytes=64 * 1024 * 1024, seconds=300, body_seconds=600, model=PublishedRecord)
async def import_records(
    access: Writer,
    lines: Annotated[list[bytes], Depends(_lines)],
    service: Annotated[ImportService, Depends(_service)],
    dry_run: Annotated[bool, Query(description="Report what would happen and write nothing.")] = False,
) -> BulkResult:
    """Import up to 200 records, each of at most 1 MiB. A record that is absent from the request stays as it is.

    Records that name the same trial by their numbers become one trial, also those of different sources. A record that
    cannot be read affects only itself.

    Records are committed a few at a time. After a failure the same request can be sent again.
    """
    if service.source == SPONSOR:
        # Dossiers become records when they are published (`services.registry.submissions`).
        raise NotFoundError
    results = await service.run(lines, dry_run=dry_run)
    return BulkResult(results=results, counts=dict(sorted(Counter(one.result for one in results).items())))


@router.post("/sources/merge-again", summary="Merge trials again")
@accepts()
@repeatable("a trial that the present rules have merged is not merged again")
async def merge_again(
    request: Request,
    access: Writer,
    dry_run: Annotated[bool, Query(description="Report what would happen and write nothing.")] = False,
    after: Annotated[str, Query(max_length=100, description="Only trials with ids after this one.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_REREAD, description="Maximum number of trials.")] = MAX_REREAD,
) -> RereadResult:
    """Merge and judge trials again that earlier rules have merged: rules of merging or scope, or the terminology.

    It also reaches trials without a record that can be read again. Repeat the call with `after` = `next` until `next`
    is null. After an interruption begin anew: what was merged stays.
    """
    state, language = request.app.state, negotiate(request.headers.get("accept-language"))
    return await MergingAgain(state.database, state.trial_rules, language).run(after, limit, dry_run=dry_run)


@router.post("/sources/{source}/reread", summary="Read stored records again")
@accepts()
@repeatable("a record that the present rules have read is not read again")
async def reread_records(
    access: Writer,
    service: Annotated[ImportService, Depends(_service)],
    dry_run: Annotated[bool, Query(description="Report what would happen and write nothing.")] = False,
    after: Annotated[str, Query(max_length=100, description="Only records with ids after this one.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_REREAD, description="Maximum number of records.")] = MAX_REREAD,
) -> RereadResult:
    """Read records again that earlier rules have read: reader, scope gate or terminology have changed since.

    Repeat the call with `after` = `next` until `next` is null. After an interruption begin anew: what was read stays.
    """
    return await service.reread(after, limit, dry_run=dry_run)
