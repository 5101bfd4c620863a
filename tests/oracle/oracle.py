"""A slow second implementation: raw JSON documents and patients, one day after the other, straight from
docs/eligibility.md.

A case is one document and one patient on one `as_of`. Nothing is indexed and no intervals are merged: every answer
about a span comes from evaluating each of its days.
"""

from datetime import timedelta

from tests.oracle.days import ONE_DAY, add, day_of, parts, possible_days, subtract
from tests.oracle.events import count, stable
from tests.oracle.evidence import full_days, of_expression
from tests.oracle.leaves import age, has, sex, variant
from tests.oracle.measurements import measured
from tests.oracle.record import Record, Terminology

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
FLIP = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}
RANK = ("compatible", "possible", "not_yet", "not_now", "excluded")

LEAVES = {
    "age": age,
    "sex": sex,
    "has": has,
    "variant": variant,
    "value": measured,
    "titre": measured,
    "ordinal": measured,
    "human": measured,
    "count": count,
    "stable": stable,
}


class Case:
    def __init__(self, document, patient, terminology, as_of=None, dosing_date=None, scales=None):
        self.document, self.patient = document, patient
        self.as_of = as_of or day_of(patient["as_of"])
        self.record = Record(patient, self.as_of)
        self.terminology = terminology if isinstance(terminology, Terminology) else Terminology(terminology)
        self.dosing_date = dosing_date
        self.lead_time = document.get("lead_time") or "P0D"
        self.scales = scales or {}
        self.memory = {}
        self.last = add(self.as_of, "P20Y")

    def once(self, key, make):
        """Return ``make()``, computed once: for values that do not change from day to day."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def leaf(self, leaf, day):
        return self.once((id(leaf), day), lambda: LEAVES[leaf["type"]](leaf, self, day))


def leaf_state(leaf, patient, terminology, day, as_of, **case):
    """Return (now, last_known, best_case, reason of an unknown now) of one leaf on one day."""
    return LEAVES[leaf["type"]](leaf, Case({}, patient, terminology, as_of, **case), day)


# --- expressions ------------------------------------------------------------------------------------------------------


def kleene_all(states):
    return NOT_MET if NOT_MET in states else UNKNOWN if UNKNOWN in states else MET


def kleene_any(states):
    return MET if MET in states else UNKNOWN if UNKNOWN in states else NOT_MET


def kleene_at_least(number, states):
    if states.count(MET) >= number:
        return MET
    return NOT_MET if states.count(MET) + states.count(UNKNOWN) < number else UNKNOWN


def kleene_if(condition, then, otherwise):
    if condition == MET:
        return then
    if condition == NOT_MET:
        return otherwise
    return then if then == otherwise else UNKNOWN


def expression(expr, case, day):
    """Return (now, last_known, best_case, set of the reasons of what is unknown now)."""
    if "all" in expr or "any" in expr or "of" in expr:
        inner = [expression(one, case, day) for one in expr.get("all") or expr.get("any") or expr.get("of")]

        def combine(states):
            if "all" in expr:
                return kleene_all(states)
            return kleene_any(states) if "any" in expr else kleene_at_least(expr["at_least"], states)

        three = [combine([one[reading] for one in inner]) for reading in range(3)]
        reasons = set().union(*(one[3] for one in inner))
    elif "not" in expr:
        now, last_known, best_case, reasons = expression(expr["not"], case, day)
        three = [FLIP[now], FLIP[last_known], FLIP[best_case]]
    elif "if" in expr:
        condition, then = expression(expr["if"], case, day), expression(expr["then"], case, day)
        otherwise = expression(expr["else"], case, day) if expr.get("else") else (MET, MET, MET, set())
        three = [kleene_if(condition[reading], then[reading], otherwise[reading]) for reading in range(3)]
        reasons = (
            then[3]
            if condition[0] == MET
            else otherwise[3]
            if condition[0] == NOT_MET
            else condition[3] | then[3] | otherwise[3]
        )
    else:
        now, last_known, best_case, reason = case.leaf(expr, day)
        three, reasons = [now, last_known, best_case], {reason}
    return (*three, reasons if three[0] == UNKNOWN else set())


# --- criteria and cohorts ---------------------------------------------------------------------------------------------


def applicable(document):
    return [
        criterion
        for criterion in document["criteria"]
        if not criterion.get("countries") or "FR" in criterion["countries"]
    ]


def criterion_state(criterion, case, day):
    """Return (now, last_known, best_case, reasons) of one criterion on one day."""
    return case.once((id(criterion), day), lambda: evaluate_criterion(criterion, case, day))


def evaluate_criterion(criterion, case, day):
    now, last_known, best_case, reasons = expression(criterion["expr"], case, day)
    if criterion["kind"] == "unclear":
        return UNKNOWN, UNKNOWN, UNKNOWN, {"needs_human"}
    if criterion["kind"] == "exclude":
        now, last_known, best_case = FLIP[now], FLIP[last_known], FLIP[best_case]
    if criterion.get("discretion"):
        if now == NOT_MET:
            now, reasons = UNKNOWN, {"needs_human"}
        last_known = UNKNOWN if last_known == NOT_MET else last_known
        best_case = UNKNOWN if best_case == NOT_MET else best_case
    return now, last_known, best_case, reasons


def criterion_states(case, day):
    """Return {criterion id: (now, last_known, best_case, reasons)} of the criteria that count in France."""
    return {criterion["id"]: criterion_state(criterion, case, day) for criterion in applicable(case.document)}


def left_to_the_investigator(criterion):
    expr = criterion["expr"]
    return criterion.get("stage") == "consent" or (expr.get("type") == "human" and expr.get("role") == "investigator")


def cohorts(document):
    return [cohort["id"] for cohort in document.get("cohorts") or []] or ["all"]


def criteria_of(document, cohort):
    return [
        criterion
        for criterion in applicable(document)
        if not criterion.get("cohorts") or cohort in criterion["cohorts"]
    ]


def cohort_open(case, cohort, day):
    return all(criterion_state(criterion, case, day)[1] != NOT_MET for criterion in criteria_of(case.document, cohort))


def cohort_open_in_best_case(case, cohort, day):
    return all(criterion_state(criterion, case, day)[2] != NOT_MET for criterion in criteria_of(case.document, cohort))


def cohort_compatible(case, cohort, day):
    if case.document.get("grade") == "registry" or not criteria_of(case.document, cohort):
        return False
    counted_ones = [
        criterion for criterion in criteria_of(case.document, cohort) if not left_to_the_investigator(criterion)
    ]
    return all(criterion_state(criterion, case, day)[0] == MET for criterion in counted_ones)


def verdict_on(case, cohort, day, look_ahead=None):
    """Return the cohort's verdict on the day, from all days up to `look_ahead` (default: 20 years from `as_of`)."""
    if cohort_open(case, cohort, day):
        return "compatible" if cohort_compatible(case, cohort, day) else "possible"
    last = look_ahead or case.last
    later = [day + timedelta(days=number) for number in range((last - day).days + 1)]
    if any(cohort_open(case, cohort, one) for one in later):
        return "not_yet"
    return "not_now" if any(cohort_open_in_best_case(case, cohort, one) for one in later) else "excluded"


# --- the whole span, one day after the other --------------------------------------------------------------------------


def durations_in(thing):
    if isinstance(thing, dict):
        for name, inner in thing.items():
            if isinstance(inner, str) and inner.startswith("P") and name in DURATION_KEYS:
                yield inner
            else:
                yield from durations_in(inner)
    elif isinstance(thing, list):
        for inner in thing:
            yield from durations_in(inner)


DURATION_KEYS = ("min", "max", "max_unclear_until", "within", "for", "duration", "each", "lead_time")


def settled(case):
    """Return a day after which nothing can change: after every date of the patient plus every duration of the document
    and tail.
    """
    dates = [case.as_of, *case.record.births()[-1:]]
    for fact in case.record.facts:
        dates += [possible_days(fact[name])[1] for name in ("date", "start", "end") if fact.get(name)]
    dates += [day_of(declared["to"]) for declared in case.patient.get("domains_complete", [])]
    durations = ["P0D", *durations_in(case.document)]
    return min(case.last, max(add(day, duration) for day in dates for duration in durations) + timedelta(days=40))


class Span:
    """One cohort on every day from `as_of` on. The last day stands for all later ones."""

    def __init__(self, case, cohort, last=None):
        self.case, self.cohort = case, cohort
        last = last or settled(case)
        self.days = [case.as_of + timedelta(days=number) for number in range((last - case.as_of).days + 1)]
        self.open = [cohort_open(case, cohort, day) for day in self.days]
        self.open_in_best_case = (
            None if all(self.open) else [cohort_open_in_best_case(case, cohort, day) for day in self.days]
        )

    def verdicts(self, number):
        """Return the verdict of each of the first `number` days."""
        answers = []
        for index in range(number):
            place = min(index, len(self.days) - 1)
            if self.open[place]:
                answers.append(
                    "compatible" if cohort_compatible(self.case, self.cohort, self.days[place]) else "possible"
                )
            elif any(self.open[place:]):
                answers.append("not_yet")
            else:
                answers.append("not_now" if any(self.open_in_best_case[place:]) else "excluded")
        return answers

    def opening(self):
        """Return `from`, `until` and `refer_before` of the first open interval."""
        if not any(self.open):
            return None, None, None
        first = self.open.index(True)
        if all(self.open[first:]):
            return self.days[first], None, None
        until = self.days[self.open.index(False, first)]
        return self.days[first], until, max(self.case.as_of, subtract(until, self.case.lead_time))

    def retest(self):
        """Return the first day open in the best case, not before any failing measurement plus its `retest`."""
        if any(self.open) or not any(self.open_in_best_case):
            return None
        earliest = max([self.case.as_of, *failing_days_and_retest(self.case, self.cohort)])
        for day, open_in_best_case in zip(self.days, self.open_in_best_case, strict=True):
            if open_in_best_case and day >= earliest:
                return day
        return earliest if self.open_in_best_case[-1] and earliest > self.days[-1] else None


def failing_days_and_retest(case, cohort):
    """Return, for each failing criterion with a `retest`, every full-dated fact of its evidence plus that duration."""
    for criterion in criteria_of(case.document, cohort):
        if criterion.get("retest") and criterion_state(criterion, case, case.as_of)[1] == NOT_MET:
            yield from (add(day, criterion["retest"]) for day in full_days(evidence(criterion, case)))


def evidence(criterion, case):
    return of_expression(criterion["expr"], case, case.as_of, lambda expr: expression(expr, case, case.as_of)[0])


def clears_on(criterion, span):
    """Return the first day on which a criterion that is `not_met` on `as_of` no longer is so in `last_known`."""
    if criterion_state(criterion, span.case, span.case.as_of)[0] != NOT_MET:
        return None
    return next((day for day in span.days if criterion_state(criterion, span.case, day)[1] != NOT_MET), None)


# --- the trial --------------------------------------------------------------------------------------------------------


def trial(case, days, recruiting=None, last=None):
    """Return all results of a trial: its cohorts, each day's verdict, the best cohort, the listing."""
    results = []
    order = cohorts(case.document)
    for cohort in order:
        span = Span(case, cohort, last)
        verdicts = span.verdicts(days)
        opens, until, refer_before = span.opening()
        results.append(
            {
                "cohort": cohort,
                "verdicts": verdicts,
                "verdict": verdicts[0],
                "from": opens,
                "until": until,
                "refer_before": refer_before,
            }
        )
        results[-1]["retest"] = span.retest() if verdicts[0] == "not_now" else None
        results[-1].update(listing=cohort_listing(case, cohort), span=span, asked_days=len(span.days))
    closed = {cohort for cohort in order if recruiting is not None and cohort not in recruiting}

    def better(one):
        return (
            one["cohort"] in closed,
            RANK.index(one["verdict"]),
            one["from"] or case.last + ONE_DAY,
            order.index(one["cohort"]),
        )

    listed = [one for one in results if one["listing"] == listing(case)]
    best = min(listed, key=better)
    return {"cohorts": results, "best": best, "verdicts": best["verdicts"], "listing": listing(case)}


def timeline(document, patient, terminology, as_of, days, **case):
    """Return the trial's verdict on each day from `as_of` on."""
    return trial(Case(document, patient, terminology, as_of, **case), days)["verdicts"]


def listing(case):
    """Return `listed`, `undetermined` or `not_indicated`: the best listing of any cohort."""
    answers = [cohort_listing(case, cohort) for cohort in cohorts(case.document)]
    return min(answers, key=("listed", "undetermined", "not_indicated").index)


def cohort_listing(case, cohort):
    asked = [
        (one, criterion_state(one, case, case.as_of))
        for one in criteria_of(case.document, cohort)
        if one.get("role") == "indication"
    ]
    if any(now == NOT_MET for _one, (now, *_rest) in asked):
        return "not_indicated"
    for one, (now, _last_known, _best_case, reasons) in asked:
        unsaid = {"missing"} if one.get("discretion") else {"missing", "needs_human"}
        if now == UNKNOWN and reasons <= unsaid:
            return "undetermined"
    return "listed"


__all__ = [
    "Case",
    "Span",
    "cohort_compatible",
    "cohort_open",
    "criterion_states",
    "leaf_state",
    "listing",
    "parts",
    "timeline",
    "trial",
    "verdict_on",
]
