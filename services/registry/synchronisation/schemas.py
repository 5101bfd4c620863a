"""Synchronised sources on the wire."""

from typing import Literal

from pydantic import Field

from shared.values.wire import ApiModel, Day, Instant

SyncPhase = Literal["off", "on_request", "waiting", "running", "failing"]


class SyncRun(ApiModel):
    """A run in progress, or the last one that ended."""

    number: int = Field(description="The number of the run.")
    began_at: Instant = Field(description="When it began.")
    ended_at: Instant | None = Field(default=None, description="When it ended; null: it has not.")
    whole: bool = Field(description="Whether it lists everything, or what changed.")
    dry_run: bool = Field(description="Whether it only reports what would happen.")
    pages: int = Field(description="How many pages were fetched.")
    records: int = Field(description="How many records they had.")
    total: int | None = Field(default=None, description="How many records the source lists; null: it did not say.")
    counts: dict[str, int] = Field(
        description="The results of the import, as for records that people send, and `quarantined`."
    )
    missing: int = Field(default=0, description="How many records the source no longer has since this run.")
    fault: str | None = Field(default=None, description="Why the listing was not complete; null: it was.")


class SyncSource(ApiModel):
    """A source that can be synchronised, and its state."""

    source: str = Field(description="The name of the source.")
    phase: SyncPhase = Field(
        description="`off`: the settings do not name it. `on_request`. `waiting`: for the next run. `running`. "
        "`failing`: it is tried again at `retry_at`."
    )
    hours: float | None = Field(description="Hours between the starts of two runs; null: on request only.")
    url: str = Field(description="The address of the source.")
    cursor: str | None = Field(description="What was fetched completely: a day, or a position of a feed.")
    cursor_at: Instant | None = Field(description="When the run began that reached it.")
    lag_seconds: int | None = Field(description="Seconds since then: changes since may be missing here.")
    listed_at: Instant | None = Field(description="When the last complete listing began.")
    due_at: Instant | None = Field(description="When the next run is due.")
    listed: int = Field(description="How many records the source lists.")
    missing: int = Field(description="How many of its former records it no longer lists.")
    quarantine: int = Field(description="How many records could not be imported.")
    failures: int = Field(description="Faults since the last page.")
    fault: str | None = Field(description="The code of the last fault; null: there is none.")
    fault_detail: str | None = Field(description="More about it.")
    failing_since: Instant | None = Field(description="Since when.")
    retry_at: Instant | None = Field(description="When it is tried again.")
    requested: bool = Field(description="Whether a run was asked for that has not begun.")
    run: SyncRun | None = Field(description="The run in progress.")
    last_run: SyncRun | None = Field(description="The last run that ended.")


class SyncSourceList(ApiModel):
    """The sources that can be synchronised."""

    items: list[SyncSource] = Field(description="The sources, in the order of their names.")


class ListedRecord(ApiModel):
    """A record in quarantine, or one that its source no longer has."""

    source_id: str = Field(description="The id of the record; `unknown:…` where none can be read.")
    trial: str | None = Field(description="The preferred number of its trial, if it has one.")
    trial_id: str | None = Field(description="The id of that trial.")
    seen_at: Instant = Field(description="When the source listed it last.")
    missing_since: Instant | None = Field(description="Since when the source no longer has it; null: it has it.")
    fault: str | None = Field(description="Why it was not imported, as a code; null: it was.")
    fault_detail: str | None = Field(description="The place and the fault.")
    faulty_since: Instant | None = Field(description="Since when it is in quarantine.")
    attempts: int = Field(description="How often it was tried since then.")
    retry_at: Instant | None = Field(description="When it is tried again.")


class ListedRecordPage(ApiModel):
    """A page of records."""

    items: list[ListedRecord] = Field(description="The records, in the order of their ids.")
    next: str | None = Field(description="The address of the next page; null: this is the last one.")


class SyncRequest(ApiModel):
    """Which run is asked for. Without members: what changed since the last one."""

    full: bool = Field(default=False, description="List everything, and find what the source no longer has.")
    dry_run: bool = Field(default=False, description="Report what would happen; store nothing.")
    since: Day | None = Field(default=None, description="Fetch what changed since this day, less the overlap.")
