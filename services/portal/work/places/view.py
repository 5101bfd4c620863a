"""The places of a trial as their page shows them, and what its forms send. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.forms import Form

Row = Mapping[str, Any]
# The cohort of a trial that has none.
WHOLE = "all"
_BY_SPONSOR = frozenset({"sponsor", "coordination"})
# fields of the API → fields of the forms
FIELDS = {
    "/offered": "offered",
    "/hold_days": "hold_days",
    "/limit_months": "limit_months",
    "/allocation": "allocation",
    "/manufacturing/slots": "slots",
    "/staggering/interval_days": "interval_days",
    "/staggering/last_dosed_on": "last_dosed_on",
    "/decided_on": "decided_on",
    "/reference": "reference",
    "/reason": "reason",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """The places of a cohort at one centre. ``lists``: who waits and who has one; None: it is not for the visitor."""

    row: Row
    lists: Row | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort of a trial. ``label``: None: the trial has no cohorts. ``offers``: by centre.

    ``staggering``: None: dosings are not staggered. ``releases``: whether a decision is missing that the visitor may
    record. ``undeclared``: centres for which the visitor can declare first places.
    """

    id: str
    label: Mapping[str, str] | None
    offers: Sequence[Offer]
    staggering: Row | None
    releases: bool
    undeclared: Sequence[str]


@dataclass(frozen=True, slots=True)
class TrialPlaces:
    """The page of a trial: its document, all centres by id, its cohorts, and the sites that the visitor may open."""

    trial: Row
    centres: Mapping[str, Row]
    cohorts: Sequence[Cohort]
    sites: Sequence[str]

    @property
    def has_places(self) -> bool:
        return any(one.offers for one in self.cohorts)


def sets_staggering(me: Row) -> bool:
    """Return whether the visitor's organisation sets who assigns, and the interval between dosings."""
    return me["kind"] in _BY_SPONSOR


def cohorts_of(
    cohorts: Sequence[Row], rows: Sequence[tuple[Row, Row | None]], sites: Sequence[str], *, releases: bool
) -> list[Cohort]:
    """Return the cohorts of a trial. ``rows``: what is offered, with its lists.

    ``sites``: centres for which the visitor may declare; ``releases``: whether the visitor may release a cohort.
    """
    labels: dict[str, Mapping[str, str] | None] = {one["id"]: one["label"] for one in cohorts} or {WHOLE: None}
    labels |= {row["cohort"]: None for row, _ in rows if row["cohort"] not in labels}
    return [
        _cohort(name, label, [Offer(*one) for one in rows if one[0]["cohort"] == name], sites, releases=releases)
        for name, label in labels.items()
    ]


def _cohort(
    name: str, label: Mapping[str, str] | None, offers: Sequence[Offer], centres: Sequence[str], *, releases: bool
) -> Cohort:
    declared = {one.row["centre"] for one in offers}
    staggering = next((one.row["staggering"] for one in offers if one.row["staggering"]), None)
    is_due = (
        staggering is not None
        and staggering["needs_decision"]
        and staggering["last_dosed_on"] is not None
        and staggering["decided_on"] is None
    )
    return Cohort(
        name,
        label,
        offers,
        staggering,
        releases and is_due,
        [centre for centre in centres if centre not in declared],
    )


def decision_of(form: Form) -> dict[str, Any]:
    """Return the body of a decision on a place."""
    return {"decision": form.one("action"), **({"reason": form.one("reason")} if form.one("reason") else {})}


def release_of(form: Form) -> dict[str, Any]:
    """Return the body of the release of a staggered cohort."""
    return {name: form.one(name) for name in ("decided_on", "reference")}


def declaration_of(form: Form, kind: str) -> dict[str, Any]:
    """Return the body of what a centre offers in a cohort. ``kind``: of the visitor's organisation.

    What is no number goes on as it was typed: the API names its field.
    """
    body: dict[str, Any] = {name: _number(form.one(name)) for name in ("offered", "hold_days", "limit_months")}
    body["manufacturing"] = {"slots": _number(form.one("slots"))} if form.one("slots") else None
    if form.one("allocation"):
        body["allocation"] = form.one("allocation")
    if kind in _BY_SPONSOR and form.one("interval_days"):
        body["staggering"] = {
            "interval_days": _number(form.one("interval_days")),
            "needs_decision": bool(form.one("needs_decision")),
            "last_dosed_on": form.one("last_dosed_on") or None,
        }
    return body


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
