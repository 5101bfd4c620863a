"""Puts the pages of the editor together from calls of the API."""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.portal.clients.api import Api
from services.portal.clients.problems import FAILURES, ApiError, in_words
from services.portal.criteria_editor.comparing import Verdict, patients_for
from services.portal.criteria_editor.draft import Draft
from services.portal.criteria_editor.reading import NOTHING, Edited, check, verdicts
from services.portal.criteria_editor.view import EditorView, editor_view, verdict_rows
from services.portal.pages.days import today
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
    checked, before = await asyncio.gather(
        check(api, document if has_lines else None, formats.language), check(api, edited.in_force, formats.language)
    )
    rows, failure = list[Verdict](), edited.failure or checked.failure or before.failure
    if tries and has_lines and not checked.has_errors and failure is None:
        rows, failure = await _verdicts(api, edited, document, formats)
    found = checked if has_lines else NOTHING
    return editor_view(edited, draft, found, before, formats, rows, refused, base, failure)


async def _verdicts(
    api: Api, edited: Edited, document: dict[str, Any], formats: Formats
) -> tuple[list[Verdict], ApiError | None]:
    """Return the verdicts, or none and why there are none."""
    patients = patients_for([edited.in_force, document], today().isoformat(), formats)
    try:
        before, after = await asyncio.gather(
            verdicts(api, edited.in_force, patients), verdicts(api, document, patients)
        )
    except FAILURES as error:
        return [], in_words(error, formats.language)
    return verdict_rows(patients, before, after, formats), None
