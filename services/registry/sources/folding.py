"""Folds a form of a record that came now with those that are stored."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from services.registry.merge.reading import Reading, Record, in_order
from services.registry.records.repository import Form, SourceRecord, SourceRepository, packed
from services.registry.sources.preparing import Draft, LinePreparer
from services.registry.trials.merging import Judged


@dataclass(frozen=True, slots=True)
class Folded:
    """What all forms of a record say together.

    ``said``: the record as it is stored. ``version``: how many forms there are; ``newest_hash``: of the latest, by the
    dates of the source. ``is_new``: the form that came is not stored; ``late``: it is not the latest. ``judged``: the
    trial that the record alone would be; ``criteria``: those derived from it, None: not yet.
    """

    record: Record
    said: bytes
    version: int
    newest_hash: str
    is_new: bool
    late: bool
    judged: Judged
    criteria: dict[str, Any] | None = None


async def fold(
    records: SourceRepository, preparer: LinePreparer, source_id: str, known: SourceRecord | None, draft: Draft
) -> Folded:
    """Return what all forms of a record say together. ``known``: what is stored; ``draft``: the form that came."""
    given = draft.form
    forms = await records.forms(source_id) if known is not None else []
    # A form with a date is the same whenever it comes; one without may come back after another one.
    candidates = forms[-1:] if given.dated is None else forms
    same = next((one for one in candidates if one.is_same(given)), None)
    form = same or Form(len(forms) + 1, given.dated, given.bytes_hash, given.canonical_hash)
    ordered = in_order(forms if same else [*forms, form])
    is_new, late = same is None, ordered[-1] is not form
    newest = ordered[-1].canonical_hash
    reading = replace(draft.reading, version=form.version)
    if len(ordered) == 1:
        record = Record(records.source, source_id).followed_by(reading)
        return Folded(record, draft.said, 1, newest, is_new, late, draft.judged, draft.criteria)
    by_these_rules = known is not None and known.rules == preparer.version
    before = await records.record(source_id) if by_these_rules else None
    if before is None or (is_new and late):
        record = Record.of(records.source, source_id, [*await _others(records, preparer, source_id, form), reading])
    else:
        record = before.followed_by(reading) if is_new else before
    judged = draft.judged if _says_the_same(record, reading) else await asyncio.to_thread(preparer.judge, record)
    return Folded(record, packed(record), len(ordered), newest, is_new, late, judged)


async def _others(records: SourceRepository, preparer: LinePreparer, source_id: str, form: Form) -> list[Reading]:
    """Read the other stored forms of a record; those that are damaged are left out."""
    contents = [
        (version, content)
        for version, content in await records.contents(source_id)
        if content is not None and version != form.version
    ]
    return await asyncio.to_thread(preparer.read_again, contents)


def _says_the_same(record: Record, reading: Reading) -> bool:
    """Return whether a record says what one form of it says."""
    said = {path: one.value for path, one in record.said.items()}
    return said == reading.values and not {*record.inferred} - {*reading.inferred}
