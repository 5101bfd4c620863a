"""Read the coverage and show it as text."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from services.cli.gateway import Gateway, read_json
from services.cli.output import print_message, print_table

COVERAGE = "/registry/v1/coverage"
_HEADS = {
    "fr": ("MALADIE", "DÉPARTEMENT", "ESSAIS", "SITES", "SITE OUVERT LE PLUS PROCHE", "KM", "TEMPS ESTIMÉ", "2 H"),
    "en": ("DISEASE", "DÉPARTEMENT", "TRIALS", "SITES", "NEAREST OPEN SITE", "KM", "ESTIMATED TIME", "2 H"),
}
_ALL = {"fr": ("toutes", "France"), "en": ("all", "France")}
_BY = {"fr": {"road": "route", "air": "avion"}, "en": {"road": "road", "air": "air"}}
_CONFIRMATION = {
    "fr": {"confirmed": "", "stale": ", confirmation ancienne", "unconfirmed": ", non confirmé"},
    "en": {"confirmed": "", "stale": ", stale", "unconfirmed": ", unconfirmed"},
}
_GAPS = {
    "diseases_without_site": {"fr": "Maladies sans site ouvert", "en": "Diseases without an open site"},
    "departements_without_site": {"fr": "Départements sans site ouvert", "en": "Départements without an open site"},
    "departements_out_of_reach": {
        "fr": "Départements dont aucun habitant n'est à moins de {hours} h d'un site",
        "en": "Départements without an inhabitant within {hours} h of a site",
    },
}


def read_coverage(gateway: Gateway, query: Mapping[str, str], *, as_csv: bool, language: str) -> Any:
    """Return the coverage as JSON, or as the text of a CSV.

    :raises CallError: when the call fails.
    """
    accept = {"Accept": "text/csv" if as_csv else "application/json"}
    answer = gateway.send("GET", f"{COVERAGE}?{urlencode(query)}", headers=accept, language=language)
    return answer.text if as_csv else read_json(answer)


def print_coverage(found: Mapping[str, Any], language: str) -> None:
    """Print a line for each row, then what is missing."""
    head, hours = list(_HEADS[language]), found["hours"]
    rows = [_cells(row, language, hours) for row in (found["france"], *found["items"])]
    print_table([*head, f"{hours} H"] if hours != 2 else head, rows)
    for name, title in _GAPS.items():
        if found[name]:
            listed = ", ".join(_shown(one, language) for one in found[name])
            colon = " :" if language == "fr" else ":"
            print_message(f"{title[language].format(hours=hours)} ({len(found[name])}){colon} {listed}")
    print_message(found["method"][language])


def _cells(row: Mapping[str, Any], language: str, hours: int) -> Sequence[str]:
    every, france = _ALL[language]
    nearest = row["nearest"]
    return (
        row["condition"]["label"][language] if row["condition"] else every,
        _shown(row["departement"], language) if row["departement"] else france,
        str(row["trials"]),
        str(row["sites"]),
        f"{nearest['name']} ({nearest['identifier']}{_CONFIRMATION[language][nearest['confirmation']]})"
        if nearest
        else "",
        f"{nearest['distance_km']:.0f}" if nearest else "",
        _time(nearest["travel"], language) if nearest else "",
        f"{row['within_two_hours']:.0%}",
        *([f"{row['within_hours']:.0%}"] if hours != 2 else []),
    )


def _time(travel: Mapping[str, Any], language: str) -> str:
    hours, minutes = divmod(travel["minutes"], 60)
    return f"{hours} h {minutes:02} ({_BY[language][travel['mode']]})"


def _shown(one: Mapping[str, Any], language: str) -> str:
    return f"{one['label'][language]} ({one['code']})"
