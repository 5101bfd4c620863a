"""Pushes of partner networks and their jobs over HTTP."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.jobs.answers import written
from services.registry.jobs.intake import Intake
from services.registry.jobs.model import Job, JobState, LineOutcome
from services.registry.jobs.schemas import JobDocument, JobLine, JobLinePage, JobPage, JobResult, PartnerRecord
from services.registry.jobs.service import JobService
from services.registry.sources.partner.files import CSV, ENCODINGS, NDJSON, XLSX
from services.registry.trials.listing.answers import JSON, MEDIA_TYPES
from shared.access.policy import Access
from shared.http.context import context_of
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.representations import preferred_type
from shared.http.route import ApiRoute, accepts, produces
from shared.http.strict_request import media_type_of
from shared.idempotency.marks import repeatable
from shared.values.language import negotiate

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["sources"])

Reader = Annotated[Access, Depends(allow("push", "read"))]
Writer = Annotated[Access, Depends(allow("push", "write"))]
MAX_FILE = 128 * 1024 * 1024
Network = Annotated[
    str,
    Path(
        pattern="^[a-z][a-z0-9-]{1,31}$",
        max_length=32,
        description="The id of the network's organisation, at most 32 characters.",
    ),
]
JobId = Annotated[str, Path(max_length=20, description="The id of the job, such as `J000012`.")]


def _service(request: Request, access: Access) -> JobService:
    state, language = request.app.state, negotiate(request.headers.get("accept-language"))
    return JobService(state.database, state.jobs, access, language)


def _reads(request: Request, access: Reader) -> JobService:
    return _service(request, access)


def _writes(request: Request, access: Writer) -> JobService:
    return _service(request, access)


Reads = Annotated[JobService, Depends(_reads)]
Writes = Annotated[JobService, Depends(_writes)]


async def _read_all(
    service: JobService, job: Job, result: str | None, after: int, limit: int
) -> Sequence[tuple[int, LineOutcome]]:
    return await service.results(job, after, limit, result)


def _charset(request: Request) -> str:
    """Return the encoding that the request declares."""
    parameters = request.headers.get("content-type", "").lower().replace('"', "").replace(" ", "").split(";")
    return next((one.removeprefix("charset=") for one in parameters if one.startswith("charset=")), "utf-8")


@router.put("/sources/partner:{network}/trials", status_code=202, summary="Send the trials of a partner network")
@accepts(
    *(NDJSON, CSV, XLSX),
    body_bytes=MAX_FILE,
    seconds=120,
    body_seconds=600,
    model=PartnerRecord,
    spooled=True,
    charsets=tuple(ENCODINGS),
)
async def push_trials(
    request: Request,
    response: Response,
    service: Writes,
    access: Writer,
    network: Network,
    dry_run: Annotated[bool, Query(description="Report what would happen and change nothing.")] = False,
    full: Annotated[
        bool, Query(description="The file has all trials of the source: mark the others as missing. None is deleted.")
    ] = False,
) -> JobDocument:
    """Accept a file with up to 10,000 trials: NDJSON, CSV (UTF-8; Windows-1252 if declared) or xlsx, at most 128 MiB.

    A job imports it: `Location` names it. A file that cannot be read as a whole is refused at once; a line that is
    faulty or longer than 1 MiB affects only itself. Jobs of one source run one after the other, in the order in which
    they were accepted. Trials that are not in the file stay as they are.
    """
    file = context_of(request).spooled
    assert file is not None
    intake = Intake(f"partner:{network}", request.app.state.settings.data_dir)
    try:
        kind = (media_type_of(request) or NDJSON, _charset(request))
        job = await service.submit(
            network, file, kind, intake, request.app.state.heavy_work, dry_run=dry_run, full=full
        )
    finally:
        intake.close()
    response.headers["Location"] = f"/registry/v1/jobs/{job.id}"
    return JobDocument.of(job)


@router.get("/jobs", summary="List jobs")
async def list_jobs(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    source: Annotated[str | None, Query(max_length=40, description="Only this source, `partner:pedstart`.")] = None,
    state: Annotated[JobState | None, Query(description="Only this state.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobPage:
    """List the jobs of the caller's source, for the coordination those of all, newest first. They are kept 90 days."""
    place = open_page(request, cursor)
    found = await service.page(source, state, int(place[0]) if place else None, limit + 1)
    page = found[:limit]
    following = close_page(request, response, [page[-1].number] if len(found) > limit else None)
    return JobPage(items=[JobDocument.of(one) for one in page], next=following)


@router.get("/jobs/{job}", summary="Read a job")
async def read_job(service: Reads, access: Reader, job: JobId) -> JobDocument:
    """Return a job with its progress."""
    return JobDocument.of(await service.read(job))


@router.get("/jobs/{job}/results", response_model=JobLinePage, summary="Read the results of a job")
@accepts(seconds=None)
@produces(JSON, CSV, NDJSON)
async def read_results(
    request: Request,
    response: Response,
    service: Reads,
    access: Reader,
    job: JobId,
    result: Annotated[JobResult | None, Query(description="Only lines with this result.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Return a result for each line, in the columns of the file: a page as JSON, or all as `text/csv` or NDJSON.

    The texts are in the language in which the file was sent. CSV is safe to open in a spreadsheet.
    """
    found = await service.read(job)
    kind = preferred_type(request.headers.get("accept"), MEDIA_TYPES)
    if kind != JSON:
        read = partial(_read_all, service, found, result)
        return StreamingResponse(written(found, kind, read), media_type=kind)
    place = open_page(request, cursor)
    lines = await service.results(found, int(place[0]) if place else -1, limit + 1, result)
    page = lines[:limit]
    following = close_page(request, response, [page[-1][0]] if len(lines) > limit else None)
    document = JobLinePage(items=[JobLine.of(found, one) for _, one in page], next=following)
    return Response(document.model_dump_json(), headers=dict(response.headers), media_type=JSON)


@router.post("/jobs/{job}/cancel", summary="Cancel a job")
@accepts()
@repeatable("a job that was cancelled or has ended stays as it is")
async def cancel_job(service: Writes, access: Writer, job: JobId) -> JobDocument:
    """Cancel a job that waits or runs. What it did stays, and can be undone."""
    return JobDocument.of(await service.cancel(job))


@router.post("/jobs/{job}/undo", status_code=202, summary="Undo a job")
@accepts()
@repeatable("a job is undone once: a second call answers with the same job")
async def undo_job(response: Response, service: Writes, access: Writer, job: JobId) -> JobDocument:
    """Undo a push that has ended, in a job of its own: each record becomes what it was before.

    A record that has changed since stays as it is, and is reported as `kept`. A trial that no record describes any more
    is withdrawn; sent again, it is the same trial.
    """
    undoing = await service.undo(job)
    response.headers["Location"] = f"/registry/v1/jobs/{undoing.id}"
    return JobDocument.of(undoing)
