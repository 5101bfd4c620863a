"""Evaluate `delta` and `ratio` on one day: one measurement against another."""

from itertools import product

from tests.oracle.days import ONE_DAY, add
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN
from tests.oracle.measured import Measured, candidates, common
from tests.oracle.measurements import against, clean, converted, exact, is_bare
from tests.oracle.record import NO, YES


def measurements_of(codes, within, case, day):
    """Return the measurements of codes on a day: those in the window, those that may be, older and announced ones."""
    key = ("measurements", tuple(codes), within)
    leaf = case.once(key, lambda: {"type": "value", "codes": codes, "within": within, "op": "=", "value": 0})
    return Measured(leaf, case, day)


def in_unit_of(number, fact, other, codes):
    """Return the number of a fact in the unit of another fact, or None; without units they compare as they are."""
    given, wanted = fact.get("unit"), other.get("unit")
    if is_bare(given) and is_bare(wanted):
        return number
    return converted(number, given, wanted, codes) if given and wanted else None


def agreed(answers):
    """Return (state, reason) of several readings of one day: the state if they agree, else `conflict`."""
    if len({state for state, _reason in answers}) > 1:
        return UNKNOWN, "conflict"
    return common(answers), min((reason for _state, reason in answers if reason), default=None)


# --- delta ------------------------------------------------------------------------------------------------------------


def number_for_change(leaf, fact, latest):
    """Return the number of a fact in the leaf's unit, or for a relative change in that of the latest; or None."""
    number = exact(fact["value"])
    if leaf.get("basis") == "relative":
        return in_unit_of(number, fact, latest, leaf["codes"])
    if leaf.get("unit") is None:
        return number if is_bare(fact.get("unit")) else None
    return converted(number, fact["unit"], leaf["unit"], leaf["codes"]) if fact.get("unit") else None


def change(leaf, case, latest, baseline, *, certain):
    """Return (state, reason) of the change from one baseline to the latest."""
    new, old = number_for_change(leaf, latest, latest), number_for_change(leaf, baseline, latest)
    reasons = ["unit"] if None in (new, old) else []
    if not certain or any(fact.get("comparator") or clean(leaf, case, fact) != YES for fact in (latest, baseline)):
        reasons.append("partial_detail")
    if leaf.get("basis") == "relative" and not exact(baseline["value"]):
        reasons.append("partial_detail")
    if reasons:
        return UNKNOWN, min(reasons)
    difference = new - old
    if leaf.get("basis") == "relative":
        difference = difference / abs(old) * 100
    return against(difference, None, leaf["op"], exact(leaf["value"])), None


def baselines(leaf, latest_day, found):
    """Return (fact, whether it certainly is one) of each measurement that may be a baseline."""
    answers = []
    for first, last, *_rest, fact in found:
        before = min(last, latest_day - ONE_DAY)
        if first < latest_day and add(before, leaf["over"]) >= latest_day:
            answers.append((fact, last < latest_day and add(first, leaf["over"]) >= latest_day))
    return answers


def over_baselines(leaf, answers):
    """Return (state, reason) over the changes: `any` where a rise or fall is asked, else `all`."""
    if not answers:
        return UNKNOWN, "missing"
    no_change = against(exact(0), None, leaf["op"], exact(leaf["value"]))
    decisive = MET if no_change == NOT_MET else NOT_MET
    states = [state for state, _reason in answers]
    if decisive in states:
        return decisive, None
    if UNKNOWN in states:
        return UNKNOWN, min(reason for state, reason in answers if state == UNKNOWN)
    return states[0], None


def of_any_age(leaf, case, found):
    """Return (state, reason, facts) of the latest measurement."""
    latest = candidates(found.sure, [])
    facts = [one[-1] for one in latest]
    if found.is_overtaken(found.sure) or any(first != last for first, last, *_rest in latest):
        return UNKNOWN, "partial_detail", facts
    before = baselines(leaf, latest[0][0], found.sure)
    answers = [
        over_baselines(leaf, [change(leaf, case, fact, old, certain=certain) for old, certain in before])
        for fact in facts
    ]
    return *agreed(answers), facts + [fact for fact, _certain in before]


def delta(leaf, case, day):
    ever = measurements_of(leaf["codes"], None, case, day)
    found = measurements_of(leaf["codes"], leaf.get("within"), case, day)
    if not ever.sure:
        return UNKNOWN, UNKNOWN, UNKNOWN, "partial_detail" if found.awaited else "missing", found.awaited
    state, reason, facts = of_any_age(leaf, case, ever)
    if not found.sure and not found.unsure:
        return UNKNOWN, state, UNKNOWN, "stale", facts
    return state, state, UNKNOWN, reason, facts


# --- ratio ------------------------------------------------------------------------------------------------------------


def quotient(leaf, case, one, other):
    """Return (state, reason) of one measurement divided by another."""
    divisor = in_unit_of(exact(other["value"]), other, one, leaf["numerator"] + leaf["denominator"])
    reasons = ["unit"] if divisor is None else []
    if any(fact.get("comparator") or clean(leaf, case, fact) != YES for fact in (one, other)):
        reasons.append("partial_detail")
    if not exact(other["value"]):
        reasons.append("partial_detail")
    if reasons:
        return UNKNOWN, min(reasons)
    return against(exact(one["value"]) / divisor, None, leaf["op"], exact(leaf["value"])), None


def of_day(found, day):
    return [fact for first, last, *_rest, fact in found if first == last == day]


def ratio_in(leaf, case, day, within):
    """Return (state, reason, facts)."""
    top, bottom = (measurements_of(leaf[name], within, case, day) for name in ("numerator", "denominator"))

    def days_of(*lists):
        """Return the full days on which both were measured."""
        whole = [{first for first, last, *_rest in found if first == last} for found in lists]
        return set.intersection(*whole)

    days = days_of(top.sure, bottom.sure)
    if not days:
        older = days_of(top.older, bottom.older)
        if older:
            return UNKNOWN, "stale", of_day([*top.older, *bottom.older], max(older))
        return UNKNOWN, "partial_detail" if may_meet(top, bottom, within, case, day) else "missing", []
    latest = max(days)
    numerators, denominators = of_day(top.sure, latest), of_day(bottom.sure, latest)
    facts = [*numerators, *denominators]
    partial = [one for found in (top, bottom) for one in [*found.sure, *found.unsure] if one[0] != one[1]]
    unconfirmed = [fact for found in (top, bottom) for fact in found.awaited if fact["status"] == "unconfirmed"]
    if any(last >= latest for _first, last, *_rest in partial) or any(
        case.record.dates(fact)[1] >= latest for fact in unconfirmed
    ):
        return UNKNOWN, "partial_detail", facts
    return *agreed([quotient(leaf, case, one, other) for one, other in product(numerators, denominators)]), facts


def may_meet(top, bottom, within, case, day):
    """Return whether a partial date or an announced measurement may give both a common day in the window."""
    spans = []
    for found in (top, bottom):
        facts = [one[-1] for one in [*found.sure, *found.unsure]] + found.awaited
        spans.append([case.record.dates(fact) for fact in facts])
    for (first, last), (other_first, other_last) in product(*spans):
        begin, end = max(first, other_first), min(last, other_last)
        if begin <= end and case.record.placed(begin, end, begin, end, within, day) != NO:
            return True
    return False


def ratio(leaf, case, day):
    now, reason, facts = ratio_in(leaf, case, day, leaf.get("within"))
    last_known, *_rest = ratio_in(leaf, case, day, None)
    return now, last_known, UNKNOWN, reason, facts
