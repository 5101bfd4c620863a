"""Reports and plots as CSV and SVG. Pure."""

from collections.abc import Sequence
from typing import Final

from services.registry.reports.openings.cases import CONSENT, GREEN_LIGHT, INCLUSION
from services.registry.reports.pictures import incidence_plot
from services.registry.reports.report import Measure
from services.registry.reports.schemas import MeasureDocument, Plot, Report
from services.registry.reports.texts import DAYS, DESCRIPTION, PLOTS, STEPS
from shared.values.csv_text import csv_rows, csv_text
from shared.values.language import Language

_MEASURE_COLUMNS: Final = tuple(MeasureDocument.model_fields)
# The day until which a plot is drawn where every curve ends earlier.
_SHORTEST: Final = 30
# The steps of plots of institutions; sub-clocks are in the report only.
_OF_INSTITUTIONS: Final = {
    "institutions": [
        *(
            ("feasibility", one)
            for one in ("confidentiality", "first_answer", "contract", "activation", "first_patient")
        ),
        ("safety", "hold_lifted"),
    ],
    "opening": [("opening", one) for one in (GREEN_LIGHT, CONSENT, INCLUSION)],
}


def report_csv(report: Report) -> str:
    """Return all measures, then the counts in the column ``cases``, one a line."""
    lines = csv_text(_MEASURE_COLUMNS, ([getattr(one, name) for name in _MEASURE_COLUMNS] for one in report.measures))
    return lines + csv_rows(
        ["count", one.code, one.group, "cases", one.count, *[None] * 7, one.count is None] for one in report.counts
    )


def plot_csv(measures: Sequence[Measure]) -> str:
    """Return the points of curves: from ``day`` on, the ``share`` of the cases has reached the ``step``."""
    return csv_text(
        ("step", "group", "unit", "day", "share", "cases"),
        (
            [one.step, one.group, one.unit, point.day, round(point.share, 4), one.cases]
            for one in measures
            for point in one.curve
        ),
    )


def plot_svg(plot: Plot, measures: Sequence[Measure], language: Language) -> str:
    """Return the curves as a picture."""
    curves = {f"{getattr(STEPS[one.step], language)} ({one.cases})": one.curve for one in measures if one.cases}
    last = max((point.day for curve in curves.values() for point in curve), default=_SHORTEST)
    unit = "working_days" if plot in _OF_INSTITUTIONS else "days"
    return incidence_plot(
        getattr(PLOTS[plot], language), getattr(DAYS[unit], language), getattr(DESCRIPTION, language), curves, last
    )


def measures_of_plot(plot: Plot, measures: Sequence[Measure]) -> list[Measure]:
    """Return the measures that a plot shows."""
    if plot in _OF_INSTITUTIONS:
        shown = _OF_INSTITUTIONS[plot]
        return [one for one in measures if (one.section, one.step) in shown and not one.suppressed]
    group = plot.removeprefix("access").removeprefix("_") or "all"
    return [one for one in measures if one.section == "access" and one.group == group and not one.suppressed]
