"""Read a patient's record: which facts carry a code, which deny it, when, and where missing data is an answer."""

from datetime import timedelta

from tests.oracle.days import BEGINNING, END, ONE_DAY, add, day_of, first_day_within, possible_births, possible_days

YES, MAYBE, NO = "yes", "maybe", "no"


class Terminology:
    """A terminology {code: {"parents": […], "same_as": […], "exclusive_with": […]}}; same-as and exclusive-with are
    symmetric.
    """

    def __init__(self, concepts):
        self.concepts = concepts
        self.same, self.up = {}, {}

    def same_as(self, code):
        """Return the code and all codes of the same concept, transitively."""
        if code in self.same:
            return self.same[code]
        found = {code}
        grew = True
        while grew:
            grew = False
            for other, concept in self.concepts.items():
                for twin in concept.get("same_as", []):
                    for a, b in ((other, twin), (twin, other)):
                        if a in found and b not in found:
                            found.add(b)
                            grew = True
        self.same[code] = found
        return found

    def self_and_ancestors(self, code):
        """Return all codes of the concept and of everything above it."""
        if code in self.up:
            return self.up[code]
        found, todo = set(), [code]
        while todo:
            for name in self.same_as(todo.pop()):
                if name not in found:
                    found.add(name)
                    todo.extend(self.concepts.get(name, {}).get("parents", []))
        self.up[code] = found
        return found

    def carries(self, fact, code, descendants=True):
        if not descendants:
            return any(own in self.same_as(code) for own in fact.get("codes", []))
        return any(code in self.self_and_ancestors(own) for own in fact.get("codes", []))

    def has_an_ancestor(self, fact, code):
        above = self.self_and_ancestors(code) - self.same_as(code)
        return any(own in above for own in fact.get("codes", []))

    def denies(self, fact, code):
        """Return whether an absent fact denies the code: it has the code, one of the same concept, or an ancestor."""
        return any(own in self.self_and_ancestors(code) for own in fact.get("codes", []))

    def exclusive(self, fact, code):
        """Return whether the fact's concept, or one above it, is declared exclusive with the code's concept or one
        above it.
        """
        above = self.self_and_ancestors(code)
        for own in fact.get("codes", []):
            for theirs in self.self_and_ancestors(own):
                for ours in above:
                    if ours in self.concepts.get(theirs, {}).get("exclusive_with", []) or theirs in self.concepts.get(
                        ours, {}
                    ).get("exclusive_with", []):
                        return True
        return False


class Record:
    """A native patient as known on `as_of`."""

    def __init__(self, patient, as_of):
        self.patient, self.as_of, self.all_births, self.all_declared = patient, as_of, None, {}
        self.facts = [
            fact
            for fact in patient.get("facts", [])
            if fact.get("status", "present") != "entered_in_error" and self.first_day(fact) <= as_of
        ]

    def first_day(self, fact):
        text = fact.get("start") or fact.get("date")
        return possible_days(text)[0] if text else BEGINNING

    def dates(self, fact):
        """Return the first and last possible day of a fact (of an exposure: its start); never after `as_of`."""
        text = fact.get("start") or fact.get("date")
        if text:
            first, last = possible_days(text)
        else:
            first, last = BEGINNING, possible_days(fact["end"])[1] if fact.get("end") else self.as_of
        return first, min(last, self.as_of)

    def is_exposure(self, fact):
        return bool(fact.get("start") or fact.get("end")) or (fact.get("kind") == "medication" and not fact.get("date"))

    def last_days(self, fact):
        """Return the first and last day on which a fact may end; an absent fact ends at `as_of`."""
        first, last = self.dates(fact)
        if self.is_exposure(fact):
            if fact.get("end"):
                end_first, end_last = possible_days(fact["end"])
                first, last = max(first, end_first), end_last
            else:
                first, last = (END if fact.get("start") else first), END
            if fact.get("status") == "absent":
                first, last = min(first, self.as_of), min(last, self.as_of)
        return first, last

    def with_status(self, *status, relative=None):
        return [
            fact for fact in self.facts if fact.get("status", "present") in status and fact.get("relative") == relative
        ]

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

    def in_window(self, fact, within, day):
        """Return whether the fact's day, or a day of its exposure, is in the window: YES, MAYBE or NO."""
        limit = min(day, self.as_of)
        first, last = self.dates(fact)
        if within is None:
            return YES if last <= limit else MAYBE if first <= limit else NO

        def reaches(end):
            return end >= day or add(end, within) >= day

        if self.is_exposure(fact):
            end_first, end_last = self.last_days(fact)
            certain, possible = last <= limit and reaches(end_first), first <= limit and reaches(end_last)
        else:
            certain, possible = last <= limit and reaches(first), first <= limit and reaches(min(last, limit))
        return YES if certain else MAYBE if possible else NO

    def begins_in_window(self, fact, within, day):
        """Return the same for the day of the fact only: measurements, answers and counted events."""
        if self.is_exposure(fact):
            fact = {"date": fact.get("start")} if fact.get("start") else {}
        return self.in_window(fact, within, day)

    def ongoing(self, fact, day):
        """Return whether an exposure is ongoing: start <= day and (no end or end >= day)."""
        (first, last), (end_first, end_last), limit = self.dates(fact), self.last_days(fact), min(day, self.as_of)
        if last <= limit and end_first >= day:
            return YES
        return MAYBE if first <= limit and end_last >= day else NO

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
