"""Evaluate leaves that use one of several measurements or answers: value, titre, ordinal and human."""

from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, stays_complete
from tests.oracle.measurements import clean, compare_ordinal, compare_titre, compare_value, readable
from tests.oracle.record import MAYBE, NO, YES


def comparison(leaf, case, fact):
    """Return (state, reason) of one measurement; the state is None where it is spoilt."""
    if leaf["type"] == "human":
        return (MET if fact["answer"] == "yes" else NOT_MET), None
    answer = clean(leaf, case, fact)
    if answer != YES and only_raised(leaf, case, fact):
        return MET, None
    if answer != YES:
        return (None, None) if answer == NO else (UNKNOWN, "partial_detail")
    if leaf["type"] == "ordinal":
        return compare_ordinal(leaf, fact, case.scales)
    return compare_titre(leaf, fact) if leaf["type"] == "titre" else compare_value(leaf, fact)


def only_raised(leaf, case, fact):
    """Return whether nothing but the mother's antibodies may have spoilt a number that is low enough all the same."""
    otherwise = {**fact, "spoilt": fact["spoilt_otherwise"]}
    if leaf.get("op") not in ("<", "<=") or clean(leaf, case, otherwise) != YES:
        return False
    compare = compare_titre if leaf["type"] == "titre" else compare_value
    return compare(leaf, fact)[0] == MET


def readings(leaf, case):
    """Return the present measurements as (first possible day, last possible day, state, reason, fact), without spoilt
    ones.
    """
    found = []
    for fact in case.record.measured("present"):
        if readable(leaf, case, fact):
            state, reason = comparison(leaf, case, fact)
            if state is not None:
                found.append((*case.record.dates(fact), state, reason, fact))
    return found


def announced(leaf, case):
    """Return unconfirmed or ordered facts that the leaf would use, or whose result is pending."""

    def read(fact):
        ordered = leaf["type"] in ("value", "titre") and any(
            case.terminology.carries(fact, code) for code in leaf["codes"]
        )
        return ordered or readable(leaf, case, fact)

    awaited = [fact for fact in case.record.measured("unconfirmed", "ordered") if read(fact)]
    return [fact for fact in awaited if fact["spoilt"] != "yes" or not isinstance(fact.get("value"), int | float)]


def common(answers):
    """Return the state on which several (state, reason) agree, else `unknown`."""
    states = {state for state, _reason in answers}
    return states.pop() if len(states) == 1 else UNKNOWN


def last_day(sure):
    """Return the earliest day that the last of the measurements may be of."""
    return max(first for first, *_rest in sure)


def candidates(sure, unsure):
    """Return the measurements that may be of the last day."""
    latest = last_day(sure)
    return [one for one in [*sure, *unsure] if one[1] >= latest]


def latest_of(sure, unsure=()):
    """Return (state, reason, facts) of the latest of the measurements; `unsure` ones may be in the window."""
    found = candidates(sure, unsure)
    facts = [fact for *_rest, fact in found]
    states = {state for _first, _last, state, _reason, _fact in found}
    if len(states) == 1:
        return states.pop(), min((reason for *_rest, reason, _fact in found if reason), default=None), facts
    days = {day for first, last, *_rest in found for day in (first, last)}
    return UNKNOWN, "conflict" if len(days) == 1 else "partial_detail", facts


class Measured:
    """A leaf over measurements on one day: which are in the window, which may be, and which are older."""

    def __init__(self, leaf, case, day):
        self.leaf, self.case, self.record, self.day = leaf, case, case.record, day
        self.how, self.within = leaf.get("pick") or "latest", leaf.get("within")
        self.sure, self.unsure, self.older = [], [], []
        for reading in case.once(("readings", id(leaf)), lambda: readings(leaf, case)):
            place = self.record.begins_in_window(reading[-1], self.within, day)
            if place == YES:
                self.sure.append(reading)
            elif place == MAYBE:
                self.unsure.append(reading)
            elif self.record.begins_in_window(reading[-1], None, day) != NO:
                self.older.append(reading)
        self.awaited = [
            fact
            for fact in case.once(("announced", id(leaf)), lambda: announced(leaf, case))
            if self.record.begins_in_window(fact, self.within, day) != NO
        ]

    def is_overtaken(self, sure):
        """Return whether an unconfirmed result may be of the latest measurement's day or later."""
        return any(
            fact["status"] == "unconfirmed" and self.record.dates(fact)[1] >= last_day(sure) for fact in self.awaited
        )

    def one_of(self, readings_in_window, *, complete):
        """Return (state, reason, facts) of `pick: any`."""
        states = [state for _first, _last, state, *_rest in readings_in_window]
        reasons = [reason for *_rest, state, reason, _fact in readings_in_window if state == UNKNOWN]
        by_state = {one: [r[-1] for r in readings_in_window if r[2] == one] for one in (MET, NOT_MET, UNKNOWN)}
        if MET in states:
            return MET, None, by_state[MET]
        facts = [reading[-1] for reading in readings_in_window]
        if UNKNOWN in states:
            return UNKNOWN, min(reasons), facts
        if self.awaited:
            return UNKNOWN, "partial_detail", facts
        if not complete:
            return UNKNOWN, "missing", facts
        domain, codes = self.leaf.get("domain"), self.leaf["codes"]
        if self.record.could_be_in_window(domain, codes, self.within, self.day):
            return UNKNOWN, "partial_detail", facts
        return NOT_MET, None, facts

    @staticmethod
    def every_one_of(readings_in_window):
        """Return (state, reason, facts) of `pick: all`."""
        failing = [reading[-1] for reading in readings_in_window if reading[2] == NOT_MET]
        if failing:
            return NOT_MET, None, failing
        facts = [reading[-1] for reading in readings_in_window]
        reasons = [reason for *_rest, state, reason, _fact in readings_in_window if state == UNKNOWN]
        return (UNKNOWN, min(reasons), facts) if reasons else (MET, None, facts)

    def picked(self, sure, unsure=(), *, complete=False):
        """Return (state, reason, facts) over measurements in the window, at least one of which is given."""
        if self.how == "latest":
            if not sure:
                return UNKNOWN, "partial_detail", [reading[-1] for reading in unsure]
            state, reason, facts = latest_of(sure, unsure)
            return (UNKNOWN, "partial_detail", facts) if self.is_overtaken(sure) else (state, reason, facts)
        counted = [*sure, *((first, last, UNKNOWN, "partial_detail", fact) for first, last, *_rest, fact in unsure)]
        return self.one_of(counted, complete=complete) if self.how == "any" else self.every_one_of(counted)

    def now(self):
        if self.sure or self.unsure:
            complete = self.record.complete(self.leaf.get("domain"), self.day, self.within)
            return self.picked(self.sure, self.unsure, complete=complete)
        if self.older:
            return UNKNOWN, "stale", latest_of(self.older)[2]
        if self.awaited:
            return UNKNOWN, "partial_detail", self.awaited
        return UNKNOWN, "needs_human" if self.leaf["type"] == "human" else "missing", []

    def last_known(self):
        """Return the state when no measurement grows old: with and without those that may have left the window."""
        complete = stays_complete(self.case, self.leaf.get("domain"), self.day, self.within)
        if self.sure and self.how == "latest":
            return self.picked(self.sure, self.unsure)[0]
        if self.sure:
            in_window = [self.sure, [*self.sure, *self.unsure]]
            return common([self.picked(one, complete=complete)[:2] for one in in_window])
        if not self.older and not self.unsure:
            return UNKNOWN
        answers = [latest_of([*self.older, *self.unsure])[:2]]
        if self.unsure:
            answers.append(self.picked(self.unsure, complete=complete)[:2])
        return common(answers)


def measured(leaf, case, day):
    asked = Measured(leaf, case, day)
    now, reason, facts = asked.now()
    return now, asked.last_known(), UNKNOWN, reason, facts
