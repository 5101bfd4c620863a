"""Bulk upsert of a source's own records: NDJSON in, a result per line out."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from services.registry.centres.repository import CentreRepository
from services.registry.sources.repository import SourceRepository
from services.registry.sources.service import LineResult, SourceService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.persistence import Writing
from shared.values.language import negotiate
from shared.values.problems import Fault, NotFoundError, TooLargeError
from shared.values.wire import ApiModel, Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["sources"])

Writer = Annotated[Access, Depends(allow("source", "write"))]
MAX_LINES = 200
MAX_LINE_BYTES = 1024 * 1024
SOURCES = frozenset({"ctgov"})


async def _lines(request: Request) -> list[bytes]:
    lines = (await request.body()).split(b"\n")
    too_many = Label(fr=f"au plus {MAX_LINES} lignes par envoi", en=f"at most {MAX_LINES} lines a request")
    too_long = Label(fr="au plus 1 Mio par ligne", en="at most 1 MiB a line")
    if sum(1 for line in lines if line.strip()) > MAX_LINES:
        raise TooLargeError(too_many)
    for number, line in enumerate(lines):
        if len(line) > MAX_LINE_BYTES:
            raise TooLargeError(too_long, errors=[Fault(pointer=f"/{number}", code="line_too_long", detail=too_long)])
    return lines


# Declared before the transaction: a slow sender must not hold the writer's place.
Lines = Annotated[list[bytes], Depends(_lines)]


class BulkResult(ApiModel):
    """A result per line that was not blank, and how often each occurred."""

    results: list[LineResult]
    counts: dict[str, int]


@router.put(
    "/sources/{source}/trials",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    },
)
@accepts("application/x-ndjson", body_bytes=64 * 1024 * 1024, seconds=60, body_seconds=600)
async def take_records(
    request: Request,
    access: Writer,
    source: Annotated[str, Path(max_length=40)],
    lines: Lines,
    connection: Writing,
    dry_run: Annotated[bool, Query(description="Tell what would happen and write nothing.")] = False,
) -> BulkResult:
    """Take in up to 200 records in one transaction. Only upserts: a record that is absent means nothing."""
    if source not in SOURCES:
        raise NotFoundError
    desk = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.terminology)
    savepoint = await connection.begin_nested()
    results = await SourceService(
        source, desk, SourceRepository(connection), negotiate(request.headers.get("accept-language"))
    ).take(lines)
    if dry_run:
        await savepoint.rollback()
    else:
        await savepoint.commit()
    return BulkResult(results=results, counts=dict(sorted(Counter(one.result for one in results).items())))
