"""Compare one measurement or answer with its leaf, and decide whether something has spoilt it."""

from fractions import Fraction

from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, denied
from tests.oracle.record import MAYBE, NO, YES
from tests.oracle.results import possible_days_of

# One unit of the left in the reference unit of its dimension, written out by hand.
UNITS = {
    "U/L": ("catalytic", Fraction(1)),
    "[IU]/L": ("arbitrary", Fraction(1)),
    "ukat/L": ("catalytic", Fraction(60)),
    "nkat/L": ("catalytic", Fraction(60, 1000)),
    "g/L": ("mass concentration", Fraction(1)),
    "g/dL": ("mass concentration", Fraction(10)),
    "mg/dL": ("mass concentration", Fraction(1, 100)),
    "mg/L": ("mass concentration", Fraction(1, 1000)),
    "mmol/L": ("substance concentration", Fraction(1000)),
    "umol/L": ("substance concentration", Fraction(1)),
    "10*9/L": ("number concentration", Fraction(10**9)),
    "10*3/uL": ("number concentration", Fraction(10**9)),
    "/uL": ("number concentration", Fraction(10**6)),
    "/mm3": ("number concentration", Fraction(10**6)),
    "%": ("proportion", Fraction(1, 100)),
    "1": ("proportion", Fraction(1)),
    "kg": ("mass", Fraction(1000)),
    "g": ("mass", Fraction(1)),
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "kg/m2": ("mass per surface", Fraction(1)),
    "m2": ("surface", Fraction(1)),
    "mL/min/{1.73_m2}": ("flow per body surface", Fraction(1)),
    "mL/min": ("flow", Fraction(1)),
}
# The molar mass of an analyte in g/mol: one umol/L is so many g/L.
MOLAR_MASSES = {"CLEIO:creatinine": Fraction("113.12")}
# The usual unit of an analyte: a ratio of a result in a unit of another dimension is not one of this analyte.
ANALYTES = {"LOINC:1742-6": "U/L"}


def exact(number):
    return Fraction(str(number))


def same_dimension(unit, wanted):
    return unit in UNITS and wanted in UNITS and UNITS[unit][0] == UNITS[wanted][0]


def is_bare(unit):
    return unit is None or unit == "1" or unit.startswith("{")


def converted(number, unit, wanted, codes=()):
    """Return the number in the wanted unit, or None; masses and moles convert where all codes are of one analyte."""
    if unit == wanted:
        return number
    if same_dimension(unit, wanted):
        return number * UNITS[unit][1] / UNITS[wanted][1]
    masses = {MOLAR_MASSES.get(code) for code in codes}
    if len(masses) != 1 or None in masses or unit not in UNITS or wanted not in UNITS:
        return None
    grams = masses.pop() / 10**6
    dimensions = (UNITS[unit][0], UNITS[wanted][0])
    if dimensions == ("substance concentration", "mass concentration"):
        return number * UNITS[unit][1] * grams / UNITS[wanted][1]
    if dimensions == ("mass concentration", "substance concentration"):
        return number * UNITS[unit][1] / grams / UNITS[wanted][1]
    return None


def against(number, comparator, op, bound):
    """Return `number op bound`; a comparator only says on which side of the number the true value is."""
    if comparator is None:
        holds = {
            "<": number < bound,
            "<=": number <= bound,
            ">": number > bound,
            ">=": number >= bound,
            "=": number == bound,
        }[op]
        return MET if holds else NOT_MET
    # The true value may be anywhere on one side: try each place that could decide: far beyond, the bound, around it,
    # the number itself.
    step = Fraction(1, 10**9)
    places = [
        number,
        bound,
        bound - step,
        bound + step,
        number - step,
        number + step,
        min(number, bound) - 1,
        max(number, bound) + 1,
        (number + bound) / 2,
    ]
    inside = {
        "<": lambda x: x < number,
        "<=": lambda x: x <= number,
        ">": lambda x: x > number,
        ">=": lambda x: x >= number,
    }[comparator]
    answers = {against(place, None, op, bound) for place in places if inside(place)}
    return answers.pop() if len(answers) == 1 else UNKNOWN


def compare_value(leaf, fact):
    number, bound, basis = exact(fact["value"]), exact(leaf["value"]), leaf.get("basis") or "absolute"
    if basis in ("xULN", "xLLN"):
        reference = fact.get("ref_high" if basis == "xULN" else "ref_low")
        if reference is None:
            return UNKNOWN, "no_reference_range"
        usual = next((ANALYTES[code] for code in leaf["codes"] if code in ANALYTES), None)
        if usual and fact.get("unit") in UNITS and not same_dimension(fact["unit"], usual):
            return UNKNOWN, "unit"
        number /= exact(reference)
    else:
        unit = "%" if basis == "pct_predicted" else leaf.get("unit")
        if unit is None:
            if not is_bare(fact.get("unit")):
                return UNKNOWN, "unit"
        else:
            number = converted(number, fact["unit"], unit, leaf["codes"]) if fact.get("unit") else None
            if number is None or (basis == "pct_predicted" and fact["unit"] != "%"):
                return UNKNOWN, "unit"
    state = against(number, fact.get("comparator"), leaf["op"], bound)
    return state, "partial_detail" if state == UNKNOWN else None


def compare_titre(leaf, fact):
    if leaf.get("assay") and fact.get("assay") != leaf["assay"]:
        return UNKNOWN, "partial_detail"
    state = against(exact(fact["value"]), fact.get("comparator"), leaf["op"], exact(leaf["reciprocal"]))
    return state, "partial_detail" if state == UNKNOWN else None


def level_of(value):
    """Return the level that a text or a whole number names, or None."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value is not None and value == int(value) else None


def compare_ordinal(leaf, fact, scales):
    """`scales`: {scale: {"levels": [… in order], "groups": {group: [levels]}}}."""
    scale = scales[leaf["scale"]]
    order, groups = scale["levels"], scale.get("groups", {})

    def levels(name):
        return [name] if name in order else groups.get(name, [])

    if leaf.get("in"):
        good = [level for name in leaf["in"] for level in levels(name)]
    else:
        low = order.index(levels(leaf["min"])[0]) if leaf.get("min") else 0
        high = order.index(levels(leaf["max"])[-1]) if leaf.get("max") else len(order) - 1
        good = order[low : high + 1]
    holds = {level in good for level in levels(level_of(fact["value"]))}
    if not holds or len(holds) == 2:
        return UNKNOWN, "partial_detail"
    return (MET if True in holds else NOT_MET), None


# --- which measurements count, and what spoils them -------------------------------------------------------------------


def after_events(leaf, case, day):
    """Evaluate `not_after` for a measurement of the day: NO if it is spoilt, YES if it is clean, MAYBE if unknown."""
    answers = [YES]
    record, terminology = case.record, case.terminology
    for rule in leaf.get("not_after") or []:
        codes, window, domain = rule["codes"], rule["for"], rule.get("domain")

        def places(*status, codes=codes, window=window, way=terminology.carries):
            return [
                record.in_window(event, window, day)
                for event in record.with_status(*status)
                if any(way(event, code) for code in codes)
            ]

        certain = places("present")
        doubtful = certain + places("unconfirmed", "ordered") + places("present", way=terminology.has_an_ancestor)
        if YES in certain:
            answers.append(NO)
        elif YES in doubtful or MAYBE in doubtful:
            answers.append(MAYBE)
        else:
            complete = record.complete(domain, day, window)
            clean = complete and not record.could_be_in_window(domain, codes, window, day)
            answers.append(YES if clean or denied(codes, case, window, day) == YES else MAYBE)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def clean(leaf, case, fact):
    """Return whether nothing has spoilt the measurement, on whichever day it was made: YES, MAYBE or NO."""
    if fact["spoilt"] == "yes":
        return NO
    answers = {YES}
    if leaf.get("not_after"):
        days = possible_days_of(fact, case.record)
        answers = {after_events(leaf, case, day) for day in days} if days else {MAYBE}
    if len(answers) > 1 or (fact["spoilt"] == "maybe" and answers == {YES}):
        return MAYBE
    return answers.pop()


def readable(leaf, case, fact):
    """Return whether this leaf uses the fact."""
    kind = leaf["type"]
    if kind == "human":
        return fact["kind"] == "answer" and fact.get("question") == leaf["question"]
    if kind == "ordinal":
        return level_of(fact.get("value")) is not None and case.terminology.carries(fact, leaf["scale"])
    number = fact.get("value")
    return (
        not isinstance(number, str)
        and number is not None
        and any(case.terminology.carries(fact, code) for code in leaf["codes"])
    )
