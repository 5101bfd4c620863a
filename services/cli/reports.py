"""Read reports and plots and show them as text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_message, print_table

REPORT = "/registry/v1/reports/kpi"
PLOTS = ("access", "access_in_vivo", "access_ex_vivo", "access_child", "access_adult", "institutions", "opening")
_TYPES = {"svg": "image/svg+xml", "csv": "text/csv"}
_HEADS = {
    "fr": ("ÉTAPE", "GROUPE", "CAS", "FRANCHIE", "AUTRE ISSUE", "EN COURS", "25 %", "MÉDIANE", "75 %", "JOURS"),
    "en": ("STEP", "GROUP", "CASES", "REACHED", "OTHER END", "OPEN", "25 %", "MEDIAN", "75 %", "DAYS"),
}
_UNITS = {
    "fr": {"days": "calendaires", "working_days": "ouvrés"},
    "en": {"days": "calendar", "working_days": "working"},
}
_NUMBERS = ("cases", "ended", "otherwise", "open", "first_quarter", "median", "third_quarter")
_HIDDEN = {"fr": "Les effectifs inférieurs à 11 sont masqués (…).", "en": "Counts below 11 are hidden (…)."}


def read_report(gateway: Gateway, query: Mapping[str, str], *, as_csv: bool, language: str) -> Any:
    """Return a report as JSON, or as the text of a CSV.

    :raises CallError: when the call fails.
    """
    accept = {"Accept": "text/csv" if as_csv else "application/json"}
    answer = gateway.send("GET", f"{REPORT}?{urlencode(query)}", headers=accept, language=language)
    return answer.text if as_csv else read_json(answer)


def write_plots(gateway: Gateway, query: Mapping[str, str], folder: Path, language: str) -> list[Path]:
    """Write each plot as a picture and its data into a folder. Return the files.

    :raises CallError: when a call fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for plot in PLOTS:
        for suffix, media_type in _TYPES.items():
            path = f"{REPORT}/plots/{plot}?{urlencode(query)}"
            answer = gateway.send("GET", path, headers={"Accept": media_type}, language=language)
            file = folder / f"{plot}.{suffix}"
            file.write_text(answer.text, encoding="utf-8", newline="")
            written.append(file)
    return written


def print_report(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each measure that has cases, then the counts."""
    rows = [
        (
            one["step"],
            one["group"],
            *(_number(one, name) for name in _NUMBERS),
            _UNITS[language][one["unit"]],
        )
        for one in found["measures"]
        if one["suppressed"] or one["cases"]
    ]
    print_table(list(_HEADS[language]), rows)
    for one in found["counts"]:
        print_message(f"{one['code']}/{one['group']}: {'…' if one['count'] is None else one['count']}")
    if found["suppressed"]:
        print_message(_HIDDEN[language])


def _number(measure: Mapping[str, Any], name: str) -> str:
    value = measure[name]
    return str(value) if value is not None else "…" if measure["suppressed"] else "-"
