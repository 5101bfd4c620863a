"""Reads observations of a variant (HL7 genomics reporting: LOINC 69548-6 and its components). Pure."""

import re
from typing import Any

from pydantic import ValidationError

from services.matching.patients.fhir.chart import Chart, pairs
from services.matching.patients.hgvs import hgvs_of, variant_type
from services.matching.patients.parts import Part
from services.matching.patients.schemas import ReportedVariant

_VARIANT = "69548-6"
_GENE, _SOURCE, _COPIES = "48018-6", "48002-0", "82155-3"
_HGVS = {"48004-6": "hgvs.c", "81290-9": "hgvs.g", "48005-3": "hgvs.p"}
_STATE, _SIGNIFICANCE = "53034-5", "53037-8"
_ABSENT, _NO_CALL = "LA9634-2", "LA18198-4"
_STATES = {
    "LA6705-3": "homozygous",
    "LA6706-1": "heterozygous",
    "LA6707-9": "hemizygous",
}
_CLASSES = {
    "LA6668-3": "pathogenic",
    "LA26332-9": "likely_pathogenic",
    "LA26333-7": "uncertain",
    "LA26334-5": "benign",
    "LA6675-8": "benign",
}
_ORIGINS = {"LA6683-2": "germline", "LA6684-0": "somatic"}
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,19}")


def is_genetic(observation: Part) -> bool:
    """Return whether an observation describes a variant."""
    own = {code for _, code in pairs(observation.part("code"))}
    return _VARIANT in own or _GENE in _components(observation)


def read_variant(chart: Chart, observation: Part, certainty: str, day: str | None) -> None:
    """Add one fact for each HGVS expression of the variant. One without a gene is reported."""
    components = _components(observation)
    written = [(_HGVS[code], text) for code, part in components.items() if code in _HGVS and (text := _text(part))]
    answers = {code for _, code in pairs(observation.part("valueCodeableConcept"))}
    status = "absent" if _ABSENT in answers else "unconfirmed" if _NO_CALL in answers else "present"
    copies = None if _COPIES not in components else components[_COPIES].part("valueQuantity")
    variant: dict[str, Any] = {
        "gene": _symbol(components.get(_GENE)),
        "type": variant_type(None, written),
        "zygosity": _STATES.get(_answer(components.get(_STATE)) or ""),
        "significance": _CLASSES.get(_answer(components.get(_SIGNIFICANCE)) or "", "uncertain"),
        "origin": _ORIGINS.get(_answer(components.get(_SOURCE)) or ""),
    }
    if copies is not None and (number := copies.number("value")) is not None and number == int(number):
        variant.update(copies=int(number), type="copy_number")
    try:
        base = ReportedVariant.model_validate({name: value for name, value in variant.items() if value is not None})
    except ValidationError:
        chart.warn(observation.pointer, "no_gene")
        return
    expressions = hgvs_of(written)
    if written and not expressions:
        chart.warn(observation.pointer, "hgvs_not_understood", "component")
    name = observation.pointer.removeprefix(chart.draft.root).lstrip("/")
    for index, hgvs in enumerate(expressions or [None]):
        given = {
            "status": status if certainty == "present" else "unconfirmed",
            "date": day,
            "variant": {**base.model_dump(exclude_none=True), **({"hgvs": hgvs} if hgvs else {})},
        }
        identifier = f"{name}/{index}" if index else name
        chart.draft.add(observation.pointer, "variant", [], given, identifier=identifier)


def _components(observation: Part) -> dict[str, Part]:
    return {code: part for part in observation.parts("component") for _, code in pairs(part.part("code"))}


def _answer(component: Part | None) -> str | None:
    found = [] if component is None else pairs(component.part("valueCodeableConcept"))
    return found[0][1] if found else None


def _text(component: Part) -> str | None:
    """Return an HGVS expression, which is a code, a display or a text."""
    concept = component.part("valueCodeableConcept")
    if concept is None:
        return component.text("valueString")
    coding = next(iter(concept.parts("coding")), None)
    code = None if coding is None else coding.text("code")
    return code or concept.text("text")


def _symbol(component: Part | None) -> str | None:
    """Return the symbol of the gene: the display of its HGNC code, or the text."""
    concept = None if component is None else component.part("valueCodeableConcept")
    if concept is None:
        return None
    texts = [coding.text(name) for coding in concept.parts("coding") for name in ("display", "code")]
    return next((text for text in [*texts, concept.text("text")] if text and _SYMBOL.fullmatch(text)), None)
