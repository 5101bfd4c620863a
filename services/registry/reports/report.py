"""The report: measures of how long each step takes, and counts. Pure.

Clocks of institutions are in French working days, those of patients in calendar days. A measure of several groups is
made of one list of cases, so that the groups can be hidden together (`services.registry.reports.disclosure`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from services.registry.reports.access import NO_PATHS, Paths, cases_of, referred_in_time, screen_failures
from services.registry.reports.disclosure import SMALLEST, suppressed
from services.registry.reports.incidence import Case, Clock, Point, clocks

Section = Literal["feasibility", "opening", "safety", "access"]
Unit = Literal["working_days", "days"]
Group = Literal["all", "in_vivo", "ex_vivo", "not_known", "child", "adult"]
DELIVERIES: Final[tuple[Group, ...]] = ("in_vivo", "ex_vivo", "not_known")
AGES: Final[tuple[Group, ...]] = ("child", "adult")
DELIVERY_GROUPS: Final[Mapping[str | None, Group]] = {"in_vivo": "in_vivo", "ex_vivo": "ex_vivo"}
# What everyone may read anyway: nothing of it is about patients.
PUBLIC_COUNTS: Final = frozenset({"offered", "coverage"})
# The share of first answers within so many days is a target of networks.
TARGET_DAYS: Final = 14
DONE: Final = "done"
STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True)
class Measure:
    """How long one step takes. Numbers are None where they must not be shown, or are not reached."""

    section: Section
    step: str
    group: Group
    unit: Unit
    cases: int | None
    ended: int | None
    otherwise: int | None
    open: int | None
    first_quarter: int | None
    median: int | None
    third_quarter: int | None
    within_target: float | None
    suppressed: bool = False
    curve: Sequence[Point] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """A count. None: it must not be shown."""

    code: str
    group: str
    count: int | None
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report is made of. ``clocks``: section and step → cases, whose event is `DONE` or another one.

    ``counts``: code → group → number.
    """

    paths: Paths = NO_PATHS
    clocks: Mapping[tuple[Section, str], Mapping[Case, int]] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def measures_of(figures: Figures, *, suppress: bool) -> list[Measure]:
    """Return all measures. ``suppress``: hide what is below 11 and what it could be subtracted from."""
    found = [
        _measure(section, step, "all", "working_days", clocks(cases, [DONE])[DONE])
        for (section, step), cases in figures.clocks.items()
    ]
    of_institutions = [_hidden(one) if suppress and _is_small(one) else one for one in found]
    of_patients: list[Measure] = []
    for stage, by_kind in cases_of(figures.paths).items():
        groups: dict[Group, Counter[Case]] = {group: Counter() for group in ("all", *DELIVERIES, *AGES)}
        for (delivery, minor), cases in by_kind.items():
            for group in ("all", DELIVERY_GROUPS.get(delivery, "not_known"), "child" if minor else "adult"):
                groups[group].update(cases)
        rows = {
            group: _measure("access", stage, group, "days", clocks(cases, [stage])[stage])
            for group, cases in groups.items()
        }
        if suppress:
            for parts in (DELIVERIES, AGES):
                rows |= _without_small([rows["all"], *(rows[part] for part in parts)])
            if _is_small(rows["all"]):
                rows["all"] = _hidden(rows["all"])
        of_patients += rows.values()
    return [_without_small_parts(one) if suppress else one for one in [*of_institutions, *of_patients]]


def counts_of(figures: Figures, *, suppress: bool) -> list[Count]:
    """Return all counts."""
    failed, consented = screen_failures(figures.paths)
    named: dict[str, Mapping[str, int]] = {
        "screening": {"consented": consented, "screen_failure": failed},
        "referred": referred_in_time(figures.paths),
        **figures.counts,
    }
    found = []
    for code, groups in named.items():
        hides = suppress and code not in PUBLIC_COUNTS
        shown = suppressed([list(groups.values())])[0] if hides else list(groups.values())
        found += [
            Count(code, group, count, suppressed=count is None) for group, count in zip(groups, shown, strict=True)
        ]
    return found


def _measure(section: Section, step: str, group: Group, unit: Unit, clock: Clock) -> Measure:
    return Measure(
        section, step, group, unit, clock.cases, clock.ended, clock.otherwise, clock.open, clock.quantile(0.25),
        clock.median, clock.quantile(0.75), clock.share_within(TARGET_DAYS), curve=clock.curve,
    )  # fmt: skip


def _is_small(measure: Measure) -> bool:
    return measure.cases is not None and 0 < measure.cases < SMALLEST


def _without_small(rows: Sequence[Measure]) -> dict[Group, Measure]:
    """Hide small groups, and a second one where the total would reveal the first. ``rows``: all, then its groups."""
    if _is_small(rows[0]):
        return {row.group: _hidden(row) if row.cases else row for row in rows[1:]}
    shown = suppressed([[row.cases or 0 for row in rows[1:]]])[0]
    return {row.group: _hidden(row) if count is None else row for row, count in zip(rows[1:], shown, strict=True)}


def _without_small_parts(measure: Measure) -> Measure:
    """Hide how many cases ended where that is a small number; what is estimated from all cases stays."""
    if measure.suppressed:
        return measure
    parts = [measure.ended or 0, measure.otherwise or 0, measure.open or 0]
    ended, otherwise, still_open = suppressed([parts])[0]
    return replace(measure, ended=ended, otherwise=otherwise, open=still_open)


def _hidden(measure: Measure) -> Measure:
    return Measure(
        measure.section, measure.step, measure.group, measure.unit, None, None, None, None, None, None, None, None,
        suppressed=True,
    )  # fmt: skip
