"""Runs of synchronisation, pages of records, and the protocol of connectors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol

# Begins the id of a record whose own id cannot be read.
UNKNOWN: Final = "unknown:"
# Where a connector is in a listing: JSON, of a form that only the connector knows.
Position = Mapping[str, Any]


class SourceError(Exception):
    """The source did not answer as it should. ``code`` is stable; ``detail`` holds nothing of the answer.

    ``retry_after``: seconds that the source asked to wait. ``restarts``: the position is of no more use, so the listing
    begins again.
    """

    def __init__(
        self, code: str, detail: str = "", *, retry_after: float | None = None, restarts: bool = False
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.restarts = restarts


@dataclass(frozen=True, slots=True)
class Item:
    """A record that a source lists, as a line to import. ``record`` None: it could not be had; ``fault`` says why."""

    source_id: str | None
    record: bytes | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records that were listed together.

    ``following``: where the next page is; None: this is the last one. ``total``: how many records the source says that
    it lists; None: it does not say. ``gone``: ids of records that the source says it no longer has. ``cursor``: at the
    last page, what is fetched completely now.
    """

    items: Sequence[Item]
    following: Position | None
    total: int | None = None
    gone: Sequence[str] = ()
    cursor: str | None = None


class Connector(Protocol):
    """Asks one source for its records. Has no state: it may be asked for the same page again, by any replica."""

    def first(self, cursor: str | None, today: date) -> Position:
        """Return where a listing begins. ``cursor``: what was fetched before; None: list everything."""

    def listed(self, position: Position) -> bool:
        """Return whether the listing of a position is of everything that the source has."""

    async def fetch(self, position: Position, *, singly: bool = False) -> Page:
        """Fetch a page. ``singly``: each record on its own, because the page as a whole cannot be had.

        :raises SourceError: the source did not answer, or not as it should.
        """

    async def record(self, source_id: str) -> Item | None:
        """Fetch one record; None if the source does not have it.

        :raises SourceError: as `fetch`.
        """


@dataclass(slots=True)
class Run:
    """A run in progress.

    ``cursor``: what was fetched before, None for a complete listing. ``position``: of the next page. ``whole``: whether
    this lists everything. ``passed``: hashes of the positions of this listing so far: none comes twice. ``total``: as
    the source said last. ``counts``: results of the import. ``begins``: how often the listing began.
    """

    number: int
    began_at: str
    cursor: str | None
    position: Position
    whole: bool
    dry_run: bool = False
    pages: int = 0
    records: int = 0
    total: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    begins: int = 1

    @property
    def began(self) -> datetime:
        return datetime.fromisoformat(self.began_at)

    def dump(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Requested:
    """What a person asked for. ``since``: a day from which to fetch again; ``full``: everything."""

    full: bool = False
    dry_run: bool = False
    since: str | None = None


@dataclass(frozen=True, slots=True)
class SyncState:
    """What is stored of a source (`tables.py`)."""

    source: str
    cursor: str | None = None
    cursor_at: datetime | None = None
    listed_at: datetime | None = None
    due_at: datetime | None = None
    requested: Requested | None = None
    run: Run | None = None
    last_run: Mapping[str, Any] | None = None
    runs: int = 0
    claimed_until: datetime | None = None
    fence: int = 0
    failures: int = 0
    fault: str | None = None
    fault_detail: str | None = None
    failing_since: datetime | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A record that a source lists or listed (`tables.py`)."""

    source_id: str
    run: int
    seen_at: datetime
    missing_since: datetime | None = None
    fault: str | None = None
    fault_detail: str | None = None
    faulty_since: datetime | None = None
    attempts: int = 0
    retry_at: datetime | None = None
