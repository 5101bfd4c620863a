"""Reads conditions, allergies and the conditions of relatives. Pure."""

from services.matching.patients.dates import day_of
from services.matching.patients.fhir.absence import declared_absence
from services.matching.patients.fhir.chart import Chart, Codes, word
from services.matching.patients.fhir.timing import when
from services.matching.patients.parts import Part

_VERIFIED = {
    None: "present",
    "confirmed": "present",
    "refuted": "absent",
    "unconfirmed": "unconfirmed",
    "provisional": "unconfirmed",
    "differential": "unconfirmed",
}
_ONGOING = frozenset({"active", "recurrence", "relapse"})
_OVER = frozenset({"inactive", "remission", "resolved"})
_RELATIVES = {
    **dict.fromkeys(("MTH", "NMTH", "MTHFOST"), "mother"),
    **dict.fromkeys(("FTH", "NFTH"), "father"),
    **dict.fromkeys(("SIB", "NSIB", "BRO", "NBRO", "SIS", "NSIS", "TWIN", "TWINBRO", "TWINSIS", "FTWIN", "ITWIN",
                     "FTWINBRO", "FTWINSIS", "ITWINBRO", "ITWINSIS"), "sibling"),
    **dict.fromkeys(("CHILD", "NCHILD", "SON", "NSON", "SONC", "DAU", "NDAU", "DAUC"), "child"),
}  # fmt: skip
# Substances: a code of one says what the patient reacts to, not what the patient takes.
_SUBSTANCES = ("ATC:", "RXNORM:", "UCD:", "CIP7:", "CIP13:", "CVX:")


def read_condition(chart: Chart, condition: Part) -> None:
    _problem(chart, condition, substance=False)


def read_allergy(chart: Chart, allergy: Part) -> None:
    _problem(chart, allergy, substance=True)


def _problem(chart: Chart, problem: Part, *, substance: bool) -> None:
    verified = word(problem.part("verificationStatus"))
    if verified == "entered-in-error":
        chart.warn(problem.pointer, "entered_in_error")
        return
    if declared_absence(chart, problem, problem.part("code"), problem.text("recordedDate")):
        return
    status = _VERIFIED.get(verified)
    if status is None:
        chart.warn(problem.of("verificationStatus"), "status_not_understood")
        status = "unconfirmed"
    codes = chart.codes(problem.part("code"), problem)
    if substance:
        codes = [one for one in codes if not one[0].startswith(_SUBSTANCES)]
    recorded = day_of(problem.text("recordedDate"))
    if status == "absent":
        chart.add(problem, "condition", codes, {"status": status, "date": recorded or chart.written})
        return
    start, _ = when(chart, problem, "onset")
    _, end = when(chart, problem, "abatement")
    clinical = word(problem.part("clinicalStatus"))
    if clinical is not None and clinical not in _ONGOING | _OVER:
        chart.warn(problem.of("clinicalStatus"), "status_not_understood")
    if clinical in _OVER and end is None:
        _over(chart, problem, codes, status, start, recorded)
        return
    given: dict[str, str | None] = {"status": status, **course(start, end, clinical in _ONGOING)}
    if not (start or end):
        given["date"] = recorded  # known on that day at the latest
    chart.add(problem, "condition", codes, given, _fields(problem))


def _over(chart: Chart, problem: Part, codes: Codes, status: str, start: str | None, recorded: str | None) -> None:
    """Add a condition that ended on an unknown day: present on its first day, and perhaps until it was recorded."""
    fields = _fields(problem)
    if start is not None:
        chart.add(problem, "condition", codes, {"status": status, "start": start, "end": start}, fields)
    perhaps = {"status": "unconfirmed", "start": start, "end": recorded or chart.written}
    name = f"{problem.pointer.removeprefix(chart.draft.root).lstrip('/')}{'' if start is None else '/until'}"
    chart.draft.add(problem.pointer, "condition", codes, perhaps, fields, name)


def course(start: str | None, end: str | None, ongoing: bool) -> dict[str, str | None]:
    """Return the dates of a fact. Nothing is known of the end of one that has none and is not said to be ongoing."""
    if end is not None:
        return {"start": start, "end": end}
    return {"start": start} if ongoing else {"date": start}


def _fields(problem: Part) -> dict[str, str]:
    def of(*names: str) -> str:
        return next((problem.of(name) for name in names if name in problem), problem.pointer)

    onset = of("onsetDateTime", "onsetPeriod", "onsetAge", "onsetRange", "recordedDate")
    return {"start": onset, "date": onset, "end": of("abatementDateTime", "abatementPeriod", "abatementAge")}


def read_family_history(chart: Chart, history: Part) -> None:
    """Add the conditions of one relative."""
    status = history.text("status")
    if status == "entered-in-error":
        chart.warn(history.pointer, "entered_in_error")
        return
    relation = _RELATIVES.get(word(history.part("relationship")) or "", "other")
    for condition in history.parts("condition"):
        codes = chart.codes(condition.part("code"), condition)
        given = {"relative": relation, "status": "unconfirmed" if status == "health-unknown" else "present"}
        chart.add(condition, "condition", codes, given)
