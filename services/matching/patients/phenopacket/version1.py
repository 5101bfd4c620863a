"""What version 1 of the Phenopackets names or builds otherwise. Pure.

Its variants have no interpretation and no link to a gene, so they are never more than unconfirmed.
"""

from typing import Any

from services.matching.patients.hgvs import hgvs_of, variant_type
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.codes import ZYGOSITIES
from services.matching.patients.phenopacket.record import Record
from services.matching.patients.phenopacket.times import moment
from services.matching.patients.phenopacket.variants import add_variant

NAMES = {"excluded": "negated"}


def time_at_last_encounter(subject: Part) -> Part | None:
    """Return the age of a subject as a time element of version 2."""
    for key in ("ageAtCollection", "ageRangeAtCollection", "ageOfIndividual"):
        found = subject.part(key)
        if found is not None:
            return _time(found)
    return None


def onset_of(record: Record, part: Part) -> str | None:
    """Return the partial date of an onset; report one that gives none."""
    for key in ("ageOfOnset", "ageRangeOfOnset", "classOfOnset", "onset"):
        found = part.part(key)
        if found is not None:
            when = moment(_time(found), record.birth)
            if when.reason is not None:
                record.warn(found.pointer, when.reason, "age")
            return when.start
    return None


def read_variants(record: Record, packet: Part) -> None:
    """Read the variants; their gene is the only one of the packet."""
    symbols = {symbol for gene in packet.parts("genes") if (symbol := gene.text("symbol"))}
    for one in packet.parts("variants"):
        allele, state = one.part("hgvsAllele"), one.part("zygosity")
        if allele is None:
            record.warn(one.pointer, "hgvs_not_understood", "variants")
            continue
        text = allele.text("hgvs") or ""
        written = [(f"hgvs.{_level(text)}", text)]
        variant: dict[str, Any] = {
            "gene": next(iter(symbols)) if len(symbols) == 1 else None,
            "type": variant_type(None, written),
            "zygosity": None if state is None else ZYGOSITIES.get(state.text("id") or ""),
            "significance": "uncertain",
        }
        name = one.pointer.removeprefix(record.draft.root).lstrip("/")
        add_variant(record, one.pointer, name, variant, hgvs_of(written), confirmed=False)


def _level(hgvs: str) -> str:
    level = hgvs.rpartition(":")[2][:1]
    return level if level in {"c", "g", "p"} else "c"


def _time(part: Part) -> Part:
    """Return an age, a range of ages or a class as a time element of version 2, at the same place."""
    age, start, end = part.value.get("age"), part.part("start"), part.part("end")
    if start is not None or end is not None:
        ages = {
            name: {"iso8601duration": one.value.get("age")}
            for name, one in (("start", start), ("end", end))
            if one is not None
        }
        return Part({"ageRange": ages}, part.pointer)
    if isinstance(age, dict):  # early drafts wrote the age as an object
        age = age.get("age") or age.get("iso8601duration")
    return Part({} if age is None else {"age": {"iso8601duration": age}}, part.pointer)
