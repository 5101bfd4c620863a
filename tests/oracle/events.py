"""Evaluate `count` on one day: how many days with an event there are at least and at most."""

from tests.oracle.days import ONE_DAY, first_day_within, how_many, times
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, within_bounds
from tests.oracle.record import NO, YES


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
            found.append((fact, carries and fact["status"] == "present"))
    return found


def items(found, record):
    """Return events as (first day, last day, certain, facts): those of one full day together, each other one alone."""
    by_day, others = {}, []
    for fact, certain in found:
        first, last = record.dates(fact)
        if first == last:
            by_day.setdefault(first, []).append((fact, certain))
        else:
            others.append((first, last, certain, [fact]))
    together = [
        (day, day, any(certain for _fact, certain in of_day), [fact for fact, _certain in of_day])
        for day, of_day in by_day.items()
    ]
    return together + others


def certain_number(spans):
    """Return the largest number of events that are certainly of different days, two by two."""
    number, reached = 0, None
    for first, last in sorted(spans, key=lambda span: span[1]):
        if reached is None or first > reached:
            number, reached = number + 1, last
    return number


class SubWindow:
    """One sub-window of a `count` leaf on one day; number 1 is the latest."""

    def __init__(self, leaf, case, day, number):
        self.leaf, self.case, self.record, self.day = leaf, case, case.record, day
        each = leaf.get("each") or leaf["within"]
        self.outer, self.inner = times(each, number), times(each, number - 1) if number > 1 else None

    def place(self, fact):
        """Return (whether it may be in the sub-window, whether it certainly is, whether it is older)."""
        far = self.record.begins_in_window(fact, self.outer, self.day)
        near = self.record.begins_in_window(fact, self.inner, self.day) if self.inner else NO
        ever = self.record.begins_in_window(fact, None, self.day)
        return far != NO and near != YES, far == YES and near == NO, far == NO and ever != NO

    def last_day(self, day):
        return day if self.inner is None else first_day_within(day, self.inner) - ONE_DAY

    def complete(self, day):
        return self.record.complete(self.leaf.get("domain"), day, self.outer, self.last_day(day))

    def judge(self):
        """Return (now, last_known, reason, facts)."""
        leaf = self.leaf
        found = self.case.once(("count", id(leaf)), lambda: events(leaf, self.case))
        inside = [(fact, certain and self.place(fact)[1]) for fact, certain in found if self.place(fact)[0]]
        older = [fact for fact, certain in found if certain and self.place(fact)[2]]
        sure = [one for one in items(inside, self.record) if one[2]]
        low = certain_number([(first, last) for first, last, *_rest in sure])
        extra = len(items(inside, self.record)) - low
        others = self.record.could_be(leaf["domain"], leaf["codes"]) if leaf.get("domain") else []
        others = [fact for fact in others if self.place(fact)[0]]
        with_others = len(items(inside + [(fact, False) for fact in others], self.record))
        now = decide(leaf["op"], leaf["value"], low, with_others if self.complete(self.day) else None)
        stays = self.complete(self.day) or self.complete(self.case.as_of)
        last_known = decide(leaf["op"], leaf["value"], low, with_others if stays else None)
        reason = "partial_detail" if extra else "stale" if older else "missing"
        if others and not extra and self.complete(self.day):
            reason = "partial_detail" if found else "could_be"
        decisive = [fact for _first, _last, _certain, facts in sure for fact in facts]
        if now == UNKNOWN:
            return now, last_known, reason, [fact for fact, _certain in inside]
        return now, last_known, None, decisive


def count(leaf, case, day):
    number = how_many(leaf["within"], leaf.get("each") or leaf["within"])
    windows = [SubWindow(leaf, case, day, one).judge() for one in range(1, number + 1)]

    def every(states):
        return NOT_MET if NOT_MET in states else UNKNOWN if UNKNOWN in states else MET

    now, last_known = every([one[0] for one in windows]), every([one[1] for one in windows])
    reasons = [reason for _now, _last_known, reason, _facts in windows if reason]
    reason = min(reasons, key=("partial_detail", "could_be", "stale", "missing").index) if now == UNKNOWN else None
    return now, last_known, UNKNOWN, reason, [fact for one in windows if one[0] == now for fact in one[3]]
