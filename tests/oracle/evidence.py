"""Collect the facts that decide a leaf on a day: `retest` counts from them."""

from tests.oracle.days import BEGINNING, day_of, is_full
from tests.oracle.events import doubtful_courses, exposures, sub_windows
from tests.oracle.leaves import (
    HasFacts,
    attributes,
    contradicts,
    denied,
    deniers,
    exclusive_conditions,
    variant_attributes,
    variant_facts,
)
from tests.oracle.measurements import counted, doubtful, when
from tests.oracle.record import MAYBE, NO, YES

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"


def of_has(leaf, case, day, state, reason):
    record, within = case.record, leaf.get("within")
    has_facts = HasFacts(leaf, case)
    present = [(fact, attributes(leaf, case, fact, day)) for fact, _codes in has_facts.present]
    holding = [fact for fact, attribute in present if attribute == YES and record.in_window(fact, within, day) == YES]
    if holding:
        clashing = [
            other for other in has_facts.absent if any(contradicts(case, other, fact, within, day) for fact in holding)
        ]
        return [*holding, *clashing] if reason == "conflict" else holding
    if reason == "partial_detail":
        perhaps = [
            fact
            for fact in has_facts.perhaps
            if attributes(leaf, case, fact, day) != NO and record.in_window(fact, within, day) != NO
        ]
        return perhaps or [
            fact for facts in has_facts.deniers.values() for fact in facts if record.in_window(fact, within, day) != NO
        ]
    if state == NOT_MET:
        rests_on = []
        for code in has_facts.codes:
            in_force = [fact for fact in has_facts.deniers[code] if record.in_window(fact, within, day) == YES]
            by_kind = [] if leaf.get("relative") else exclusive_conditions(code, case)
            if not in_force and not by_kind:
                return []  # the complete domain decides
            rests_on += in_force or by_kind
        return rests_on
    old = [fact for fact, attribute in present if attribute != NO] + [
        fact for facts in has_facts.deniers.values() for fact in facts
    ]
    return [
        fact for fact in old if record.in_window(fact, within, day) == NO and record.in_window(fact, None, day) != NO
    ]


def of_measured(leaf, case, day, state, reason):
    sure, vague, older, vague_older = counted(leaf, case, day)
    how = leaf.get("pick") or "latest"
    if not sure and not vague:
        how = "latest"
        if not older and not vague_older:
            return doubtful(leaf, case) if reason == "partial_detail" else []
        sure, vague = older, vague_older
    latest = max((first for first, *_rest in sure), default=BEGINNING)
    if how == "latest":
        later = [fact for _first, last, *_rest, fact in vague if last >= latest]
        return later or [fact for first, _last, _state, _reason, fact in sure if first == latest]
    decisive = {("any", MET): MET, ("all", NOT_MET): NOT_MET}.get((how, state))
    return [fact for *_dates, one, _reason, fact in sure + vague if decisive in (None, one)]


def of_variant(leaf, case, day, state):
    facts = variant_facts(leaf, case, day)
    compared = [(fact, variant_attributes(leaf, fact["variant"])) for fact in facts if fact.get("status") != "absent"]
    compared = [(fact, answer) for fact, answer in compared if fact["variant"].get("significance") != "benign"]
    if state == UNKNOWN:
        return [fact for fact, answer in compared if answer != NO] or facts
    if state == MET:
        return [fact for fact, answer in compared if answer == YES and fact.get("status", "present") == "present"]
    return facts


def of_count(leaf, case, day, state, _reason):
    return [fact for one, _reason_of_one, facts in sub_windows(leaf, case, day) if one == state for fact in facts]


def of_stable(leaf, case, day, state, reason):
    record, courses = case.record, exposures(leaf, case)
    current = [course for course in courses if record.ongoing(course, day) != NO]
    if current:
        ended = [
            course
            for course in courses
            if course not in current and state == NOT_MET and record.in_window(course, leaf["for"], day) != NO
        ]
        return [fact for course in current + ended for fact in course["facts"]]
    if reason == "partial_detail":
        return [fact for fact in doubtful_courses(leaf, case) if record.ongoing(fact, day) != NO]
    denials = [fact for facts in deniers(leaf["codes"], case, None) for fact in facts]
    if state == NOT_MET:
        return (
            [fact for fact in denials if record.in_window(fact, leaf["for"], day) == YES]
            if denied(leaf["codes"], case, leaf["for"], day) == YES
            else []
        )
    return denials + [fact for course in courses for fact in course["facts"]]


OF = {
    "has": of_has,
    "count": of_count,
    "stable": of_stable,
    "value": of_measured,
    "titre": of_measured,
    "ordinal": of_measured,
    "human": of_measured,
}


def of_leaf(leaf, case, day):
    state, _last_known, _best_case, reason = case.leaf(leaf, day)
    if leaf["type"] in ("age", "sex"):
        return []
    if leaf["type"] == "variant":
        return of_variant(leaf, case, day, state)
    return OF[leaf["type"]](leaf, case, day, state, reason)


def of_expression(expr, case, day, state_of):
    """Return the evidence of the operands that have the state of the combination."""
    if "type" in expr:
        return of_leaf(expr, case, day)
    if "not" in expr:
        return of_expression(expr["not"], case, day, state_of)
    if "if" in expr:
        condition = state_of(expr["if"])
        taken = [expr["if"]]
        if condition != NOT_MET:
            taken.append(expr["then"])
        if condition != MET and expr.get("else"):
            taken.append(expr["else"])
    else:
        own = state_of(expr)
        taken = [one for one in expr.get("all") or expr.get("any") or expr.get("of") if state_of(one) == own]
    return [fact for one in taken for fact in of_expression(one, case, day, state_of)]


def full_days(facts):
    return {day_of(when(fact)) for fact in facts if is_full(when(fact))}


__all__ = ["MAYBE", "full_days", "of_expression"]
