"""A draft of criteria as a form shows and sends it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.pages.forms import Form

# What an author writes; the registry sets the rest.
WRITTEN = ("source_version", "anchors", "authored_by", "illustrative", "cohorts", "lead_time", "criteria")
HEAD = ("source_version", "authored_by", "lead_time")
_NEW = {"kind": "include", "stage": "screening", "text": {"fr": "", "en": ""}, "expr": {"type": "age", "min": "P18Y"}}
_NO_JSON = {
    "fr": "L'expression n'est pas un objet JSON (ligne {line}, colonne {column}).",
    "en": "The expression is no JSON object (line {line}, column {column}).",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A criterion in the form. ``expression``: its text as typed; ``wrong``: why that cannot be read."""

    id: str
    kind: str
    indication: bool
    stage: str
    fr: str
    en: str
    expression: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: its JSON, and its criteria as the form shows them."""

    document: dict[str, Any]
    lines: list[Line] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        return not any(one.wrong for one in self.lines)

    @property
    def text(self) -> str:
        """Return the JSON that travels with the form: what the form does not show stays as it is."""
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))

    def checked(self, trial: str) -> dict[str, Any]:
        """Return the document that the API checks and tries: of no signature yet."""
        given = {name: value for name, value in self.document.items() if value not in ("", None)}
        return {**given, "trial": trial, "grade": "registry"}

    def with_new_line(self) -> "Draft":
        """Return the draft with one more criterion."""
        known = {one.id for one in self.lines}
        name = next(one for number in range(1, len(known) + 2) if (one := f"N-{number}") not in known)
        return draft_of({**self.document, "criteria": [*self.document["criteria"], {**_NEW, "id": name}]})


def draft_of(document: Mapping[str, Any] | None) -> Draft:
    """Return a draft of criteria in force or proposed; None: of none."""
    given = document or {"criteria": []}
    kept = {**dict.fromkeys(HEAD), **{name: given[name] for name in WRITTEN if name in given}}
    return Draft(kept, [_line(one) for one in kept["criteria"]])


def draft_in(form: Form, formats: Formats) -> Draft | None:
    """Read a draft from a form: what was typed, over the JSON that travels with it. None: that is none."""
    try:
        document = json.loads(form.text("document"))
        kept = [dict(one) for one in document["criteria"]]
    except (ValueError, KeyError, TypeError):
        return None
    lines: list[Line] = []
    criteria: list[dict[str, Any]] = []
    for place, one in enumerate(kept):
        if form.one(f"c{place}-drop"):
            continue
        line, criterion = _typed(form, f"c{place}", one, formats)
        lines.append(line)
        criteria.append(criterion)
    head = {name: form.one(name) or None for name in HEAD}
    return Draft({**document, **head, "criteria": criteria}, lines)


def _line(criterion: Mapping[str, Any]) -> Line:
    text = criterion.get("text") or {}
    return Line(
        id=criterion["id"],
        kind=criterion["kind"],
        indication=criterion.get("role") == "indication",
        stage=criterion.get("stage", "screening"),
        fr=text.get("fr", ""),
        en=text.get("en", ""),
        expression=json.dumps(criterion["expr"], ensure_ascii=False, indent=1),
    )


def _typed(form: Form, name: str, kept: Mapping[str, Any], formats: Formats) -> tuple[Line, dict[str, Any]]:
    expression, wrong = form.text(f"{name}-expr"), ""
    read: Any = kept.get("expr")
    try:
        read = _object(expression)
    except json.JSONDecodeError as error:
        wrong = _NO_JSON[formats.language].format(line=error.lineno, column=error.colno)
    line = Line(
        id=form.one(f"{name}-id"),
        kind=form.one(f"{name}-kind"),
        indication=bool(form.one(f"{name}-indication")),
        stage=form.one(f"{name}-stage"),
        fr=form.one(f"{name}-fr"),
        en=form.one(f"{name}-en"),
        expression=expression,
        wrong=wrong,
    )
    others = {key: value for key, value in kept.items() if key not in {"role", "text"}}
    typed = {"id": line.id, "kind": line.kind, "stage": line.stage, "expr": read}
    role = {"role": "indication"} if line.indication else {}
    text = {"text": {"fr": line.fr, "en": line.en}} if line.fr or line.en else {}
    return line, {**others, **typed, **role, **text}


def _object(text: str) -> Any:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise json.JSONDecodeError("no object", text, 0)
    return found


def faults_by_line(faults: Sequence[Mapping[str, Any]], formats: Formats) -> dict[int, list[str]]:
    """Return the details of faults or findings by the place of their criterion; those of none: at -1."""
    found: dict[int, list[str]] = {}
    for one in faults:
        parts = one["pointer"].split("/")
        place = int(parts[2]) if parts[1:2] == ["criteria"] and len(parts) > 2 and parts[2].isdecimal() else -1
        below = "/".join(parts[3:]) if place >= 0 else "/".join(parts[1:])
        detail = formats.label(one["detail"])
        found.setdefault(place, []).append(f"{below} : {detail}" if below else detail)
    return found
