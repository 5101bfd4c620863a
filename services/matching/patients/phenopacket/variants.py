"""Reads the interpretations of a packet: diagnoses and variants. Pure."""

from typing import Any

from services.matching.patients.codes import written
from services.matching.patients.hgvs import hgvs_of, variant_type
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.codes import ZYGOSITIES
from services.matching.patients.phenopacket.record import Record
from services.matching.patients.schemas import ReportedVariant

_SIGNIFICANCE = {
    "PATHOGENIC": "pathogenic",
    "LIKELY_PATHOGENIC": "likely_pathogenic",
    "UNCERTAIN_SIGNIFICANCE": "uncertain",
    "LIKELY_BENIGN": "benign",
    "BENIGN": "benign",
}


def read_interpretations(record: Record, packet: Part) -> None:
    for interpretation in packet.parts("interpretations"):
        solved = interpretation.text("progressStatus") == "SOLVED"
        diagnosis = interpretation.part("diagnosis")
        if diagnosis is None:
            record.warn(interpretation.pointer, "not_read", "interpretations")
            continue
        disease = diagnosis.part("disease")
        if disease is not None and not _is_recorded(record, disease):
            record.add(disease, "condition", disease, {"status": "present" if solved else "unconfirmed"})
        for genomic in diagnosis.parts("genomicInterpretations"):
            _genomic(record, genomic, solved=solved)


def _is_recorded(record: Record, disease: Part) -> bool:
    code = written(disease.text("id") or "")
    return any(fact["kind"] == "condition" and fact["codes"] == [code] for fact in record.draft.facts)


def _genomic(record: Record, genomic: Part, *, solved: bool) -> None:
    status = genomic.text("interpretationStatus")
    interpreted = genomic.part("variantInterpretation")
    described = None if interpreted is None else interpreted.part("variationDescriptor")
    if interpreted is None or described is None or status == "REJECTED":
        record.warn(genomic.pointer, "variant_rejected" if status == "REJECTED" else "no_variant")
        return
    texts = [(one.text("syntax") or "", one.text("value") or "") for one in described.parts("expressions")]
    context = described.part("geneContext")
    state, structure = described.part("allelicState"), described.part("structuralType")
    variant = {
        "gene": None if context is None else context.text("symbol"),
        "type": variant_type(None if structure is None else structure.text("id"), texts),
        "zygosity": None if state is None else ZYGOSITIES.get(state.text("id") or ""),
        # A variant without a classification does not count as pathogenic.
        "significance": _SIGNIFICANCE.get(interpreted.text("acmgPathogenicityClassification") or "", "uncertain"),
    }
    confirmed = solved and status in {"CAUSATIVE", "CONTRIBUTORY"}
    name = genomic.pointer.removeprefix(record.draft.root).lstrip("/")
    name = name.replace("diagnosis/genomicInterpretations", "variants")
    expressions = hgvs_of(texts)
    if texts and not expressions:
        record.warn(described.of("expressions"), "hgvs_not_understood", "expressions")
    add_variant(record, genomic.pointer, name, variant, expressions, confirmed=confirmed)


def add_variant(
    record: Record, pointer: str, name: str, variant: dict[str, Any], expressions: list[str], *, confirmed: bool
) -> None:
    """Add one fact for each HGVS expression of a variant, so that a criterion finds the one that it names."""
    try:
        base = ReportedVariant.model_validate({name: value for name, value in variant.items() if value is not None})
    except ValueError:
        record.warn(pointer, "no_gene")
        return
    for index, hgvs in enumerate(expressions or [None]):
        given = {**base.model_dump(exclude_none=True), **({"hgvs": hgvs} if hgvs else {})}
        fields = {"status": "present" if confirmed else "unconfirmed", "variant": given}
        record.draft.add(pointer, "variant", [], fields, identifier=f"{name}/{index}" if index else name)
