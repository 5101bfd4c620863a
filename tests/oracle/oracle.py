"""A slow second implementation: raw JSON documents and patients, one day after the other, straight from
docs/eligibility.md.

A case is one document and one patient on one `as_of`. Nothing is indexed and no intervals are merged: every answer
about a span comes from evaluating each of its days.
"""

from datetime import timedelta

from tests.oracle.changes import delta, ratio
from tests.oracle.codes import Terminology
from tests.oracle.computed import computed, score
from tests.oracle.courses import stable
from tests.oracle.days import add, day_of
from tests.oracle.events import count
from tests.oracle.expressions import FLIP, MET, NOT_MET, UNKNOWN, expression, leaves_of, published
from tests.oracle.leaves import age, has, sex
from tests.oracle.measured import measured
from tests.oracle.record import Record
from tests.oracle.variants import variant
from tests.oracle.washouts import since, washout

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
    "washout": washout,
    "since": since,
    "delta": delta,
    "computed": computed,
    "ratio": ratio,
    "score": score,
}


class Knowledge:
    """What is known besides the record: the terminology and the tables of data, all small and given by the tests.

    `invalidated`: rules {"codes", "causes", "for", "variants", "younger_than"}; `reference_transcripts`: {gene:
    accession}; `equivalents`: {code: prednisone that one unit is worth, or None}; `scales`: levels and groups;
    `half_lives`: {code: days}; `exon_lengths`: {exon of DMD: nucleotides}; `scores`: {set: [[(codes, points)]]}.
    """

    def __init__(self, terminology, invalidated, **tables):
        self.terminology = terminology if isinstance(terminology, Terminology) else Terminology(terminology)
        self.invalidated, self.tables = invalidated, tables


class Case:
    def __init__(self, document, patient, knowledge, as_of=None, dosing_date=None):
        self.document, self.patient = document, patient
        self.as_of = as_of or day_of(patient["as_of"])
        self.terminology = knowledge.terminology
        vars(self).update(knowledge.tables)
        self.record = Record(patient, self.as_of, self.terminology, knowledge.invalidated)
        self.dosing_date = dosing_date
        self.lead_time = document.get("lead_time") or "P0D"
        self.memory = {}
        self.last = add(self.as_of, "P20Y")

    def once(self, key, make):
        """Return ``make()``, computed once: for values that do not change from day to day."""
        if key not in self.memory:
            self.memory[key] = make()
        return self.memory[key]

    def leaf(self, leaf, day):
        return self.once((id(leaf), day), lambda: LEAVES[leaf["type"]](leaf, self, day))

    def deceased(self):
        """Return whether the patient is known to have died by `as_of`."""
        died = self.patient.get("deceased")
        return bool(died) and (died is True or self.record.first_day({"date": died}) <= self.as_of)


def leaf_state(leaf, patient, knowledge, day, as_of, **case):
    """Return (now, last_known, best_case, reason of an unknown now) of one leaf on one day."""
    *states, reason, _facts = LEAVES[leaf["type"]](leaf, Case({}, patient, knowledge, as_of, **case), day)
    return (*states, *published({reason}))


# --- criteria and cohorts ---------------------------------------------------------------------------------------------


def applicable(document):
    return [
        criterion
        for criterion in document["criteria"]
        if not criterion.get("countries") or "FR" in criterion["countries"]
    ]


def criterion_state(criterion, case, day):
    """Return (now, last_known, best_case, reasons, facts) of one criterion on one day."""
    return case.once((id(criterion), day), lambda: evaluate_criterion(criterion, case, day))


def evaluate_criterion(criterion, case, day):
    now, last_known, best_case, reasons, facts = expression(criterion["expr"], case, day)
    if criterion["kind"] == "unclear":
        return UNKNOWN, UNKNOWN, UNKNOWN, {"needs_human"}, facts
    if criterion["kind"] == "exclude":
        now, last_known, best_case = FLIP[now], FLIP[last_known], FLIP[best_case]
    if criterion.get("discretion"):
        if now == NOT_MET:
            now, reasons = UNKNOWN, {"needs_human"}
        last_known = UNKNOWN if last_known == NOT_MET else last_known
        best_case = UNKNOWN if best_case == NOT_MET else best_case
    return now, last_known, best_case, reasons, facts


def criterion_states(case, day):
    """Return {criterion id: (now, last_known, best_case, reasons)} of the criteria that count in France."""
    states = {criterion["id"]: criterion_state(criterion, case, day) for criterion in applicable(case.document)}
    return {name: (*three, published(reasons)) for name, (*three, reasons, _facts) in states.items()}


def refers_to_dosing(criterion):
    return any(leaf.get("at") == "dosing" for leaf in leaves_of(criterion["expr"]))


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
    return not case.deceased() and all(
        criterion_state(criterion, case, day)[1] != NOT_MET for criterion in criteria_of(case.document, cohort)
    )


def cohort_open_in_best_case(case, cohort, day):
    return not case.deceased() and all(
        criterion_state(criterion, case, day)[2] != NOT_MET for criterion in criteria_of(case.document, cohort)
    )


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
    for one, (now, _last_known, _best_case, reasons, _facts) in asked:
        unsaid = {"missing", "could_be"} if one.get("discretion") else {"missing", "could_be", "needs_human"}
        if now == UNKNOWN and reasons <= unsaid:
            return "undetermined"
    return "listed"
