"""Evaluate leaves that use the latest of several measurements or answers: value, titre, ordinal and human."""

from fractions import Fraction

from tests.oracle.days import BEGINNING, day_of, is_full
from tests.oracle.leaves import denied
from tests.oracle.record import MAYBE, NO, YES

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"

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
    "mL/min/{1.73_m2}": ("flow per body surface", Fraction(1)),
    "mL/min": ("flow", Fraction(1)),
}


def exact(number):
    return Fraction(str(number))


def converted(number, unit, wanted):
    """Return the number in the wanted unit, or None."""
    if unit == wanted:
        return number
    if unit not in UNITS or wanted not in UNITS or UNITS[unit][0] != UNITS[wanted][0]:
        return None
    return number * UNITS[unit][1] / UNITS[wanted][1]


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
        number /= exact(reference)
    else:
        unit = "%" if basis == "pct_predicted" else leaf.get("unit")
        if unit is None:
            if fact.get("unit") and fact["unit"] != "1" and not fact["unit"].startswith("{"):
                return UNKNOWN, "unit"
        else:
            number = converted(number, fact["unit"], unit) if fact.get("unit") else None
            if number is None or (basis == "pct_predicted" and fact["unit"] != "%"):
                return UNKNOWN, "unit"
    state = against(number, fact.get("comparator"), leaf["op"], bound)
    return state, "partial_detail" if state == UNKNOWN else None


def compare_titre(leaf, fact):
    if leaf.get("assay") and fact.get("assay") != leaf["assay"]:
        return UNKNOWN, "partial_detail"
    state = against(exact(fact["value"]), fact.get("comparator"), leaf["op"], exact(leaf["reciprocal"]))
    return state, "partial_detail" if state == UNKNOWN else None


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
    holds = {level in good for level in levels(fact["value"])}
    if not holds or len(holds) == 2:
        return UNKNOWN, "partial_detail"
    return (MET if True in holds else NOT_MET), None


def when(fact):
    """Return the day of a measurement or answer; of an exposure, its start."""
    return fact.get("start") or fact.get("date")


def after_events(leaf, case, fact):
    """Evaluate `not_after`: NO for an affected measurement, YES for an unaffected one, MAYBE if unknown."""
    answers = [YES]
    day = day_of(when(fact))
    record, terminology = case.record, case.terminology
    for rule in leaf.get("not_after") or []:
        codes, window = rule["codes"], rule["for"]

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
            clean = denied(codes, case, window, day) == YES or record.complete(rule.get("domain"), day, window)
            answers.append(YES if clean else MAYBE)
    return NO if NO in answers else MAYBE if MAYBE in answers else YES


def readable(leaf, case, fact):
    """Return whether this leaf uses the fact."""
    kind = leaf["type"]
    if kind == "human":
        return fact["kind"] == "answer" and fact.get("question") == leaf["question"]
    if kind == "ordinal":
        return isinstance(fact.get("value"), str) and case.terminology.carries(fact, leaf["scale"])
    number = fact.get("value")
    return (
        not isinstance(number, str)
        and number is not None
        and any(case.terminology.carries(fact, code) for code in leaf["codes"])
    )


def comparison(leaf, case, fact):
    if leaf["type"] == "human":
        return (MET if fact["answer"] == "yes" else NOT_MET), None
    if leaf["type"] == "ordinal":
        return compare_ordinal(leaf, fact, case.scales)
    if leaf["type"] == "titre":
        return compare_titre(leaf, fact)
    if leaf.get("not_after") and is_full(when(fact)):
        clean = after_events(leaf, case, fact)
        if clean != YES:
            return (None, None) if clean == NO else (UNKNOWN, "partial_detail")
    return compare_value(leaf, fact)


def readings(leaf, case):
    """Return the present measurements as (first possible day, last possible day, state, reason, fact), without affected
    ones.
    """
    found = []
    for fact in case.record.with_status("present"):
        if readable(leaf, case, fact):
            state, reason = comparison(leaf, case, fact)
            if state is not None:
                found.append((*case.record.dates(fact), state, reason, fact))
    return found


def doubtful(leaf, case):
    """Return unconfirmed or ordered facts that the leaf would use, or whose result is pending."""

    def read(fact):
        ordered = leaf["type"] in ("value", "titre") and any(
            case.terminology.carries(fact, code) for code in leaf["codes"]
        )
        return ordered or readable(leaf, case, fact)

    return [fact for fact in case.record.with_status("unconfirmed", "ordered") if read(fact)]


def first_of(reasons):
    """Return the alphabetically first of several reasons."""
    return min((reason for reason in reasons if reason), default=None)


def pick(leaf, case, day, chosen, vague):
    """Return (state, reason) of the leaf from the chosen full-dated measurements and the partially dated ones that may
    count.
    """
    how = leaf.get("pick") or "latest"
    states = [state for _first, _last, state, _reason, _fact in chosen]
    reasons = [reason for _first, _last, state, reason, _fact in chosen if state == UNKNOWN]
    if how == "latest":
        latest = max((first for first, *_rest in chosen), default=BEGINNING)
        if any(last >= latest for _first, last, *_rest in vague):
            return UNKNOWN, "partial_detail"
        of_that_day = [(state, reason) for first, _last, state, reason, _fact in chosen if first == latest]
        if len({state for state, _reason in of_that_day}) > 1:
            return UNKNOWN, "conflict"
        return of_that_day[0][0], first_of([reason for _state, reason in of_that_day])
    if how == "any":
        if MET in states:
            return MET, None
        if vague:
            return UNKNOWN, "partial_detail"
        if UNKNOWN in states:
            return UNKNOWN, first_of(reasons)
        return (
            (NOT_MET, None)
            if case.record.complete(leaf.get("domain"), day, leaf.get("within"))
            else (UNKNOWN, "missing")
        )
    if NOT_MET in states:
        return NOT_MET, None
    if vague:
        return UNKNOWN, "partial_detail"
    return (UNKNOWN, first_of(reasons)) if UNKNOWN in states else (MET, None)


def counted(leaf, case, day):
    """Return the measurements that count on the day: (in the window, vague in the window, older, vague older)."""
    sure, vague, older, vague_older = [], [], [], []
    for reading in case.once(("readings", id(leaf)), lambda: readings(leaf, case)):
        fact = reading[-1]
        place = case.record.begins_in_window(fact, leaf.get("within"), day)
        ever = case.record.begins_in_window(fact, None, day)
        full = is_full(when(fact))
        if place != NO:
            (sure if full else vague).append(reading)
        elif ever != NO:
            (older if full else vague_older).append(reading)
    return sure, vague, older, vague_older


def measured(leaf, case, day):
    sure, vague, older, vague_older = counted(leaf, case, day)
    unsure = case.once(("doubtful", id(leaf)), lambda: doubtful(leaf, case))
    unsure = [fact for fact in unsure if case.record.begins_in_window(fact, leaf.get("within"), day) != NO]
    if sure or vague:
        state, reason = pick(leaf, case, day, sure, vague)
        if leaf.get("pick") == "any" and unsure and (state == NOT_MET or reason == "missing"):
            state, reason = UNKNOWN, "partial_detail"  # only an unconfirmed result would decide
        if (leaf.get("pick") or "latest") == "latest":
            latest = max((first for first, *_rest in sure), default=BEGINNING)
            newer = [
                fact for fact in unsure if fact["status"] == "unconfirmed" and case.record.dates(fact)[1] >= latest
            ]
            if newer:
                state, reason = UNKNOWN, "partial_detail"
        return state, state, UNKNOWN, reason
    last_known = UNKNOWN
    if older or vague_older:
        latest = max((first for first, *_rest in older), default=BEGINNING)
        last_known, _reason = pick(
            {**leaf, "pick": "latest"},
            case,
            day,
            [reading for reading in older if reading[0] == latest],
            [r for r in vague_older if r[1] >= latest],
        )
    if older or vague_older:
        return UNKNOWN, last_known, UNKNOWN, "stale"
    return (
        UNKNOWN,
        last_known,
        UNKNOWN,
        "partial_detail" if unsure else "needs_human" if leaf["type"] == "human" else "missing",
    )
