"""Results of jobs as NDJSON and CSV, read in pages while they are sent."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from services.registry.jobs.model import Job, LineOutcome
from services.registry.jobs.schemas import JobLine
from services.registry.trials.listing.answers import CSV
from shared.values.csv_text import csv_rows
from shared.values.language import Language

PAGE: Final = 500
_HEAD: Final[dict[Language, tuple[str, ...]]] = {
    "fr": ("ligne", "numéro", "résultat", "essai", "identifiant", "périmètre", "colonne", "code", "que faire"),
    "en": ("line", "number", "result", "trial", "trial id", "scope", "column", "code", "what to do"),
}
# Spreadsheets recognise UTF-8 by it.
_MARK: Final = "\ufeff"

Read = Callable[[int, int], Awaitable[Sequence[tuple[int, LineOutcome]]]]


async def written(job: Job, kind: str, read: Read) -> AsyncIterator[str]:
    """Yield all results. ``read``: returns those after a place, at most so many; ``kind``: the media type."""
    if kind == CSV:
        yield _MARK + csv_rows([_HEAD[job.what.language]])
    after = -1
    while found := await read(after, PAGE):
        lines = [JobLine.of(job, one) for _, one in found]
        if kind == CSV:
            yield csv_rows([row for line in lines for row in _table_rows(line)])
        else:
            yield "".join(f"{line.model_dump_json()}\n" for line in lines)
        after = found[-1][0]


def _table_rows(line: JobLine) -> list[tuple[object, ...]]:
    """Return a row for each message of a line, or one row."""
    head = (line.line, line.number, line.result, line.trial, line.trial_id, line.scope)
    return [(*head, one.column, one.code, one.detail) for one in line.messages] or [(*head, None, None, None)]
