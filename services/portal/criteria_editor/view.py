"""The editor of criteria: from the JSON of the API to what the templates show. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.problems import ApiError
from services.portal.criteria_editor.comparing import Difference, Patient, Verdict, differences
from services.portal.criteria_editor.draft import Draft, Line, faults_by_line
from services.portal.criteria_editor.reading import Checked, Edited
from services.portal.pages.formats import Formats
from services.portal.trial_pages.view import title_of


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A criterion with its sentence, its errors and its warnings."""

    line: Line
    sentence: str
    errors: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class EditorView:
    """What the editor shows. ``wrong``: errors of no criterion; ``verdicts``: empty unless asked for.

    ``failure``: why something of it could not be read, checked or tried; None: all was. ``was_read``: the trial was.
    """

    trial: dict[str, Any]
    title: str
    source: list[str]
    base: str
    version: int | None
    proposals: list[dict[str, Any]]
    draft: Draft
    lines: list[CheckedLine]
    wrong: list[str]
    errors: int
    warnings: int
    differences: list[Difference]
    verdicts: list[Verdict] = field(default_factory=list)
    failure: ApiError | None = None
    was_read: bool = True


def editor_view(
    edited: Edited,
    draft: Draft,
    checked: Checked,
    before: Checked,
    formats: Formats,
    verdicts: Sequence[Verdict] = (),
    refused: Sequence[dict[str, Any]] = (),
    base: str = "",
    failure: ApiError | None = None,
) -> EditorView:
    """Return what the editor shows. ``before``: the check of the criteria in force; ``refused``: faults of a proposal.

    ``base``: the version that the draft was made from, where that is not the one in force.
    """
    faults = [*checked.faults, *refused]
    faults += [one for one in checked.findings if one["severity"] == "error"]
    errors = faults_by_line(faults, formats)
    warnings = faults_by_line([one for one in checked.findings if one["severity"] == "warning"], formats)
    lines = [
        CheckedLine(
            one,
            formats.label(checked.sentences.get(one.id)),
            [*([one.wrong] if one.wrong else []), *errors.get(place, [])],
            warnings.get(place, []),
        )
        for place, one in enumerate(draft.lines)
    ]
    version = edited.in_force["version"] if edited.in_force else None
    text = edited.trial["eligibility"]["text"] or ""
    return EditorView(
        trial=edited.trial,
        title=title_of(edited.trial, formats).text,
        source=[line.strip() for line in text.splitlines() if line.strip()],
        base=base or (f'"v{version}"' if version else "*"),
        version=version,
        proposals=edited.proposals,
        draft=draft,
        lines=lines,
        wrong=errors.get(-1, []),
        errors=len(errors.get(-1, [])) + sum(len(one.errors) for one in lines),
        warnings=sum(len(one.warnings) for one in lines),
        differences=differences(edited.in_force, before.sentences, draft.document, checked.sentences, formats)
        if edited.failure is None
        else [],
        verdicts=list(verdicts),
        failure=failure,
        was_read=edited.failure is None,
    )


def verdict_rows(
    patients: Sequence[Patient], before: Sequence[str], after: Sequence[str], formats: Formats
) -> list[Verdict]:
    """Return the verdict of each patient, before and after."""
    return [
        Verdict(one.name, _verdict(was, formats), _verdict(now, formats), changed=bool(was) and was != now)
        for one, was, now in zip(patients, before, after, strict=True)
    ]


def _verdict(code: str, formats: Formats) -> str:
    """Return a verdict in words, or why a match would not list the trial."""
    group = "listing" if code in {"undetermined", "not_indicated"} else "verdict"
    return formats.word(group, code)
