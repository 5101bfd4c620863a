"""Leaves over several events: `count` and `stable`, each on one day, in the three scenarios."""

from tests.oracle.days import ONE_DAY, add, day_of, first_day_within, how_many, is_full, possible_days, times
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, denied, deniers, run_out, within_bounds
from tests.oracle.record import MAYBE, NO, YES

# --- count ------------------------------------------------------------------------------------------------------------


def decide(op, value, low, high):
    """Return the state of `number op value` for every number from low to high (None: no upper bound)."""
    top = max(low, value) + 2 if high is None else high
    answers = {within_bounds(number, op, value) for number in range(low, top + 1)}
    return UNKNOWN if len(answers) > 1 else MET if True in answers else NOT_MET


def events(leaf, case):
    """Return (fact, whether it is certainly one of the counted kind) of every event that may count."""
    found = []
    for fact in case.record.with_status("present", "unconfirmed", "ordered"):
        carries = any(case.terminology.carries(fact, code) for code in leaf["codes"])
        if carries or any(case.terminology.has_an_ancestor(fact, code) for code in leaf["codes"]):
            found.append((fact, carries and fact.get("status", "present") == "present"))
    return found


def sub_window(leaf, case, day, number):
    """Return (state, reason, its facts) of one sub-window, the first being the latest."""
    record = case.record
    each = leaf.get("each") or leaf["within"]
    outer, inner = times(each, number), times(each, number - 1) if number > 1 else None
    known, unsure, fuzzy, older = {}, {}, [], False
    for fact, certain in case.once(("count", id(leaf)), lambda: events(leaf, case)):
        far = record.begins_in_window(fact, outer, day)
        near = record.begins_in_window(fact, inner, day) if inner else NO
        inside = far != NO and near != YES
        text = fact.get("start") or fact.get("date")
        if inside and not is_full(text):
            fuzzy.append(fact)
        elif inside:
            (known if certain else unsure).setdefault(day_of(text), []).append(fact)
        elif certain and is_full(text) and day_of(text) <= day and far == NO:
            older = True
    low, extra = len(known), len(set(unsure) - set(known)) + len(fuzzy)
    last = day if inner is None else first_day_within(day, inner) - ONE_DAY
    complete = record.complete(leaf.get("domain"), day, outer, last)
    state = decide(leaf["op"], leaf["value"], low, low + extra if complete else None)
    rests_on = [fact for facts in known.values() for fact in facts]
    if state == UNKNOWN:
        return (
            state,
            "partial_detail" if extra else "stale" if older else "missing",
            rests_on + fuzzy + [fact for facts in unsure.values() for fact in facts],
        )
    return state, None, rests_on


def sub_windows(leaf, case, day):
    return [
        sub_window(leaf, case, day, number)
        for number in range(1, how_many(leaf["within"], leaf.get("each") or leaf["within"]) + 1)
    ]


def count(leaf, case, day):
    windows = sub_windows(leaf, case, day)
    states = [state for state, _reason, _facts in windows]
    state = NOT_MET if NOT_MET in states else UNKNOWN if UNKNOWN in states else MET
    reasons = [reason for _state, reason, _facts in windows if reason]
    return (
        state,
        state,
        UNKNOWN,
        min(reasons, key=("partial_detail", "stale", "missing").index) if state == UNKNOWN else None,
    )


# --- stable -----------------------------------------------------------------------------------------------------------


def exposures(leaf, case):
    """Return the present medication exposures of the leaf's codes; touching ones of equal codes and dose are joined."""
    taken = [
        fact
        for fact in case.record.with_status("present")
        if fact["kind"] == "medication" and case.record.is_exposure(fact)
    ]
    taken = [fact for fact in taken if any(case.terminology.carries(fact, code) for code in leaf["codes"])]
    names = ("kind", "dose", "start", "end")
    found = [
        {"codes": sorted(fact["codes"]), **{name: fact.get(name) for name in names}, "facts": [fact]} for fact in taken
    ]
    changed = True
    while changed:
        changed = False
        for one in found:
            for two in found:
                if (
                    one is two
                    or one["codes"] != two["codes"]
                    or one["dose"] != two["dose"]
                    or not is_full(one["start"])
                    or not is_full(two["start"])
                ):
                    continue
                if (
                    day_of(one["start"]) > day_of(two["start"])
                    or (one["end"] and not is_full(one["end"]))
                    or (two["end"] and not is_full(two["end"]))
                ):
                    continue
                if one["end"] and day_of(two["start"]) > day_of(one["end"]) + ONE_DAY:
                    continue
                one["end"] = max(one["end"], two["end"]) if one["end"] and two["end"] else None
                one["facts"] = one["facts"] + two["facts"]
                found.remove(two)
                changed = True
                break
            if changed:
                break
    return found


def dose_state(leaf, dose):
    if leaf.get("min") is None and leaf.get("max") is None:
        return MET, None
    if not dose or dose.get("value") is None:
        return UNKNOWN, "partial_detail"
    if dose.get("unit") != leaf.get("unit") or dose.get("per_kg", False) != leaf.get("per_kg", False):
        return UNKNOWN, "unit"
    low, high = leaf.get("min"), leaf.get("max")
    return (MET if (low is None or dose["value"] >= low) and (high is None or dose["value"] <= high) else NOT_MET), None


def doubtful_courses(leaf, case):
    """Return medications that may have the leaf's codes: unconfirmed, ordered, or recorded with a more general code."""
    terminology, record = case.terminology, case.record
    found = []
    for fact in record.with_status("present", "unconfirmed", "ordered"):
        carries = any(terminology.carries(fact, code) for code in leaf["codes"])
        unsure = carries and fact.get("status", "present") != "present"
        if (
            fact["kind"] == "medication"
            and record.is_exposure(fact)
            and (unsure or (not carries and any(terminology.has_an_ancestor(fact, code) for code in leaf["codes"])))
        ):
            found.append(fact)
    return found


def stable(leaf, case, day):
    record, window = case.record, leaf["for"]
    courses = case.once(("courses", id(leaf)), lambda: exposures(leaf, case))
    current = [course for course in courses if record.ongoing(course, day) != NO]
    if not current:
        doubts = case.once(("doubts", id(leaf)), lambda: doubtful_courses(leaf, case))
        if any(record.ongoing(fact, day) != NO for fact in doubts):
            return UNKNOWN, UNKNOWN, UNKNOWN, "partial_detail"
        denial = denied(leaf["codes"], case, window, day)
        if denial == YES or record.complete(leaf.get("domain"), day, window):
            return NOT_MET, NOT_MET, UNKNOWN, None
        last_known = NOT_MET
        presences = [
            fact
            for fact in record.with_status("present")
            if any(case.terminology.carries(fact, code) for code in leaf["codes"])
        ]
        for denials in deniers(leaf["codes"], case, None):
            if not run_out(denials, presences, case, day):
                last_known = UNKNOWN
        ended = [course for course in courses if record.in_window(course, None, day) != NO]
        return UNKNOWN, last_known, UNKNOWN, "partial_detail" if denial == MAYBE else "stale" if ended else "missing"
    if any(not is_full(course["start"]) or record.ongoing(course, day) == MAYBE for course in current):
        return UNKNOWN, UNKNOWN, UNKNOWN, "partial_detail"
    if any(add(day_of(course["start"]), window) > day for course in current):
        return NOT_MET, NOT_MET, UNKNOWN, None
    endings = []
    for course in courses:
        if course not in current and course["end"]:
            first, last = possible_days(course["end"])
            if first < day and add(min(last, day - ONE_DAY), window) >= day:
                endings.append(YES if last < day and add(first, window) >= day else MAYBE)
    if YES in endings:
        return NOT_MET, NOT_MET, UNKNOWN, None
    doses = [dose_state(leaf, course["dose"]) for course in current]
    if any(state == NOT_MET for state, _reason in doses):
        return NOT_MET, NOT_MET, UNKNOWN, None
    if MAYBE in endings:
        return UNKNOWN, UNKNOWN, UNKNOWN, "partial_detail"
    reasons = {reason for state, reason in doses if state == UNKNOWN}
    if reasons:
        return UNKNOWN, UNKNOWN, UNKNOWN, min(reasons)
    return MET, MET, UNKNOWN, None
