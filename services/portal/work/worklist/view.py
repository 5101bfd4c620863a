"""What waits for a visitor: in sentences, the most urgent first, and in groups by day. Pure."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.work.worklist.reading import Waiting
from shared.values.wire import Label

_SOON = timedelta(days=7)
_GROUPS: tuple[tuple[str, Label], ...] = (
    ("overdue", Label(fr="En retard", en="Overdue")),
    ("soon", Label(fr="Dans les sept jours", en="Within seven days")),
    ("later", Label(fr="Plus tard", en="Later")),
    ("undated", Label(fr="Sans date limite", en="Without a due date")),
)


_ROWS: Mapping[str, Mapping[str, Any]] = {
    row["code"]: row for row in json.loads((Path(__file__).parent / "waiting.json").read_text(encoding="utf-8"))
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """How much of one kind waits. ``path``: of the page where it is done; empty: none.

    ``due``: until when the first of them is due, in words; empty: no day is set. ``overdue``: how many are late.
    """

    text: str
    path: str
    due: str
    overdue: int


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to do: in words, for which trial and centre, until when, and the page where it is done.

    ``about``: what it is about, in words; ``subject``: its reference.
    """

    text: str
    about: str
    subject: str
    trial: str | None
    centre: str | None
    due: str
    since: str
    count: int | None
    path: str


def groups_of(waiting: Waiting, formats: Formats) -> Sequence[tuple[str, str, Sequence[Line]]]:
    """Return code, title and lines of each group that has lines. What is due first comes first."""
    if waiting.worklist is None:
        return []
    today = date.fromisoformat(waiting.worklist["day"])
    found: dict[str, list[Line]] = {}
    for item in waiting.worklist["items"]:
        found.setdefault(_group(item, today), []).append(_line(item, waiting, formats))
    return [(code, formats.label(title), found[code]) for code, title in _GROUPS if code in found]


def sentences_of(waiting: Waiting, formats: Formats) -> Sequence[Sentence]:
    """Return a sentence for each kind of thing that waits: what is late first, then by the first day, then the rest."""
    kinds: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in waiting.worklist["items"] if waiting.worklist else ():
        kinds[item["kind"]].append(item)
    found = [(*_urgency(items), _sentence(kind, items, formats)) for kind, items in kinds.items()]
    order = {code: place for place, code in enumerate(_ROWS)}
    rest = sorted((order[code], code, count) for code, count in waiting.counts.items() if count)
    found.sort(key=lambda one: one[:2])
    return [one[2] for one in found] + [
        Sentence(_words(code, count, formats), _ROWS[code]["path"], "", 0) for _, code, count in rest
    ]


def _urgency(items: Sequence[Mapping[str, Any]]) -> tuple[bool, str]:
    """Return what sorts the late ones first, then by the first day."""
    return not any(item["overdue"] for item in items), min(item["due"] or "9999" for item in items)


def _sentence(kind: str, items: Sequence[Mapping[str, Any]], formats: Formats) -> Sentence:
    count = sum(1 if item["count"] is None else item["count"] for item in items)
    if kind not in _ROWS:
        text, path = f"{formats.label(items[0]['label'])}{formats.colon}{count}", ""
    else:
        text, path = _words(kind, count, formats), _ROWS[kind]["path"]
    if len(items) == 1:
        path = path_of(items[0])
    days = sorted(item["due"] for item in items if item["due"])
    return Sentence(text, path, formats.day(days[0]) if days else "", sum(1 for item in items if item["overdue"]))


def _words(code: str, count: int, formats: Formats) -> str:
    one, many = _ROWS[code][formats.language]
    return str(formats.plural(count, one, many)).replace("{n}", formats.number(count))


def _group(item: Mapping[str, Any], today: date) -> str:
    if item["due"] is None:
        return "undated"
    if item["overdue"]:
        return "overdue"
    return "soon" if date.fromisoformat(item["due"]) <= today + _SOON else "later"


def _line(item: Mapping[str, Any], waiting: Waiting, formats: Formats) -> Line:
    kind, _, rest = item["subject"].partition("/")
    first, _, last = rest.partition("/")
    about = ""
    if kind == "capability":
        about = formats.label(waiting.capabilities.get(last, {}).get("label")) or last
    elif kind == "criteria_proposal":
        about = last
    elif kind == "reviews":
        about = formats.word("review_kind", rest)
    centre = waiting.centres.get(item["centre"] or "")
    return Line(
        text=formats.label(item["label"]),
        about=about,
        subject=first if kind in {"referral", "place", "feasibility"} else "",
        trial=item["trial"],
        centre=centre["name"] if centre else None,
        due=formats.day(item["due"]),
        since=formats.day(item["since"]),
        count=item["count"],
        path=path_of(item),
    )


def path_of(item: Mapping[str, Any]) -> str:
    """Return the page on which an item is done."""
    subject_kind, _, rest = item["subject"].partition("/")
    name = rest.split("/", maxsplit=1)[0]
    if item["kind"] == "reviews":
        return f"/workspace/reviews?kind={rest}"
    if item["kind"] == "place_decision":
        return f"/workspace/places/{item['trial']}"
    return {
        "referral": f"/workspace/referrals/{rest}",
        "place": f"/workspace/referrals/{rest}",
        "feasibility": f"/workspace/feasibility/{rest}",
        "capability": "/workspace/capabilities",
        "site": "/workspace/sites",
        "enrolment": f"/workspace/places/{name}",
        "criteria_proposal": f"/criteria/{name}/proposals/{rest.rpartition('/')[2]}",
        "centre": f"/workspace/referrals?centre={rest}",
    }.get(subject_kind, "/workspace")
