"""The regulatory path of a trial in France: dates by the clocks of EU Regulation 536/2014, blockers and alarms. Pure.

The clocks are ``clocks.json``, in days; they run by Regulation 1182/71 and stop in winter as in CTIS. What was not
entered is estimated.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final, get_args

from services.registry.activation.model import Found, Path, PathFacts, PathStep, Timed
from services.registry.capabilities.follow_up.calendar import months_after
from services.registry.model.working_days import end_of_period
from shared.values.wire import Label

LAPSE_MONTHS: Final = 24
LAPSE_ALARM_DAYS: Final = 180
GMO_ALARM_DAYS: Final = 90
DECISIONS: Final = ("decision", "added_member_state")
_CTR: Final[frozenset[str]] = frozenset(get_args(PathStep)) - {"lriph", "first_inclusion"}
_ADDED: Final = frozenset({"added_submission", "added_member_state"})
_OF_GMO: Final = {"declared": "gmo_pending", "refused": "gmo_refused", "expired": "gmo_expired"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How many days a step takes after the steps before it."""

    after: tuple[str, ...]
    shortest: int
    longest: int
    label: Label
    basis: str


def _read() -> dict[str, Clock]:
    rows = json.loads((resources.files(__package__) / "clocks.json").read_text("utf-8"))
    return {
        row["step"]: Clock(tuple(row["after"]), row["shortest"], row["longest"], Label(**row["label"]), row["basis"])
        for row in rows
    }


CLOCKS: Final = _read()


def path_of(facts: PathFacts, today: date) -> Path:
    """Return the path of a trial on a day."""
    steps = _timed(facts)
    included = _done(facts, "first_inclusion") or facts.included_on
    decided = authorised_on(facts)
    lapses_on = months_after(decided, LAPSE_MONTHS) if decided and not included else None
    blockers = [*_of_ctr(facts, lapses_on, today), *_of_gmo(facts, today), *_of_lriph(facts)]
    return Path(tuple(steps), tuple(blockers), tuple(_alarms(facts, steps, lapses_on, today)), lapses_on)


def authorised_on(facts: PathFacts) -> date | None:
    """Return when the trial was authorised in France; None: it is not."""
    return next((on for step in DECISIONS if (on := _done(facts, step))), None)


def _timed(facts: PathFacts) -> list[Timed]:
    is_ctr = facts.interventional is not False
    # France decides with the others, or is added later.
    added = any(step in facts.entries and facts.entries[step].state != "not_required" for step in _ADDED)
    times: dict[str, Timed] = {}
    for step, clock in CLOCKS.items():
        required = is_ctr and (added if step in _ADDED else not (added and step == "decision"))
        times[step] = _entered(facts, step, required=required) or _estimate(step, clock, times, required=required)
    declaration = facts.declaration
    gmo = Timed("gmo", facts.gmo is not False and (declaration is None or declaration.state != "not_required"))
    lriph = _entered(facts, "lriph", required=_needs_lriph(facts)) or Timed("lriph", _needs_lriph(facts))
    inclusion = _entered(facts, "first_inclusion", required=False) or Timed(
        "first_inclusion", False, facts.included_on, facts.included_on, facts.included_on is None
    )
    return [*times.values(), gmo, lriph, inclusion]


def _entered(facts: PathFacts, step: str, *, required: bool) -> Timed | None:
    entry = facts.entries.get(step)
    if entry is None or entry.state not in {"done", "planned"}:
        return None
    return Timed(step, required, entry.on, entry.on, entry.state == "planned")


def _estimate(step: str, clock: Clock, times: Mapping[str, Timed], *, required: bool) -> Timed:
    before = [times[one] for one in clock.after]
    earliest = [one.earliest for one in before if one.earliest is not None]
    latest = [one.latest for one in before if one.latest is not None]
    if not before or len(earliest) < len(before) or len(latest) < len(before):
        return Timed(step, required)
    first = end_of_period(max(earliest), clock.shortest, winter_stop=True)
    last = end_of_period(max(latest), clock.longest, winter_stop=True)
    return Timed(step, required, first, last)


def _done(facts: PathFacts, step: str) -> date | None:
    entry = facts.entries.get(step)
    return entry.on if entry is not None and entry.state == "done" else None


def _needs_lriph(facts: PathFacts) -> bool:
    entry = facts.entries.get("lriph")
    return entry is not None and entry.state != "not_required"


def _of_ctr(facts: PathFacts, lapses_on: date | None, today: date) -> Iterator[Found]:
    if facts.interventional is False:
        return
    if not facts.in_ctis:
        yield Found("ctis_number_missing", "submission")
    refused = [step for step, entry in facts.entries.items() if entry.state == "refused" and step in _CTR]
    yield from (Found("ctr_refused", step, facts.entries[step].on) for step in refused)
    if authorised_on(facts) is None:
        yield Found("ctr_not_authorised", "decision")
    if lapses_on is not None and lapses_on < today:
        yield Found("authorisation_lapsed", "first_inclusion", lapses_on)


def _of_gmo(facts: PathFacts, today: date) -> Iterator[Found]:
    stated = facts.declaration
    if stated is None or (facts.gmo and stated.state == "not_required"):
        if facts.gmo is not False:
            yield Found("gmo_missing" if facts.gmo else "gmo_to_confirm", "gmo")
    elif stated.state in _OF_GMO:
        yield Found(_OF_GMO[stated.state], "gmo")
    elif stated.state == "accepted" and stated.expires_on is not None and stated.expires_on < today:
        yield Found("gmo_expired", "gmo", stated.expires_on)


def _of_lriph(facts: PathFacts) -> Iterator[Found]:
    if _needs_lriph(facts) and _done(facts, "lriph") is None:
        refused = facts.entries["lriph"].state == "refused"
        yield Found("lriph_refused" if refused else "lriph_pending", "lriph")


def of_site(facts: PathFacts, centre: str) -> list[Found]:
    """Return what blocks a centre beside what blocks the trial: a site that is not listed cannot open."""
    stated = facts.declaration
    needs_list = stated is not None and stated.state != "not_required"
    return [Found("gmo_site_not_listed", "gmo")] if stated and needs_list and centre not in stated.sites else []


def _alarms(facts: PathFacts, steps: list[Timed], lapses_on: date | None, today: date) -> Iterator[Found]:
    if facts.interventional is None:
        yield Found("study_type_to_confirm", "submission")
    if lapses_on is not None and 0 <= (lapses_on - today).days <= LAPSE_ALARM_DAYS:
        yield Found("authorisation_lapses", "first_inclusion", lapses_on)
    for one in steps:
        if one.required and one.estimated and one.latest is not None and one.latest < today:
            yield Found("clock_passed", one.step, one.latest)
    expires = facts.declaration.expires_on if facts.declaration and facts.declaration.state == "accepted" else None
    if expires is not None and 0 <= (expires - today).days <= GMO_ALARM_DAYS:
        yield Found("gmo_expires", "gmo", expires)
    if facts.early_phase and "lriph" not in facts.entries:
        yield Found("lriph_to_confirm", "lriph")
