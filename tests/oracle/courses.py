"""Evaluate `stable` on one day: the courses of a medicine, how long they are unchanged, and the sum of their doses."""

from fractions import Fraction

from tests.oracle.days import ONE_DAY, add, day_of, is_full
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, denied, deniers, run_out, stays_complete
from tests.oracle.record import MAYBE, NO, YES


def continues(one, two, record):
    """Return whether a line continues the one before of the same codes and dose: it begins later, at most one day
    after that one ends, and ends later.
    """
    if any(record.end_is_unknown(line) for line in (one, two)):
        return False
    if not all(is_full(date) for date in (one.get("start"), one.get("end"), two.get("start"))):
        return False
    if two.get("end") and (not is_full(two["end"]) or two["end"] <= one["end"]):
        return False
    return one["start"] < two["start"] and day_of(two["start"]) <= day_of(one["end"]) + ONE_DAY


def exposures(leaf, case):
    """Return the present medication exposures of the leaf's codes, as courses of lines (`facts`): of the lines of the
    same codes and dose, in the order of their days, each may continue the one before.
    """
    record = case.record
    lines = [
        fact
        for fact in record.with_status("present")
        if fact["kind"] == "medication"
        and record.is_exposure(fact)
        and any(case.terminology.carries(fact, code) for code in leaf["codes"])
    ]
    lines.sort(key=lambda line: (line.get("start") or line.get("date") or "", line.get("end") or "9"))
    courses = []
    for line in lines:
        alike = [
            course
            for course in courses
            if set(course["codes"]) == set(line["codes"]) and course.get("dose") == line.get("dose")
        ]
        before = max(alike, key=lambda course: lines.index(course["facts"][-1]), default=None)
        if before and continues(before["facts"][-1], line, record):
            courses = [course for course in courses if course is not before]
            courses.append({**line, "start": before["start"], "facts": [*before["facts"], line]})
        else:
            courses.append({**line, "facts": [line]})
    return courses


def lines_on(course, day, record):
    """Return the lines of a course that are taken on the day; one that begins as another ends is the same dose."""
    lines = [line for line in course["facts"] if record.ongoing(line, day) != NO]
    ending = [line for line in lines if record.last_days(line) == (day, day) and record.dates(line)[0] < day]
    beginning = [line for line in lines if record.dates(line) == (day, day)]
    return [line for line in lines if not (ending and any(line is one for one in beginning))]


def doubtful_courses(leaf, case):
    """Return medications that may have the leaf's codes: unconfirmed, ordered, or recorded with a more general code."""
    terminology, record = case.terminology, case.record
    found = []
    for fact in record.with_status("present", "unconfirmed", "ordered"):
        carries = any(terminology.carries(fact, code) for code in leaf["codes"])
        unsure = carries and fact["status"] != "present"
        if (
            fact["kind"] == "medication"
            and record.is_exposure(fact)
            and (unsure or (not carries and any(terminology.has_an_ancestor(fact, code) for code in leaf["codes"])))
        ):
            found.append(fact)
    return found


# --- doses ------------------------------------------------------------------------------------------------------------


def equivalent(course, case):
    """Return how much prednisone one unit of the medicine is worth, or None without an agreed equivalent."""
    for code, factor in case.equivalents.items():
        if factor is not None and case.terminology.carries(course, code):
            return Fraction(factor)
    return None


def amount(leaf, course, case):
    """Return (amount, reason why it is not known); an amount of None without reason may be any."""
    dose = course.get("dose")
    if not dose or dose.get("value") is None:
        return None, "partial_detail"
    if dose.get("unit") != leaf.get("unit") or dose.get("per_kg", False) != leaf.get("per_kg", False):
        return None, "unit"
    named = [code for code in leaf["codes"] if case.terminology.carries(course, code)]
    if not leaf.get("equivalent") and all(case.terminology.is_class(code) for code in named):
        return None, "partial_detail"
    factor = equivalent(course, case) if leaf.get("equivalent") else Fraction(1)
    if factor is None:
        return None, None
    return Fraction(str(dose["value"])) * factor, None


def sum_of_doses(leaf, courses, case):
    """Return (state, reason) of the sum of the doses against the bounds."""
    low, high = leaf.get("min"), leaf.get("max")
    if low is None and high is None:
        return MET, None
    amounts = [amount(leaf, course, case) for course in courses]
    total = sum((number for number, _reason in amounts if number is not None), Fraction(0))
    if high is not None and total > Fraction(str(high)):
        return NOT_MET, None
    reasons = {reason for _number, reason in amounts if reason}
    if reasons:
        return UNKNOWN, min(reasons)
    enough = low is None or total >= Fraction(str(low))
    if any(number is None for number, _reason in amounts):
        return (MET, None) if enough and high is None else (UNKNOWN, "partial_detail")
    return (MET if enough else NOT_MET), None


# --- the leaf ---------------------------------------------------------------------------------------------------------


class Stable:
    """A `stable` leaf on one day."""

    def __init__(self, leaf, case, day):
        self.leaf, self.case, self.record, self.day = leaf, case, case.record, day
        self.window, self.codes, self.domain = leaf["for"], leaf["codes"], leaf.get("domain")
        self.courses = case.once(("courses", id(leaf)), lambda: exposures(leaf, case))
        self.current = [course for course in self.courses if self.record.ongoing(course, day) != NO]
        self.denials = deniers(self.codes, case, None)

    def judge(self):
        """Return (now, last_known, reason, facts)."""
        return self.of_courses() if self.current else self.of_none()

    def of_none(self):
        record, case, day, window = self.record, self.case, self.day, self.window
        doubts = case.once(("doubts", id(self.leaf)), lambda: doubtful_courses(self.leaf, case))
        doubts = [fact for fact in doubts if record.ongoing(fact, day) != NO]
        if doubts:
            return UNKNOWN, UNKNOWN, "partial_detail", doubts
        denying = [fact for facts in self.denials for fact in facts]
        denial = denied(self.codes, case, window, day)
        if denial == YES:
            in_force = [fact for fact in denying if record.in_window(fact, window, day) == YES]
            return NOT_MET, NOT_MET, None, in_force
        could_be = record.could_be_in_window(self.domain, self.codes, window, day)
        last_known = self.last_known_of_none(could_be)
        if record.complete(self.domain, day, window):
            related = denying or self.courses or case.once(("doubts", id(self.leaf)), list)
            reason = "partial_detail" if related else "could_be"
            return (UNKNOWN, last_known, reason, could_be) if could_be else (NOT_MET, NOT_MET, None, [])
        ended = [course for course in self.courses if record.in_window(course, None, day) != NO]
        reason = "partial_detail" if denial == MAYBE else "stale" if ended else "missing"
        return UNKNOWN, last_known, reason, denying + [fact for course in ended for fact in course["facts"]]

    def last_known_of_none(self, could_be):
        presences = [
            fact
            for fact in self.record.with_status("present")
            if any(self.case.terminology.carries(fact, code) for code in self.codes)
        ]
        if all(run_out(facts, presences, self.case, self.day) for facts in self.denials):
            return NOT_MET
        stays = stays_complete(self.case, self.domain, self.day, self.window)
        return NOT_MET if stays and not could_be else UNKNOWN

    def began_lately(self, course):
        """Return whether the course began so late that it is not yet stable: YES, MAYBE or NO."""
        first, last = self.record.dates(course)
        answers = {add(start, self.window) > self.day for start in (first, last)}
        return MAYBE if len(answers) == 2 else YES if True in answers else NO

    def ended_lately(self, course):
        """Return whether another course ended in the window and before the day: YES, MAYBE or NO."""
        if not course.get("end") or self.record.end_is_unknown(course):
            return NO
        first, last = self.record.last_days(course)
        if first >= self.day or add(min(last, self.day - ONE_DAY), self.window) < self.day:
            return NO
        return YES if last < self.day and add(first, self.window) >= self.day else MAYBE

    def of_courses(self):
        facts = [fact for course in self.current for fact in course["facts"]]
        lately = [self.began_lately(course) for course in self.current]
        if MAYBE in lately or any(self.record.ongoing(course, self.day) == MAYBE for course in self.current):
            return UNKNOWN, UNKNOWN, "partial_detail", facts
        if YES in lately:
            return NOT_MET, NOT_MET, None, facts
        others = [course for course in self.courses if not any(course is one for one in self.current)]
        ended = [self.ended_lately(course) for course in others]
        in_window = [course for course in others if self.record.in_window(course, self.window, self.day) != NO]
        with_ended = facts + [fact for course in in_window for fact in course["facts"]]
        if YES in ended:
            return NOT_MET, NOT_MET, None, with_ended
        lines = [line for course in self.current for line in lines_on(course, self.day, self.record)]
        state, reason = sum_of_doses(self.leaf, lines, self.case)
        if state == NOT_MET:
            return NOT_MET, NOT_MET, None, with_ended
        if MAYBE in ended:
            return UNKNOWN, UNKNOWN, "partial_detail", facts
        return state, state, reason, facts


def stable(leaf, case, day):
    now, last_known, reason, facts = Stable(leaf, case, day).judge()
    return now, last_known, UNKNOWN, reason, facts
