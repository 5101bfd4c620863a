"""Bulk import of a source's own records: NDJSON in, a result per line out."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from services.registry.centres.repository import CentreRepository
from services.registry.sources.repository import SourceRepository
from services.registry.sources.schemas import BulkResult
from services.registry.sources.service import SourceService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.persistence import Writing
from shared.values.language import negotiate
from shared.values.problems import Fault, NotFoundError, TooLargeError
from shared.values.wire import Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["sources"])

Writer = Annotated[Access, Depends(allow("source", "write"))]
MAX_LINES = 200
MAX_LINE_BYTES = 1024 * 1024
SOURCES = frozenset({"ctgov"})


async def _lines(request: Request) -> list[bytes]:
    lines = (await request.body()).split(b"\n")
    too_many = Label(fr=f"au plus {MAX_LINES} lignes par envoi", en=f"at most {MAX_LINES} lines per request")
    too_long = Label(fr="au plus 1 Mio par ligne", en="at most 1 MiB per line")
    if sum(1 for line in lines if line.strip()) > MAX_LINES:
        raise TooLargeError(too_many)
    for number, line in enumerate(lines):
        if len(line) > MAX_LINE_BYTES:
            raise TooLargeError(too_long, errors=[Fault(pointer=f"/{number}", code="line_too_long", detail=too_long)])
    return lines


# Declared before the service: the body is read before the transaction begins, so a slow sender does not keep the write
# lock.
Lines = Annotated[list[bytes], Depends(_lines)]


def _service(request: Request, source: Annotated[str, Path(max_length=40)], connection: Writing) -> SourceService:
    if source not in SOURCES:
        raise NotFoundError
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return SourceService(
        source, trials, SourceRepository(connection), negotiate(request.headers.get("accept-language"))
    )


@router.put(
    "/sources/{source}/trials",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    },
)
@accepts("application/x-ndjson", body_bytes=64 * 1024 * 1024, seconds=60, body_seconds=600)
async def import_records(
    access: Writer,
    lines: Lines,
    service: Annotated[SourceService, Depends(_service)],
    dry_run: Annotated[bool, Query(description="Report what would happen and write nothing.")] = False,
) -> BulkResult:
    """Import up to 200 records in one transaction. A record that is absent from the request stays as it is."""
    results = await service.run(lines, dry_run=dry_run)
    return BulkResult(results=results, counts=dict(sorted(Counter(one.result for one in results).items())))
