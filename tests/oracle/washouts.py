"""Evaluate `washout` and `since` on one day: how far back the last dose, or the first event, lies."""

from datetime import timedelta
from fractions import Fraction
from math import ceil

from tests.oracle.days import add, first_day_within
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, denied, deniers, exclusive_conditions, run_out, stays_complete
from tests.oracle.record import MAYBE, NO, YES


class Occurrences:
    """The facts that concern the codes of a leaf.

    `present` carry a code, `perhaps` also hold those that are announced or have an ancestor's code, `denials` are the
    absent facts by the code that they deny.
    """

    def __init__(self, leaf, case):
        self.leaf, self.case, self.record = leaf, case, case.record
        self.codes, self.domain, terminology = leaf["codes"], leaf.get("domain"), case.terminology
        self.present, self.perhaps = [], []
        for fact in self.record.with_status("present", "unconfirmed", "ordered"):
            carries = any(terminology.carries(fact, code) for code in self.codes)
            if carries and fact["status"] == "present":
                self.present.append(fact)
            if carries or any(terminology.has_an_ancestor(fact, code) for code in self.codes):
                self.perhaps.append(fact)
        self.denials = dict(zip(self.codes, deniers(self.codes, case, None), strict=True))
        self.open_codes = [code for code in self.codes if not exclusive_conditions(code, case)]

    def denying(self):
        return [fact for facts in self.denials.values() for fact in facts]

    def could_be(self, window, day):
        return self.record.could_be_in_window(self.domain, self.codes, window, day)

    def reason_of_could_be(self):
        return "partial_detail" if self.perhaps or self.denying() else "could_be"


# --- washout ----------------------------------------------------------------------------------------------------------


class Washout(Occurrences):
    """A `washout` leaf. Its half-lives are in whole days, rounded up."""

    def half_lives(self, known, otherwise):
        """Return the leaf's number of half-lives in days: of the longest known one, else of `otherwise`."""
        number = Fraction(str(self.leaf.get("half_lives") or 0))
        return ceil(number * max(known, default=otherwise))

    def half_lives_of(self, fact):
        """Return the fewest and the most days that the half-lives of the fact's medicine may take."""
        above = {name for own in fact["codes"] for name in self.case.terminology.self_and_ancestors(own)}
        known = [days for code, days in self.case.half_lives.items() if code in above]
        return self.half_lives(known, 0), self.half_lives(known, max(self.case.half_lives.values()))

    def longest(self, day):
        """Return the longer of the durations that a washout of the leaf's codes may take, counted back from the day."""
        terminology = self.case.terminology
        below = [
            days
            for code, days in self.case.half_lives.items()
            if any(asked in terminology.self_and_ancestors(code) for asked in self.codes)
        ]
        days = self.half_lives(below, max(self.case.half_lives.values()))
        return min(self.leaf.get("for") or "P0D", f"P{days}D", key=lambda window: first_day_within(day, window))

    def lasts(self, last_dose, half_lives, day):
        """Return whether the medicine is taken on the day, or was so lately that its washout is not over."""
        if last_dose >= day:
            return True
        until = add(last_dose, self.leaf.get("for") or "P0D")
        return day < until or day < last_dose + timedelta(days=half_lives)

    def place(self, fact, day):
        """Return whether the fact is in its washout: YES, MAYBE or NO."""
        least, most = self.half_lives_of(fact)
        first, last = self.record.last_days(fact)
        if self.lasts(first, least, day):
            return YES
        return MAYBE if self.lasts(last, most, day) else NO

    def contradictions(self, fact):
        """Return the absent facts that deny one of the fact's codes on what is, or may be, one of its days."""
        begun, until = self.record.dates(fact)[0], self.record.last_days(fact)[1]
        return [
            other
            for other in self.record.denials_of(fact)
            if self.record.dates(other)[0] <= until and self.record.last_days(other)[1] >= begun
        ]

    def judge(self, day):
        """Return (rule of the page, state, reason, facts)."""
        sure = [fact for fact in self.present if self.place(fact, day) == YES]
        if sure:
            clashing = [self.contradictions(fact) for fact in sure]
            if all(clashing):
                return 1, UNKNOWN, "conflict", sure + [other for others in clashing for other in others]
            return 1, NOT_MET, None, sure
        perhaps = [fact for fact in self.perhaps if self.place(fact, day) != NO]
        if perhaps:
            return 2, UNKNOWN, "partial_detail", perhaps
        window = self.longest(day)
        denial = denied(self.open_codes, self.case, window, day)
        if denial == YES:
            return 3, MET, None, self.denying()
        if self.record.complete(self.domain, day, window):
            could_be = self.could_be(window, day)
            return (3, UNKNOWN, self.reason_of_could_be(), could_be) if could_be else (3, MET, None, [])
        if denial == MAYBE:
            return 4, UNKNOWN, "partial_detail", self.denying()
        old = [*self.present, *self.denying()]
        return 4, UNKNOWN, "stale" if old else "missing", old

    def last_known(self, day, rule, state):
        if rule < 3 or state == MET:
            return state
        if all(run_out(self.denials[code], self.present, self.case, day) for code in self.open_codes):
            return MET
        as_of, window = self.case.as_of, self.longest(day)
        complete = self.record.complete(self.domain, day, window)
        complete = complete or self.record.complete(self.domain, as_of, self.longest(as_of))
        return MET if complete and not self.could_be(window, day) else UNKNOWN


def washout(leaf, case, day):
    asked = case.once(("washout", id(leaf)), lambda: Washout(leaf, case))
    rule, now, reason, facts = asked.judge(day)
    return now, asked.last_known(day, rule, now), UNKNOWN, reason, facts


# --- since ------------------------------------------------------------------------------------------------------------


class Since(Occurrences):
    """A `since` leaf: certain events, possible ones, and the days on which the first may have been."""

    def __init__(self, leaf, case):
        super().__init__(leaf, case)
        self.contradicted = [fact for fact in self.present if self.contradictions(fact)]
        self.events = [fact for fact in self.present if not self.contradictions(fact)]
        self.possible = [fact for fact in self.perhaps if not any(fact is event for event in self.events)]

    def contradictions(self, fact):
        """Return the absent facts that contradict a present one and do not simply end it."""
        record = self.record
        return [
            other
            for other in record.denials_of(fact)
            if not (record.ends_with_a_denial(fact) and record.is_later(other, fact))
            and record.last_days(other)[1] >= record.dates(fact)[0]
        ]

    def holds(self, first, day):
        bound = add(first, self.leaf["value"])
        return {"<": day < bound, "<=": day <= bound, ">": day > bound, ">=": day >= bound}[self.leaf["op"]]

    def is_the_first(self, last, complete, day):
        """Return whether no event before the recorded first one, of any day up to `last`, can be unknown."""
        if any(self.record.dates(fact)[0] < last for fact in self.possible):
            return False
        carried = [
            code
            for code in self.codes
            if any(self.case.terminology.carries(fact, code) for fact in self.events) or self.denials[code]
        ]
        return carried == self.codes or (complete and not self.could_be(None, day))

    def judge(self, day, *, complete):
        """Return (state, reason, facts); `complete`: whether the domain is complete over all time."""
        if not self.events:
            return self.of_none(day, complete=complete)
        days = [self.record.dates(fact) for fact in self.events]
        first, last = min(day for day, _last in days), min(day for _first, day in days)
        answers = {self.holds(first, day), self.holds(last, day)}
        facts = [fact for fact in self.events if self.record.dates(fact)[0] <= last]
        decided = {self.leaf["op"] in (">", ">=")}
        if answers == decided or (len(answers) == 1 and self.is_the_first(last, complete, day)):
            return (MET if answers == {True} else NOT_MET), None, facts
        return UNKNOWN, "partial_detail", facts + self.possible

    def of_none(self, day, *, complete):
        if self.possible:
            conflict = len(self.contradicted) == len(self.possible)
            return UNKNOWN, "conflict" if conflict else "partial_detail", self.possible
        if denied(self.open_codes, self.case, None, day) == YES:
            return NOT_MET, None, self.denying()
        if complete:
            could_be = self.could_be(None, day)
            return (UNKNOWN, self.reason_of_could_be(), could_be) if could_be else (NOT_MET, None, [])
        return UNKNOWN, "missing", self.denying()


def since(leaf, case, day):
    asked = case.once(("since", id(leaf)), lambda: Since(leaf, case))
    now, reason, facts = asked.judge(day, complete=case.record.complete(leaf.get("domain"), day))
    last_known, *_rest = asked.judge(day, complete=stays_complete(case, leaf.get("domain"), day, None))
    return now, last_known, last_known, reason, facts
