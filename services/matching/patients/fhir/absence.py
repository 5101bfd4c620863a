"""Reads what a chart says of what is not there: empty lists, and the "no known …" codes. Pure.

A list of current medicines that is empty says nothing of earlier ones; the other lists are about the whole life.
"""

from services.matching.patients.dates import day_of
from services.matching.patients.fhir.chart import Chart, pairs
from services.matching.patients.parts import Part

_IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_SNOMED, _LOINC = "http://snomed.info/sct", "http://loinc.org"
# Each code and the domain that it says is empty; None: nothing is known, or a domain that no criterion names.
_NO_KNOWN: dict[tuple[str, str], str | None] = {
    (_IPS, "no-known-problems"): "conditions",
    (_IPS, "no-known-medications"): "medications",
    (_IPS, "no-known-procedures"): "procedures",
    (_IPS, "no-known-immunizations"): "immunizations",
    (_SNOMED, "160245001"): "conditions",
    (_SNOMED, "787481004"): "medications",
    **{(_IPS, f"no-{name}-info"): None for name in ("problem", "medication", "procedure", "immunization", "allergy")},
    **{(_IPS, f"no-known-{name}allergies"): None for name in ("", "medication-", "food-", "environmental-")},
    (_SNOMED, "716186003"): None,
}
_SECTIONS = {
    "11450-4": "conditions",
    "10160-0": "medications",
    "47519-4": "procedures",
    "11369-6": "immunizations",
}
_CURRENT_ONLY = frozenset({"medications"})


def declared_absence(chart: Chart, owner: Part, concept: Part | None, written: str | None) -> bool:
    """Return whether a code says that nothing of its domain is known; declare the domain complete on its day."""
    for pair in pairs(concept):
        if pair in _NO_KNOWN:
            _declare(chart, owner, _NO_KNOWN[pair], day_of(written) or chart.written)
            return True
    return False


def read_list(chart: Chart, listed: Part) -> None:
    """Declare a domain complete where its list is empty because there is nothing (``nilknown``)."""
    if listed.text("status") == "entered-in-error" or "entry" in listed:
        return
    _read_emptiness(chart, listed, day_of(listed.text("date")) or chart.written)


def read_composition(chart: Chart, composition: Part) -> None:
    """Read the empty sections of a document such as the IPS."""
    written = day_of(composition.text("date")) or chart.written
    for section in composition.parts("section"):
        if "entry" not in section:
            _read_emptiness(chart, section, written)


def _read_emptiness(chart: Chart, part: Part, written: str | None) -> None:
    reasons = {code for _, code in pairs(part.part("emptyReason"))}
    domain = next((found for _, code in pairs(part.part("code")) if (found := _SECTIONS.get(code))), None)
    if "nilknown" in reasons and domain is not None:
        _declare(chart, part, domain, written)


def _declare(chart: Chart, part: Part, domain: str | None, day: str | None) -> None:
    if domain is None:
        return
    if chart.is_page:
        chart.warn(part.pointer, "incomplete_page")
    elif day is None or len(day) < len("YYYY-MM-DD"):
        chart.warn(part.pointer, "no_date")
    else:
        declared = {"domain": domain, "to": day}
        chart.draft.domains.append({**declared, "from": day} if domain in _CURRENT_ONLY else declared)
