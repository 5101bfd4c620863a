"""Evaluate `computed` and `score` on one day: the value of a formula, and the points of classification criteria."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from tests.oracle.changes import agreed, measurements_of
from tests.oracle.days import add
from tests.oracle.leaves import MET, NOT_MET, UNKNOWN, has, within_bounds
from tests.oracle.measured import Measured, candidates, last_day
from tests.oracle.measurements import against, clean, converted, exact
from tests.oracle.record import MAYBE, NO, YES

EIGHT_DIGITS = Context(prec=8, rounding=ROUND_HALF_EVEN)


# --- formulas ---------------------------------------------------------------------------------------------------------


def decimal(number):
    return Decimal(number.numerator) / Decimal(number.denominator)


def bmi(numbers, _age, _sex):
    return decimal(numbers["weight"] / numbers["height"] ** 2)


def mosteller(numbers, _age, _sex):
    return decimal(numbers["height"] * numbers["weight"] / 3600).sqrt()


def ckd_epi(numbers, age, sex):
    kappa, alpha = (Fraction("0.7"), "-0.241") if sex == "female" else (Fraction("0.9"), "-0.302")
    ratio = numbers["creatinine"] / kappa
    value = 142 * decimal(min(ratio, Fraction(1))) ** Decimal(alpha)
    value *= decimal(max(ratio, Fraction(1))) ** Decimal("-1.200") * Decimal("0.9938") ** age
    return value * Decimal("1.012") if sex == "female" else value


def schwartz(numbers, _age, _sex):
    return decimal(Fraction("0.413") * numbers["height"] / numbers["creatinine"])


class Formula(NamedTuple):
    value: object
    inputs: dict
    unit: str
    recorded: list
    ages: tuple = ()
    needs_sex: bool = False


WEIGHT, HEIGHT, CREATININE = ["CLEIO:body-weight"], ["CLEIO:body-height"], ["CLEIO:creatinine"]
FORMULAS = {
    "bmi": Formula(bmi, {"weight": (WEIGHT, "kg"), "height": (HEIGHT, "m")}, "kg/m2", ["CLEIO:body-mass-index"]),
    "bsa_mosteller": Formula(mosteller, {"weight": (WEIGHT, "kg"), "height": (HEIGHT, "cm")}, "m2", []),
    "egfr_ckd_epi_2021": Formula(
        ckd_epi,
        {"creatinine": (CREATININE, "mg/dL")},
        "mL/min/{1.73_m2}",
        ["LOINC:98979-8"],
        (18, None),
        needs_sex=True,
    ),
    "egfr_schwartz_2009": Formula(
        schwartz,
        {"height": (HEIGHT, "cm"), "creatinine": (CREATININE, "mg/dL")},
        "mL/min/{1.73_m2}",
        ["LOINC:50384-7"],
        (1, 18),
    ),
}


def years_on(birth, day):
    """Return the age in whole years; below zero before the birth."""
    years = day.year - birth.year
    return years if add(birth, f"P{max(years, 0)}Y") <= day else years - 1


# --- one input --------------------------------------------------------------------------------------------------------


class Input:
    """The latest measurements of one input: (number or None, reasons why it is not known) each, and their days.

    `overtaken`: whether an unconfirmed one may be of their day or later.
    """

    def __init__(self, codes, unit, case, day, within):
        self.codes, self.unit, self.case = codes, unit, case
        found = measurements_of(codes, within, case, day)
        self.in_window = bool(found.sure or found.unsure)
        self.first = self.last = None
        self.overtaken = False
        if self.in_window:
            latest = candidates(found.sure, found.unsure) if found.sure else found.unsure
            self.first = last_day(found.sure or found.unsure)
            self.last = max(last for _first, last, *_rest in latest)
            self.overtaken = bool(found.sure) and found.is_overtaken(found.sure)
            unclear = not found.sure or any(one[0] != one[1] for one in latest)
            self.numbers = [self.read(one[-1], ["partial_detail"] if unclear else []) for one in latest]
        else:
            latest = candidates(found.older, []) if found.older else []
            reason = "stale" if found.older else "partial_detail" if found.awaited else "missing"
            self.numbers = [(None, [reason])]
        self.facts = [one[-1] for one in latest]

    def read(self, fact, reasons):
        number = converted(exact(fact["value"]), fact["unit"], self.unit, self.codes) if fact.get("unit") else None
        reasons = [*reasons, *(["unit"] if number is None else [])]
        if fact.get("comparator") or clean({"type": "value"}, self.case, fact) != YES or exact(fact["value"]) <= 0:
            reasons.append("partial_detail")
        return number, reasons


# --- computed ---------------------------------------------------------------------------------------------------------


class Computed:
    """A `computed` leaf on one day, with measurements of a window."""

    def __init__(self, leaf, case, day, within):
        self.leaf, self.case, self.formula = leaf, case, FORMULAS[leaf["formula"]]
        inputs = {name: Input(*asked, case, day, within) for name, asked in self.formula.inputs.items()}
        self.inputs, self.all_in_window = inputs, all(one.in_window for one in inputs.values())
        self.first = max((one.first for one in inputs.values() if one.in_window), default=None)
        self.last = max((one.last for one in inputs.values() if one.in_window), default=None)

    def unknown_patient(self):
        """Return why the formula cannot be used for want of something about the patient."""
        sex, found = self.case.patient.get("sex"), set()
        if self.formula.ages and not self.case.record.births():
            found.add("missing")
        if self.formula.needs_sex and sex not in ("male", "female"):
            found.add("needs_human" if sex else "missing")
        return found

    def ages(self):
        return {years_on(birth, self.last) for birth in self.case.record.births()}

    def is_outside(self, age):
        """Return whether the formula does not hold at the age."""
        low, high = self.formula.ages or (0, None)
        return self.formula.ages and (age < low or (high is not None and age >= high))

    def unfit_days(self):
        """Return why the days of the inputs do not fit: an age outside the formula, a growing child."""
        if not self.all_in_window:
            return set()
        ages = self.ages()
        found = {"partial_detail"} if any(self.is_outside(age) for age in ages) else set()
        first = min(one.first for one in self.inputs.values())
        if min(ages, default=0) < 18 and add(first, "P1M") < self.last:
            found.add("stale")
        return found

    def compared(self, numbers, age):
        """Return (state, reason) of the result of the numbers at one age."""
        with localcontext() as context:
            context.prec = 60
            value = self.formula.value(numbers, age, self.case.patient.get("sex"))
        return against(exact(EIGHT_DIGITS.plus(value)), None, self.leaf["op"], exact(self.leaf["value"])), None

    def of_numbers(self, values):
        """Return (state, reason) for one value of each input: (number, reasons)."""
        reasons = self.unknown_patient().union(*(reasons for _number, reasons in values))
        if reasons:
            return UNKNOWN, min(reasons)
        numbers = dict(zip(self.inputs, (number for number, _reasons in values), strict=True))
        ages = {age for age in self.ages() if not self.is_outside(age)} if self.formula.ages else {None}
        answers = {self.compared(numbers, age) for age in ages}
        return answers.pop() if len(answers) == 1 else (UNKNOWN, "partial_detail")

    def of_inputs(self):
        """Return (state, reason, facts) of the computed result."""
        facts = [fact for one in self.inputs.values() for fact in one.facts]
        combinations = product(*(one.numbers for one in self.inputs.values()))
        state, reason = agreed([self.of_numbers(values) for values in combinations])
        reasons = self.unfit_days() | ({reason} if state == UNKNOWN else set())
        if any(one.overtaken for one in self.inputs.values()):
            reasons.add("partial_detail")
        return (UNKNOWN, min(reasons), facts) if reasons else (state, None, facts)


def recorded_results(leaf, case, day, within):
    formula = FORMULAS[leaf["formula"]]
    value = {"type": "value", "codes": formula.recorded, "unit": formula.unit, "within": within}
    key = ("recorded", id(leaf), within)
    return Measured(case.once(key, lambda: {**value, "op": leaf["op"], "value": leaf["value"]}), case, day)


def decided_by_a_record(leaf, case, day):
    """Return whether the recorded result decides: YES, NO, or MAYBE where partial dates leave it open."""
    recorded, inputs = recorded_results(leaf, case, day, None), Computed(leaf, case, day, None)
    if not recorded.sure:
        return NO
    if not inputs.all_in_window or last_day(recorded.sure) >= inputs.last:
        return YES
    return NO if max(last for _first, last, *_rest in recorded.sure) < inputs.first else MAYBE


def computed_in(leaf, case, day, within):
    """Return (state, reason, facts) of the recorded or of the computed result."""
    decided = case.once(("decided", id(leaf)), lambda: decided_by_a_record(leaf, case, day))
    of_inputs = Computed(leaf, case, day, within).of_inputs()
    if decided == NO:
        return of_inputs
    of_record = recorded_results(leaf, case, day, within).now()
    if decided == YES:
        return of_record
    facts = of_inputs[2] + of_record[2]
    return (*of_inputs[:2], facts) if of_inputs[:2] == of_record[:2] else (UNKNOWN, "partial_detail", facts)


def computed(leaf, case, day):
    now, reason, facts = computed_in(leaf, case, day, leaf.get("within"))
    last_known, *_rest = case.once(("any age", id(leaf)), lambda: computed_in(leaf, case, day, None))
    return now, last_known, UNKNOWN, reason, facts


# --- score ------------------------------------------------------------------------------------------------------------


def item(codes, leaf, case, day):
    """Return what `has` answers for one item of a set: (now, last_known, best_case, reason, facts)."""
    key = ("item", codes[0], leaf.get("domain"))
    return has(case.once(key, lambda: {"type": "has", "codes": codes, "domain": leaf.get("domain")}), case, day)


def of_points(leaf, groups):
    """Return the state of the sum, for groups of (points, state) of which the item with the most points counts."""
    low = sum(max((points for points, state in group if state == MET), default=0) for group in groups)
    high = sum(max((points for points, state in group if state != NOT_MET), default=0) for group in groups)
    answers = {within_bounds(total, leaf["op"], leaf["value"]) for total in range(low, high + 1)}
    return UNKNOWN if len(answers) > 1 else MET if True in answers else NOT_MET


def of_items(leaf, case, day):
    """Return (now, last_known, reason, facts) of the sum of the points of the items."""
    groups = [[(points, item(codes, leaf, case, day)) for codes, points in group] for group in case.scores[leaf["set"]]]
    now, last_known = (
        of_points(leaf, [[(points, answer[reading]) for points, answer in group] for group in groups])
        for reading in range(2)
    )
    answers = [answer for group in groups for _points, answer in group]
    facts = [fact for answer in answers if answer[0] != UNKNOWN or now == UNKNOWN for fact in answer[-1]]
    reasons = {reason for state, *_rest, reason, _facts in answers if state == UNKNOWN} - {"missing", "stale"}
    if any(state == MET for state, *_rest in answers) or reasons - {"could_be"}:
        return now, last_known, "partial_detail", facts
    return now, last_known, "could_be" if reasons else "missing", facts


def score(leaf, case, day):
    key, total = ("total", id(leaf)), {"type": "value", "codes": [leaf["set"]], "op": leaf["op"]}
    recorded = Measured(case.once(key, lambda: {**total, "value": leaf["value"]}), case, day)
    if recorded.sure:
        state, reason, facts = recorded.now()
        return state, state, UNKNOWN, reason, facts
    now, last_known, reason, facts = of_items(leaf, case, day)
    return now, last_known, UNKNOWN, reason, facts
