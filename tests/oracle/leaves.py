"""Evaluate `age`, `sex` and `has` on one day: (now, last_known, best_case, reason of the unknown now, its facts)."""

from datetime import timedelta

from tests.oracle.days import END, add, parts
from tests.oracle.record import MAYBE, NO, YES

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"


def same(state, reason=None, facts=()):
    return state, state, state, reason, list(facts)


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


def beginnings(leaf, case):
    """Return every day from which the age may count: the birth, or the due date of a child born before 37 weeks."""
    births = case.record.births()
    if not leaf.get("corrected"):
        return births
    gestation = case.patient.get("gestation")
    if gestation is None:
        return {birth + timedelta(days=early) for birth in births for early in range(18 * 7 + 1)}
    _years, _months, weeks, days = parts(gestation)
    if weeks >= 37:
        return births
    lasted = [weeks * 7 + day for day in ([days] if "D" in gestation else range(7))]
    return {birth + timedelta(days=40 * 7 - one) for birth in births for one in lasted}


def age(leaf, case, day):
    births = case.once(("beginnings", id(leaf)), lambda: beginnings(leaf, case))
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


# --- denials and complete domains, for several leaves -----------------------------------------------------------------


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


def stays_complete(case, domain, day, within):
    """For `last_known`: return whether the domain is complete over the window, or was so on `as_of`."""
    return case.record.complete(domain, day, within) or case.record.complete(domain, case.as_of, within)


def exclusive_conditions(code, case):
    """Return the patient's present conditions that deny the code permanently."""

    def conditions():
        return [
            fact
            for fact in case.record.with_status("present")
            if fact["kind"] == "condition" and case.terminology.exclusive(fact, code)
        ]

    return case.once(("exclusive", code), conditions)


# --- has --------------------------------------------------------------------------------------------------------------


class Has:
    """A `has` leaf over one record: the facts that concern it, and the windows it asks about."""

    def __init__(self, leaf, case):
        record, terminology = case.record, case.terminology
        self.leaf, self.case, self.record, self.codes = leaf, case, record, leaf["codes"]
        self.relative, self.domain = leaf.get("relative"), leaf.get("domain")
        self.asks_the_present = terminology.asks_the_present(self.codes)
        self.window = leaf.get("within") or ("P0D" if self.asks_the_present else None)
        self.denial_window = leaf.get("evidence_within") or leaf.get("within")

        def carries(fact):
            return any(terminology.carries(fact, code, leaf.get("descendants", True)) for code in self.codes)

        self.present = [fact for fact in record.with_status("present", relative=self.relative) if carries(fact)]
        self.perhaps = list(self.present)
        for fact in record.with_status("present", "unconfirmed", "ordered", relative=self.relative):
            unsure = fact["status"] != "present" and carries(fact)
            if unsure or any(terminology.has_an_ancestor(fact, code) for code in self.codes):
                self.perhaps.append(fact)
        self.open_codes = [code for code in self.codes if self.relative or not exclusive_conditions(code, case)]
        self.denials = dict(zip(self.codes, deniers(self.codes, case, self.relative), strict=True))
        self.later_for_ever = None

    def attributes(self, fact, day):
        """Return whether the fact has the attributes in `where`: YES, MAYBE (not given) or NO."""
        where = self.leaf.get("where") or {}
        answers = [YES]
        for name in [name for name in ("outcome", "body_site", "severity") if where.get(name)]:
            answers += [MAYBE if fact.get(name) is None else YES if fact[name] in where[name] else NO]
        if where.get("duration"):
            answers.append(self.lasted(fact, where["duration"], day))
        return NO if NO in answers else MAYBE if MAYBE in answers else YES

    def lasted(self, fact, duration, day):
        if not self.record.is_exposure(fact):
            return MAYBE
        (first, last), (end_first, end_last) = self.record.dates(fact), self.record.last_days(fact)
        answers = [
            add(start, duration) <= min(end, day) for start, end in ((last, max(end_first, first)), (first, end_last))
        ]
        return YES if all(answers) else MAYBE if any(answers) else NO

    def place(self, fact, day, lasting=()):
        if any(fact is one for one in lasting):
            return self.record.placed(*self.record.dates(fact), END, END, self.window, day)
        return self.record.in_window(fact, self.window, day)

    def contradictions(self, fact, day):
        """Return the absent facts that contradict a present one and do not simply end it."""
        record, found = self.record, []
        for other in record.denials_of(fact):
            ends_it = record.ends_with_a_denial(fact) and record.is_later(other, fact)
            in_window = record.in_window(other, self.leaf.get("within"), day) != NO
            if not ends_it and in_window and record.last_days(other)[1] >= record.dates(fact)[0]:
                found.append(other)
        return found

    def judge(self, day, lasting=()):
        """Return (rule of the page, state, reason, facts); `lasting` are passing facts that count as without end."""
        record, window = self.record, self.window
        counted = [fact for fact in self.perhaps if self.attributes(fact, day) != NO]
        old = [fact for fact in counted if record.past_its_longest(fact, window, day)]
        old = [fact for fact in old if not any(fact is one for one in lasting)]

        holding = [
            fact for fact in self.present if self.attributes(fact, day) == YES and self.place(fact, day, lasting) == YES
        ]
        if holding:
            clashing = [self.contradictions(fact, day) for fact in holding]
            if all(clashing):
                return 1, UNKNOWN, "conflict", holding + [other for others in clashing for other in others]
            return 1, MET, None, holding

        perhaps = [
            fact for fact in counted if self.place(fact, day, lasting) != NO and not any(fact is one for one in old)
        ]
        if perhaps:
            return 2, UNKNOWN, "partial_detail", perhaps
        over = [fact for fact in old if self.place(fact, day) != NO]
        if over:
            return 2, UNKNOWN, "stale", over

        denial = denied(self.open_codes, self.case, self.denial_window, day, self.relative)
        if denial == YES:
            return 3, NOT_MET, None, self.reasons_for_absence(day)
        if record.complete(self.domain, day, window):
            could_be = self.could_be(day)
            reason = "partial_detail" if self.perhaps or any(self.denials.values()) else "could_be"
            return (3, UNKNOWN, reason, could_be) if could_be else (3, NOT_MET, None, [])
        denying = [fact for facts in self.denials.values() for fact in facts]
        if denial == MAYBE:
            in_force = [fact for fact in denying if record.in_window(fact, self.denial_window, day) != NO]
            return 4, UNKNOWN, "partial_detail", in_force
        stale = [fact for fact in self.present if self.attributes(fact, day) != NO and self.is_over(fact, window, day)]
        stale += [fact for fact in denying if self.is_over(fact, self.denial_window, day)]
        return 4, UNKNOWN, "stale" if stale else "missing", stale

    def is_over(self, fact, window, day):
        return self.record.in_window(fact, window, day) == NO and self.record.in_window(fact, None, day) != NO

    def reasons_for_absence(self, day):
        facts = []
        for code in self.codes:
            facts += [
                fact for fact in self.denials[code] if self.record.in_window(fact, self.denial_window, day) == YES
            ] or exclusive_conditions(code, self.case)
        return facts

    def could_be(self, day):
        found = self.record.could_be_in_window(self.domain, self.codes, self.window, day)
        return [fact for fact in found if self.attributes(fact, day) != NO]

    def lasting(self):
        """Return the passing facts through which the leaf is met on `as_of` and that nothing ends."""
        if self.later_for_ever is None:
            _rule, state, _reason, facts = self.judge(self.case.as_of)
            through = [fact for fact in facts if not self.contradictions(fact, self.case.as_of)]
            self.later_for_ever = [fact for fact in through if state == MET and self.record.runs_out(fact)]
        return self.later_for_ever

    def last_known(self, day):
        rule, state, _reason, _facts = self.judge(day, self.lasting())
        if rule < 3 or state == NOT_MET:
            return state
        if all(run_out(self.denials[code], self.present, self.case, day) for code in self.open_codes):
            return NOT_MET
        if stays_complete(self.case, self.domain, day, self.window) and not self.could_be(day):
            return NOT_MET
        return UNKNOWN


def has(leaf, case, day):
    asked = case.once(("has", id(leaf)), lambda: Has(leaf, case))
    _rule, now, reason, facts = asked.judge(day)
    last_known = asked.last_known(day)
    changes = leaf.get("within") or asked.asks_the_present
    return now, last_known, UNKNOWN if changes else last_known, reason, facts
