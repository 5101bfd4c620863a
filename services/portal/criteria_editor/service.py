"""Puts the pages of the editor together from calls of the API."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.portal.clients.api import Api
from services.portal.criteria_editor.comparing import Verdict, patients_for
from services.portal.criteria_editor.draft import Draft
from services.portal.criteria_editor.reading import NOTHING, Edited, check, verdicts
from services.portal.criteria_editor.view import EditorView, editor_view, verdict_rows
from services.portal.pages.formats import Formats


async def view_of(
    api: Api,
    edited: Edited,
    draft: Draft,
    formats: Formats,
    *,
    tries: bool = False,
    refused: Sequence[dict[str, Any]] = (),
    base: str = "",
) -> EditorView:
    """Check a draft and return the editor with it. ``tries``: also on example patients, if it has no error."""
    document = draft.checked(edited.trial["identifier"])
    has_lines = draft.is_readable and bool(draft.lines)
    checked, before = await asyncio.gather(check(api, document if has_lines else None), check(api, edited.in_force))
    rows: list[Verdict] = []
    if tries and has_lines and not checked.has_errors:
        rows = await _verdicts(api, edited, document, formats)
    return editor_view(edited, draft, checked if has_lines else NOTHING, before, formats, rows, refused, base)


async def _verdicts(api: Api, edited: Edited, document: dict[str, Any], formats: Formats) -> list[Verdict]:
    today = datetime.now(UTC).date().isoformat()
    patients = patients_for([edited.in_force, document], today, formats)
    before, after = await asyncio.gather(verdicts(api, edited.in_force, patients), verdicts(api, document, patients))
    return verdict_rows(patients, before, after, formats)
