"""What waits for a visitor, in groups by day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.portal.pages.formats import Formats
from shared.values.wire import Label

_SOON = timedelta(days=7)
_GROUPS: tuple[tuple[str, Label], ...] = (
    ("overdue", Label(fr="En retard", en="Overdue")),
    ("soon", Label(fr="Dans les sept jours", en="Within seven days")),
    ("later", Label(fr="Plus tard", en="Later")),
    ("undated", Label(fr="Sans date limite", en="Without a limit")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to do: in words, for which trial and centre, until when, and the page where it is done."""

    text: str
    subject: str
    trial: str | None
    centre: str | None
    due: str
    since: str
    count: int | None
    path: str


def groups_of(worklist: Mapping[str, Any], formats: Formats) -> Sequence[tuple[str, str, Sequence[Line]]]:
    """Return code, title and lines of each group that has lines. What is due first comes first."""
    today = date.fromisoformat(worklist["day"])
    found: dict[str, list[Line]] = {}
    for item in worklist["items"]:
        found.setdefault(_group(item, today), []).append(_line(item, formats))
    return [(code, title.model_dump()[formats.language], found[code]) for code, title in _GROUPS if code in found]


def _group(item: Mapping[str, Any], today: date) -> str:
    if item["due"] is None:
        return "undated"
    if item["overdue"]:
        return "overdue"
    return "soon" if date.fromisoformat(item["due"]) <= today + _SOON else "later"


def _line(item: Mapping[str, Any], formats: Formats) -> Line:
    kind, _, rest = item["subject"].partition("/")
    return Line(
        text=formats.label(item["label"]),
        subject=_subject(kind, rest),
        trial=item["trial"],
        centre=item["centre"],
        due=formats.day(item["due"]),
        since=formats.day(item["since"]),
        count=item["count"],
        path=path_of(item["kind"], kind, rest),
    )


def _subject(kind: str, rest: str) -> str:
    """Return what tells an item apart from others of its trial and centre."""
    if kind == "criteria_proposal":
        return rest.rpartition("/")[2]
    return rest if kind in {"referral", "place", "feasibility", "capability"} else ""


def path_of(item_kind: str, subject_kind: str, rest: str) -> str:
    """Return the page on which an item is done."""
    name = rest.split("/", maxsplit=1)[0]
    paths = {
        "referral": f"/workspace/referrals/{rest}",
        "place": f"/workspace/referrals/{rest}",
        "feasibility": f"/workspace/feasibility/{rest}",
        "capability": "/workspace/capabilities",
        "site": "/workspace/sites",
        "enrolment": f"/trials/{name}",
        "criteria_proposal": f"/criteria/{name}/proposals/{rest.rpartition('/')[2]}",
        "centre": f"/workspace/referrals?centre={rest}",
    }
    return "/workspace/reviews" if item_kind == "reviews" else paths.get(subject_kind, "/workspace")
