"""Evaluate every leaf on one day in the three scenarios: (now, last_known, best_case, reason of the unknown now)."""

from tests.oracle.days import add, possible_days
from tests.oracle.record import MAYBE, NO, YES

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
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


def same(state, reason=None):
    return state, state, state, reason


def within_bounds(number, op, bound):
    return {
        "<": number < bound,
        "<=": number <= bound,
        ">": number > bound,
        ">=": number >= bound,
        "=": number == bound,
    }[op]


# --- age, sex ---------------------------------------------------------------------------------------------------------


def age_for(leaf, birth, day):
    if leaf.get("min"):
        reached = add(birth, leaf["min"])
        if not (reached <= day if leaf.get("min_inclusive", True) else reached < day):
            return NOT_MET
    if leaf.get("max"):
        end = add(birth, leaf["max"])
        below = day <= end if leaf.get("max_inclusive", False) else day < end
        if leaf.get("max_unclear_until"):
            if day < end:
                return MET
            return UNKNOWN if day < add(birth, leaf["max_unclear_until"]) else NOT_MET
        if not below:
            return NOT_MET
    return MET


def age(leaf, case, day):
    births = case.record.births()
    if not births:
        return same(UNKNOWN, "missing")
    if leaf.get("at", "screening") == "dosing":
        if not case.dosing_date and not case.document.get("lead_time"):
            return same(UNKNOWN, "missing")  # the day of dosing is unknown
        day = case.dosing_date or add(day, case.lead_time)
    states = {age_for(leaf, birth, day) for birth in births}
    if len(states) == 1 and UNKNOWN not in states:
        return same(states.pop())
    return same(UNKNOWN, "partial_detail")


def sex(leaf, case, _day):
    given = case.patient.get("sex")
    if given is None:
        return same(UNKNOWN, "missing")
    if given == "other":
        return same(UNKNOWN, "needs_human")
    return same(MET if given == leaf["value"] else NOT_MET)


# --- has --------------------------------------------------------------------------------------------------------------


def attributes(leaf, case, fact, day):
    """Return whether the fact has the attributes in `where`: YES, MAYBE (not given) or NO."""
    where = leaf.get("where") or {}
    answers = [YES]
    for name in [name for name in ("outcome", "body_site", "severity") if where.get(name)]:
        answers += [MAYBE if fact.get(name) is None else YES if fact[name] in where[name] else NO]
    if where.get("duration"):
        if not fact.get("start"):
            answers.append(MAYBE)
        else:
            first, last = possible_days(fact["start"])
            end_first, end_last = possible_days(fact["end"]) if fact.get("end") else (day, day)
            lasted = [
                add(start, where["duration"]) <= min(end, day)
                for start, end in ((last, max(end_first, first)), (first, end_last))
            ]
            answers.append(YES if all(lasted) else MAYBE if any(lasted) else NO)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def deniers(codes, case, relative):
    """Return, for each code, the absent facts that deny it."""
    absent = case.record.with_status("absent", relative=relative)
    return [[fact for fact in absent if case.terminology.denies(fact, code)] for code in codes]


def denied(codes, case, within, day, relative=None):
    """Return whether every code is denied by absent facts in force on the day."""
    answers = []
    for facts in case.once(("deniers", tuple(codes), relative), lambda: deniers(codes, case, relative)):
        forces = [case.record.in_window(fact, within, day) for fact in facts]
        answers.append(YES if YES in forces else MAYBE if MAYBE in forces else NO)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def exclusive_conditions(code, case):
    """Return the patient's present conditions that deny the code permanently."""

    def conditions():
        return [
            fact
            for fact in case.record.with_status("present")
            if fact["kind"] == "condition" and case.terminology.exclusive(fact, code)
        ]

    return case.once(("exclusive", code), conditions)


def run_out(denials, presences, case, day):
    """For `last_known`: return whether a fact denied the code by the day and no present fact lasted, or may have
    lasted, longer.
    """
    record = case.record
    latest = [record.last_days(fact)[1] for fact in presences if record.in_window(fact, None, day) != NO]
    return any(
        record.dates(fact)[1] <= day and all(presence <= record.last_days(fact)[0] for presence in latest)
        for fact in denials
    )


class HasFacts:
    """The facts that concern a `has` leaf: certainly present, possibly present, more general, denied."""

    def __init__(self, leaf, case):
        record, terminology = case.record, case.terminology
        self.codes, relative = leaf["codes"], leaf.get("relative")

        def last_known(fact):
            return [code for code in self.codes if terminology.carries(fact, code, leaf.get("descendants", True))]

        self.present = [
            (fact, last_known(fact)) for fact in record.with_status("present", relative=relative) if last_known(fact)
        ]
        self.perhaps = [fact for fact, _codes in self.present]
        for fact in record.with_status("present", "unconfirmed", "ordered", relative=relative):
            unsure = fact.get("status", "present") != "present" and last_known(fact)
            if unsure or any(terminology.has_an_ancestor(fact, code) for code in self.codes):
                self.perhaps.append(fact)
        self.absent = record.with_status("absent", relative=relative)
        self.deniers = dict(zip(self.codes, deniers(self.codes, case, relative), strict=True))


def has(leaf, case, day):
    record, within, relative = case.record, leaf.get("within"), leaf.get("relative")
    has_facts = case.once(("has", id(leaf)), lambda: HasFacts(leaf, case))

    def finish(now, last_known, reason=None):
        return now, last_known, UNKNOWN if within else last_known, reason

    present = [(fact, codes, attributes(leaf, case, fact, day)) for fact, codes in has_facts.present]
    present = [(fact, codes, attribute) for fact, codes, attribute in present if attribute != NO]

    # 1. certainly present
    holding = [
        fact for fact, _codes, attribute in present if attribute == YES and record.in_window(fact, within, day) == YES
    ]
    if holding:
        if all(any(contradicts(case, other, fact, within, day) for other in has_facts.absent) for fact in holding):
            return finish(UNKNOWN, UNKNOWN, "conflict")
        return finish(MET, MET)

    # 2. possibly present
    perhaps = [fact for fact in has_facts.perhaps if attributes(leaf, case, fact, day) != NO]
    if any(record.in_window(fact, within, day) != NO for fact in perhaps):
        return finish(UNKNOWN, UNKNOWN, "partial_detail")

    # 3. certainly absent
    open_codes = [code for code in has_facts.codes if relative is not None or not exclusive_conditions(code, case)]
    denial = denied(open_codes, case, within, day, relative)
    if denial == YES or record.complete(leaf.get("domain"), day, within):
        return finish(NOT_MET, NOT_MET)

    # 4. unknown; a present fact, whatever its attributes, replaces an older denial
    last_known = NOT_MET
    for code in open_codes:
        if not run_out(has_facts.deniers[code], [fact for fact, _codes in has_facts.present], case, day):
            last_known = UNKNOWN
    if denial == MAYBE:
        return finish(UNKNOWN, last_known, "partial_detail")
    old = [fact for fact, _codes, _attribute in present] + [
        fact for facts in has_facts.deniers.values() for fact in facts
    ]
    old = [
        fact for fact in old if record.in_window(fact, within, day) == NO and record.in_window(fact, None, day) != NO
    ]
    return finish(UNKNOWN, last_known, "stale" if old else "missing")


def contradicts(case, other, fact, within, day):
    """Return whether the absent fact denies one of the fact's own codes, in the window, and is or may be of its day or
    later.
    """
    record = case.record
    denies = any(case.terminology.denies(other, own) for own in fact["codes"])
    return denies and record.in_window(other, within, day) != NO and record.last_days(other)[1] >= record.dates(fact)[0]


# --- variant ----------------------------------------------------------------------------------------------------------


def variant_attributes(leaf, variant):
    answers = []

    def ask(name, accepts):
        value = variant.get(name)
        answers.append(MAYBE if value is None else YES if accepts(value) else NO)

    if leaf.get("types"):
        ask("type", lambda kind: kind in leaf["types"])
    if leaf.get("exons"):
        low, high = variant.get("exon_from"), variant.get("exon_to")
        if low is None or high is None:
            answers.append(MAYBE)
        elif leaf["exons"].get("within"):
            first, last = leaf["exons"]["within"]
            answers.append(YES if first <= low and high <= last else NO)
        else:
            answers.append(
                YES if any(low <= last and high >= first for first, last in leaf["exons"]["overlaps"]) else NO
            )
    if leaf.get("zygosity"):
        ask("zygosity", lambda zygosity: zygosity in leaf["zygosity"])
    if leaf.get("copies"):
        ask("copies", lambda copies: within_bounds(copies, leaf["copies"]["op"], leaf["copies"]["value"]))
    if leaf.get("frame"):
        ask("frame", lambda frame: frame == leaf["frame"])
    if leaf.get("hgvs"):
        ask("hgvs", lambda hgvs: hgvs in leaf["hgvs"])
    answers.append(YES if origin(variant) == origin(leaf) else NO)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def origin(variant):
    return variant.get("origin") or "germline"


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


def variant(leaf, case, day):
    return case.once(("variant", id(leaf)), lambda: variant_on(leaf, case, day))


def variant_facts(leaf, case, day):
    """Return the facts of the leaf's gene."""
    return [
        fact
        for fact in case.record.with_status("present", "absent", "unconfirmed", "ordered")
        if fact.get("variant")
        and fact["variant"].get("gene") == leaf["gene"]
        and case.record.in_window(fact, None, day) != NO
    ]


def variant_on(leaf, case, day):
    facts = variant_facts(leaf, case, day)
    answers, answered = [], False
    for fact in facts:
        described, status = fact["variant"], fact.get("status", "present")
        significance = described.get("significance") or "pathogenic"
        if status == "absent" or significance == "benign":
            continue
        if (
            status == "present"
            and significance in ("pathogenic", "likely_pathogenic")
            and origin(described) == origin(leaf)
        ):
            answered = True
        answer = variant_attributes(leaf, described)
        sure = status == "present" and significance != "uncertain" and case.record.in_window(fact, None, day) == YES
        answers.append(MAYBE if answer == YES and not sure else answer)
    if YES in answers:
        return same(MET)
    if MAYBE in answers:
        return same(UNKNOWN, "partial_detail")
    seen = {kind for fact in facts if fact.get("status") == "absent" for kind in closed_types(leaf, fact)}
    if (leaf.get("closed") and answered) or set(leaf.get("types") or ALL_TYPES) <= seen:
        return same(NOT_MET)
    return same(UNKNOWN, "partial_detail" if facts else "missing")
