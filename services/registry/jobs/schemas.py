"""Jobs and their results on the wire."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.jobs.model import Ending, Job, JobKind, JobState, LineOutcome, job_id
from services.registry.model.trial import ScopeVerdict
from services.registry.sources.partner.columns import columns
from services.registry.sources.schemas import Result
from shared.values.wire import ApiModel, Instant

JobResult = Result | Ending
JobNote = Literal["full_not_applied", "internal"]


class PartnerRecord(BaseModel):
    """A trial of a partner network: members as the columns of its guide, texts, or lists of texts."""

    model_config = ConfigDict(extra="allow")


class JobDocument(ApiModel):
    """A job: the import of a file of a partner network, or the undoing of one."""

    id: str = Field(description="The id of the job, such as `J000012`.")
    source: str = Field(description="The source, such as `partner:pedstart`.")
    kind: JobKind = Field(description="`push`: imports a file. `undo`: puts back what a push changed.")
    undoes: str | None = Field(description="Of an `undo`: the job that it undoes.")
    undone_by: str | None = Field(description="The job that undoes this one; null: none.")
    state: JobState = Field(
        description="`waiting`: for the jobs of this source before it. `running`. `done`: every line has its result. "
        "`cancelled`: what was done before stays. `failed`: see the log of the registry."
    )
    dry_run: bool = Field(description="Whether it only reports what would happen.")
    full: bool = Field(description="Whether the file has all trials of the source: others are marked as missing.")
    total: int = Field(description="The number of lines.")
    done: int = Field(description="How many of them are done.")
    counts: dict[str, int] = Field(description="How often each result occurred.")
    unknown_columns: list[str] = Field(description="Headings of the file that are no columns: they are not read.")
    note: JobNote | None = Field(
        description="`full_not_applied`: nothing was marked as missing, because the number of a line could not be "
        "read. `internal`: the job failed. null: nothing."
    )
    created_by: str = Field(description="Who sent it: the organisation, and the client or person.")
    created_at: Instant = Field(description="When it was accepted.")
    started_at: Instant | None = Field(description="When it began; null: not yet.")
    ended_at: Instant | None = Field(description="When it ended; null: not yet.")

    @classmethod
    def of(cls, job: Job) -> "JobDocument":
        what = job.what
        return cls(
            id=job.id,
            source=what.source,
            kind=what.kind,
            undoes=None if what.undoes is None else job_id(what.undoes),
            undone_by=None if job.undone_by is None else job_id(job.undone_by),
            state=job.state,
            dry_run=what.dry_run,
            full=what.full,
            total=what.total,
            done=job.done,
            counts=dict(sorted(job.counts.items())),
            unknown_columns=list(what.unknown),
            note=job.note,  # type: ignore[arg-type]  # this program wrote it
            created_by=what.author,
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )


class JobPage(ApiModel):
    """A page of jobs."""

    items: list[JobDocument] = Field(description="The jobs, newest first.")
    next: str | None = Field(description="The cursor of the next page; null: this is the last one.")


class LineMessage(ApiModel):
    """What is to be known about a line."""

    column: str | None = Field(description="The heading of the column as the file has it; null: the whole line.")
    code: str = Field(description="A stable code.")
    detail: str = Field(description="What is wrong, and what to do.")


class JobLine(ApiModel):
    """The result of one line."""

    line: int | None = Field(
        description="The number of the line; in a table that of the row, the headings being row 1. null: the record "
        "is not in the file."
    )
    number: str | None = Field(description="The partner's number of the trial; null: it could not be read.")
    result: JobResult = Field(
        description="As of an import, and: `source_missing`: the file, which has all trials, does not have this one; "
        "it stays as it is. `restored`: put back. `kept`: not put back, because it changed since."
    )
    trial: str | None = Field(description="The `identifier` of its trial in this registry.")
    trial_id: str | None = Field(description="The `id` of that trial. After a dry run, a new trial has none.")
    scope: ScopeVerdict | None = Field(
        description="Whether the trial belongs in this registry. `scope_unclear`: a person decides; until then it is "
        "not published. null: not judged."
    )
    changed: list[str] = Field(description="The fields of the trial that changed.")
    messages: list[LineMessage] = Field(description="What was left out or refused, and why.")

    @classmethod
    def of(cls, job: Job, one: LineOutcome) -> "JobLine":
        language = job.what.language

        def heading(name: str) -> str | None:
            if not name:
                return None
            return job.what.headings.get(name) or str(getattr(columns()[name].label, language))

        return cls(
            line=one.line or None,
            number=one.source_id,
            result=one.result,  # type: ignore[arg-type]  # this program wrote it
            trial=one.trial,
            trial_id=one.trial_id,
            scope=one.scope,  # type: ignore[arg-type]
            changed=list(one.changed),
            messages=[
                LineMessage(column=heading(message.column), code=message.code, detail=message.detail)
                for message in one.messages
            ],
        )


class JobLinePage(ApiModel):
    """A page of results."""

    items: list[JobLine] = Field(description="The results, in the order of the file.")
    next: str | None = Field(description="The cursor of the next page; null: this is the last one.")
