"""Read a patient's record: when each fact is so, what is in a window, and where missing data is an answer."""

from datetime import timedelta

from tests.oracle.days import BEGINNING, END, ONE_DAY, add, day_of, first_day_within, possible_births, possible_days
from tests.oracle.results import marked, statements
from tests.oracle.words import KINDS_OF_DOMAIN

YES, MAYBE, NO = "yes", "maybe", "no"


class Record:
    """A native patient as known on `as_of`.

    `facts` are the statements of the record: a result read as a finding has the status of its word, and each concept
    that a test shows is a statement of its own. `rules` are those of invalidated results.
    """

    def __init__(self, patient, as_of, terminology, rules=()):
        self.patient, self.as_of, self.terminology = patient, as_of, terminology
        self.all_births, self.all_declared, self.bounds = None, {}, {}  # answers that do not change
        known = [
            fact
            for fact in patient.get("facts", [])
            if fact.get("status", "present") != "entered_in_error" and self.first_day(fact) <= as_of
        ]
        self.facts = [one for fact in known for one in statements(fact, terminology)]
        self.facts = marked(self, rules)
        self.bounds = {}

    def with_status(self, *status, relative=None):
        return [fact for fact in self.facts if fact["status"] in status and fact.get("relative") == relative]

    def measured(self, *status):
        """Return the patient's facts with that status, for measurements, answers and variants.

        A number has the status that was sent: that it says nothing of presence does not concern a measurement.
        """
        return [
            fact
            for fact in self.facts
            if fact["reported" if isinstance(fact.get("value"), int | float) else "status"] in status
            and not fact["derived"]
            and fact.get("relative") is None
        ]

    # --- days of a fact -----------------------------------------------------------------------------------------------

    def first_day(self, fact):
        text = fact.get("start") or fact.get("date")
        return possible_days(text)[0] if text else BEGINNING

    def dates(self, fact):
        """Return the first and last possible day of a fact (of an exposure: its start); never after `as_of`."""
        text = fact.get("start") or fact.get("date")
        first, last = possible_days(text) if text else (BEGINNING, self.as_of)
        if fact.get("end") and possible_days(fact["end"])[1] >= first:
            last = min(last, possible_days(fact["end"])[1])
        return first, min(last, self.as_of)

    def is_exposure(self, fact):
        if fact.get("start") or fact.get("end"):
            return True
        return fact["kind"] == "medication" and not (fact.get("date") and self.is_of_its_days_only(fact))

    def is_of_its_days_only(self, fact):
        return fact["status"] == "absent" or self.terminology.state_of(fact)[0] == "event"

    def end_is_unknown(self, fact):
        """Return whether an exposure has an end that nobody knows: a medication of one date, or an end too early."""
        if fact.get("end"):
            return bool(fact.get("start")) and possible_days(fact["end"])[1] < possible_days(fact["start"])[0]
        return fact["kind"] == "medication" and not fact.get("start") and not self.is_of_its_days_only(fact)

    def last_days(self, fact):
        """Return the last day on which the fact is certainly so, and the last day on which it may be so."""
        if id(fact) not in self.bounds:
            found = self.absent_until(fact) if fact["status"] == "absent" else self.present_until(fact)
            self.bounds[id(fact)] = (found, fact)  # the fact is kept, so that no other one gets its id
        return self.bounds[id(fact)][0]

    def absent_until(self, fact):
        first, last = self.dates(fact)
        if not self.is_exposure(fact):
            return first, last
        if fact.get("end") and not self.end_is_unknown(fact):
            first, last = max(first, possible_days(fact["end"])[0]), possible_days(fact["end"])[1]
        elif fact.get("start"):
            first, last = END, END
        else:
            last = END
        return min(first, self.as_of), min(last, self.as_of)

    def state(self, fact):
        """Return (kind, longest) of the fact's state; only conditions and observations have one."""
        return self.terminology.state_of(fact) if fact["kind"] in ("condition", "observation") else (None, None)

    def present_until(self, fact):
        first, last = self.dates(fact)
        kind, longest = self.state(fact)
        if kind == "permanent":
            return END, END
        if self.end_is_unknown(fact):
            until = (first, END)
        elif fact.get("end"):
            until = max(first, possible_days(fact["end"])[0]), possible_days(fact["end"])[1]
        elif kind == "persists":
            until = (END, END)
        elif kind == "passing":
            until = (max(first, add(first, longest) - ONE_DAY) if longest else first), END
        elif kind == "event":
            until = (first, last)
        elif fact.get("start"):
            until = (END, END)
        else:
            until = (first, END if fact["kind"] == "condition" else last)
        for denial in self.later_denials(fact):
            ends = [day - ONE_DAY for day in self.dates(denial)]
            until = min(until[0], ends[0]), min(until[1], ends[1])
        return until

    def ends_with_a_denial(self, fact):
        return self.state(fact)[0] in ("persists", "passing")

    def is_later(self, denial, fact):
        return self.dates(denial)[0] > self.dates(fact)[1]

    def denials_of(self, fact):
        """Return the absent facts that deny one of the fact's own codes."""
        absent = self.with_status("absent", relative=fact.get("relative"))
        return [other for other in absent if any(self.terminology.denies(other, own) for own in fact["codes"])]

    def later_denials(self, fact):
        if not self.ends_with_a_denial(fact):
            return []
        return [denial for denial in self.denials_of(fact) if self.is_later(denial, fact)]

    def runs_out(self, fact):
        """Return whether the fact is a passing state that nothing ends: neither an end nor a denial."""
        ended = fact.get("end") or self.later_denials(fact)
        return self.state(fact)[0] == "passing" and fact["status"] != "absent" and not ended

    def past_its_longest(self, fact, within, day):
        """Return whether a passing state without an end may be in the window only after its longest duration."""
        if self.state(fact)[0] != "passing" or fact.get("end"):
            return False
        first, last = self.dates(fact)
        longest = self.state(fact)[1]
        until = max(last, add(last, longest) - ONE_DAY) if longest else last
        return self.placed(first, last, until, until, within, day) == NO

    # --- windows ------------------------------------------------------------------------------------------------------

    def placed(self, first, last, ends_first, ends_last, within, day):
        """Return whether something is in the window that began between two days and was last so between two others."""
        limit = min(day, self.as_of)
        if within is None:
            return YES if last <= limit else MAYBE if first <= limit else NO

        def reaches(end):
            return end >= day or add(end, within) >= day

        if last <= limit and reaches(ends_first):
            return YES
        return MAYBE if first <= limit and reaches(ends_last) else NO

    def in_window(self, fact, within, day):
        """Return whether a day on which the fact is so is in the window: YES, MAYBE or NO."""
        return self.placed(*self.dates(fact), *self.last_days(fact), within, day)

    def begins_in_window(self, fact, within, day):
        """Return the same for the first day of the fact only: measurements, answers and counted events."""
        return self.placed(*self.dates(fact), *self.dates(fact), within, day)

    def ongoing(self, fact, day):
        """Return whether an exposure is ongoing: start <= day and (no end or end >= day)."""
        (first, last), (end_first, end_last), limit = self.dates(fact), self.last_days(fact), min(day, self.as_of)
        if last <= limit and end_first >= day:
            return YES
        return MAYBE if first <= limit and end_last >= day else NO

    # --- birth and complete domains -----------------------------------------------------------------------------------

    def births(self):
        """Return every possible birth date."""
        if self.all_births is None:
            self.all_births = self.find_births()
        return self.all_births

    def find_births(self):
        if self.patient.get("birth_date"):
            first, last = possible_days(self.patient["birth_date"])
            return [first + timedelta(days=number) for number in range((last - first).days + 1)]
        if self.patient.get("age"):
            return possible_births(self.patient["age"], self.as_of)
        return []

    def younger(self, age, days):
        """Return whether the patient was younger than the age on the day: YES, MAYBE (a day or birth allows it) or NO.

        `days`: the days it may have been, or None for any day up to `as_of`.
        """
        answers = {day < add(birth, age) for day in days or [self.as_of] for birth in self.births()}
        if answers == {True}:
            return YES
        return NO if days and answers == {False} else MAYBE

    def could_be(self, domain, codes):
        """Return the facts of the domain's kinds that could be one of the codes although no link says so."""
        key = (domain, tuple(codes))
        if key not in self.all_declared:
            self.all_declared[key] = [
                fact
                for fact in self.with_status("present", "unconfirmed", "ordered")
                if not fact["derived"]
                and fact["kind"] in KINDS_OF_DOMAIN.get(domain, ())
                and self.terminology.fact_could_be(fact, codes)
            ]
        return self.all_declared[key]

    def could_be_in_window(self, domain, codes, within, day):
        return [fact for fact in self.could_be(domain, codes) if self.in_window(fact, within, day) != NO]

    def complete(self, domain, day, within=None, last=None):
        """Return whether the domain is declared complete over the window that ends on `last` (default: the day)."""
        if domain is None:
            return False
        last = last or day
        births = self.births()
        start = None
        if within is not None:
            start = first_day_within(day, within)
        elif births:
            start = births[0]
        if domain not in self.all_declared:
            self.all_declared[domain] = self.declared(domain)
        for begin, end in self.all_declared[domain]:
            tail = (last - end).days
            if begin is not None and (start is None or begin > start):
                continue
            allowed = 31 if start is None else min(31, (last - start).days // 10)
            if tail <= 0 or tail <= allowed:
                return True
        return False

    def declared(self, domain):
        """Return the declared intervals of a domain, touching or overlapping ones joined: (from or None, to)."""
        spans = []
        for declared in self.patient.get("domains_complete", []):
            if declared["domain"] == domain:
                begin, end = declared.get("from"), min(day_of(declared["to"]), self.as_of)
                spans.append((day_of(begin) if begin else None, end))
        spans.sort(key=lambda span: span[0] or BEGINNING)
        joined = []
        for begin, end in spans:
            if joined and (begin is None or begin <= joined[-1][1] + ONE_DAY):
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((begin, end))
        return joined
