"""Evaluate `variant`: reports of a gene compared attribute by attribute."""

from itertools import combinations

from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, same, within_bounds
from tests.oracle.record import MAYBE, NO, YES

ALL_TYPES = (
    "deletion",
    "duplication",
    "insertion",
    "nonsense",
    "frameshift",
    "missense",
    "splice",
    "copy_number",
    "other",
)
SEES = {
    "mlpa": ("deletion", "duplication", "copy_number"),
    "array": ("deletion", "duplication", "copy_number"),
    "sequencing": ("nonsense", "frameshift", "missense", "splice", "insertion", "other"),
    "panel": ("nonsense", "frameshift", "missense", "splice", "insertion", "other"),
    "genome": ALL_TYPES,
}


def origin(variant):
    return variant.get("origin") or "germline"


# --- HGVS -------------------------------------------------------------------------------------------------------------


def parts_of_hgvs(text):
    """Return (accession without version, version, description); both None where no transcript is named."""
    named, colon, description = text.rpartition(":")
    if not colon:
        return None, None, text
    accession, _dot, version = named.split("(")[0].partition(".")
    return accession, version, description


def same_hgvs(one, other, reference):
    """Compare two descriptions; `reference` is the gene's reference transcript, or None if it is not known."""
    first, second = parts_of_hgvs(one), parts_of_hgvs(other)
    if first[2][:2] != second[2][:2]:
        return MAYBE  # a protein and a coding description
    transcripts = {first[0], second[0]}
    comparable = transcripts <= {None, reference} or (first[:2] == second[:2] and first[0] is not None)
    if not comparable:
        return MAYBE
    return YES if first[2] == second[2] else NO


def any_hgvs(texts, found, reference):
    answers = [same_hgvs(text, found, reference) for text in texts]
    return YES if YES in answers else MAYBE if MAYBE in answers else NO


# --- one report -------------------------------------------------------------------------------------------------------


def restores_the_frame(skipped, variant, lengths):
    """Return whether leaving out the exon restores the reading frame: only a deletion that ends beside it can tell."""
    first, last = variant.get("exon_from"), variant.get("exon_to")
    if variant.get("type") != "deletion" or first is None or last is None:
        return MAYBE
    if not (2 <= first <= last <= 78) or skipped not in (first - 1, last + 1):
        return NO
    deleted = sum(lengths[exon] for exon in range(first, last + 1))
    return YES if deleted % 3 != 0 and (deleted + lengths[skipped]) % 3 == 0 else NO


def attribute(leaf, name, variant, reference):
    """Return how one attribute of the leaf compares: YES, NO, or MAYBE where the report does not give it."""
    if name == "exons":
        low, high = variant.get("exon_from"), variant.get("exon_to")
        if low is None or high is None:
            return MAYBE
        if leaf["exons"].get("within"):
            first, last = leaf["exons"]["within"]
            return YES if first <= low and high <= last else NO
        return YES if any(low <= last and high >= first for first, last in leaf["exons"]["overlaps"]) else NO
    value = variant.get("type" if name == "types" else name)
    if value is None:
        return MAYBE
    if name == "hgvs":
        return any_hgvs(leaf["hgvs"], value, reference)
    if name == "copies":
        return YES if within_bounds(value, leaf["copies"]["op"], leaf["copies"]["value"]) else NO
    return YES if value in (leaf[name] if name in ("types", "zygosity") else [leaf[name]]) else NO


def compared(leaf, variant, reference, lengths, may_be_two_alleles):
    answers = [YES if origin(variant) == origin(leaf) else NO]
    if leaf.get("amenable_to"):
        answers.append(restores_the_frame(leaf["amenable_to"]["skip"], variant, lengths))
    for name in ("types", "exons", "zygosity", "copies", "frame", "hgvs"):
        if leaf.get(name):
            answer = attribute(leaf, name, variant, reference)
            answers.append(MAYBE if name == "zygosity" and answer == NO and may_be_two_alleles else answer)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def closed_types(leaf, fact):
    """Return the types of variant that an absent fact excludes: those its assay detects, unless it describes one
    variant only.
    """
    variant = fact["variant"]
    if origin(variant) != origin(leaf) or any(
        variant.get(name) is not None for name in ("exon_from", "exon_to", "zygosity", "copies", "frame", "hgvs")
    ):
        return []
    return [
        kind for kind in SEES.get(variant.get("assay") or fact.get("assay"), ()) if variant.get("type") in (None, kind)
    ]


# --- two reports ------------------------------------------------------------------------------------------------------


def certainly_one_variant(one, other, reference):
    if one.get("hgvs") and other.get("hgvs"):
        answer = same_hgvs(one["hgvs"], other["hgvs"], reference)
        if answer != MAYBE:
            return answer == YES
    described = [(variant.get("type"), variant.get("exon_from"), variant.get("exon_to")) for variant in (one, other)]
    return None not in described[0] and described[0] == described[1]


def contradict(leaf, one, other, reference):
    """Return whether two reports give a property that the leaf asks different values, which compare differently."""
    for name in ("copies", "zygosity"):
        values = [one.get(name), other.get(name)]
        if not leaf.get(name) or None in values or values[0] == values[1]:
            continue
        if name == "zygosity" and not certainly_one_variant(one, other, reference):
            continue
        if attribute(leaf, name, one, reference) != attribute(leaf, name, other, reference):
            return True
    return False


def of_two_alleles(leaf, facts, reference):
    """Return the heterozygous facts that may be the two alleles of a compound heterozygote."""
    if "compound_heterozygous" not in (leaf.get("zygosity") or []):
        return []
    single = [
        fact
        for fact in facts
        if fact["variant"].get("zygosity") == "heterozygous" and origin(fact["variant"]) == origin(leaf)
    ]
    pairs = [
        pair
        for pair in combinations(single, 2)
        if not certainly_one_variant(pair[0]["variant"], pair[1]["variant"], reference)
    ]
    return [fact for pair in pairs for fact in pair]


# --- the leaf ---------------------------------------------------------------------------------------------------------


def variant(leaf, case, day):
    return case.once(("variant", id(leaf)), lambda: variant_on(leaf, case, day))


def variant_on(leaf, case, day):
    reference = case.reference_transcripts.get(leaf["gene"])
    facts = [
        fact
        for fact in case.record.with_status("present", "absent", "unconfirmed", "ordered")
        if fact.get("variant")
        and fact["variant"].get("gene") == leaf["gene"]
        and case.record.in_window(fact, None, day) != NO
    ]
    reports = [fact for fact in facts if fact["status"] != "absent" and fact["variant"].get("significance") != "benign"]
    present = [fact for fact in reports if fact["status"] == "present" and origin(fact["variant"]) == origin(leaf)]
    clashing = [
        pair for pair in combinations(present, 2) if contradict(leaf, pair[0]["variant"], pair[1]["variant"], reference)
    ]
    if clashing:
        return same(UNKNOWN, "conflict", [fact for pair in clashing for fact in pair])
    alleles = of_two_alleles(leaf, reports, reference)
    answers = []
    for fact in reports:
        unphased = any(fact is one for one in alleles)
        answer = compared(leaf, fact["variant"], reference, case.exon_lengths, unphased)
        sure = fact["status"] == "present" and fact["variant"].get("significance") != "uncertain"
        answers.append((MAYBE if answer == YES and not sure else answer, fact))
    for wanted, state, reason in ((YES, MET, None), (MAYBE, UNKNOWN, "partial_detail")):
        found = [fact for answer, fact in answers if answer == wanted]
        if found:
            return same(state, reason, found)
    answered = any(
        (fact["variant"].get("significance") or "pathogenic") in ("pathogenic", "likely_pathogenic") for fact in present
    )
    seen = {kind for fact in facts if fact["status"] == "absent" for kind in closed_types(leaf, fact)}
    if (leaf.get("closed") and answered) or set(leaf.get("types") or ALL_TYPES) <= seen:
        return same(NOT_MET, None, facts)
    return same(UNKNOWN, "partial_detail" if facts else "missing", facts)
