"""Generate `washout`, `since`, `delta`, `ratio`, `computed` and `score` leaves with facts on their boundaries."""

from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from tests.oracle.computed import FORMULAS as OF_THE_ORACLE
from tests.oracle.days import add, subtract
from tests.oracle.generated_measurements import Measurements
from tests.oracle.vocabulary import (
    CHANGES,
    EVENTS,
    FORMULAS,
    HALF_LIVES,
    INPUTS,
    MEDICINES,
    NOT_UNDERSTOOD,
    RATIOS,
    SCORES,
    WINDOWS,
)

NEAR = (-1, 0, 0, 1)
MG_PER_DL_OF_CREATININE = Fraction("113.12") / 10**4  # of one umol/L


class Derived(Measurements):
    def near(self, day):
        """Return the day, the day before or after; not after `as_of`."""
        return min(self.as_of, day + timedelta(days=self.random.choice(NEAR)))

    def soon(self):
        return self.as_of + timedelta(days=self.random.choice([-1, 0, 0, 1, 2, 10, 40, 90]))

    def status_of(self, *, present=0.8):
        return None if self.chance(present) else self.random.choice(["unconfirmed", "ordered", "ordered"])

    # --- washout, since -----------------------------------------------------------------------------------------------

    def washout_leaf(self, want):
        codes, kind, domain = self.random.choice(MEDICINES)
        leaf = {"type": "washout", "codes": codes}
        shape = self.random.choice(["for", "half_lives", "both", "both"])
        if shape != "half_lives":
            leaf["for"] = self.random.choice(["P7D", "P30D", "P1M", "P3M", "P12W", "P6M"])
        if shape != "for":
            leaf["half_lives"] = self.random.choice([1, 2.5, 4.5, 5, 5])
        if self.chance(0.7):
            leaf["domain"] = domain
        if want in ("any", "not_met") or self.chance(0.6):
            for _ in range(self.random.choice([1, 1, 2])):
                self.dose_given(leaf, kind, self.coded(self.random.choice(codes), 0.5), want)
        if want in ("met", "any") and self.chance(0.8):
            self.say_nothing_else(leaf, kind, self.longest_of(leaf))
        if self.chance(0.15):  # a denial on the last day of an exposure, the day before or after
            last = (self.facts[-1] if self.facts else {}).get("end") or self.as_of.isoformat()
            if len(last) == 10:
                day = self.near(date.fromisoformat(last))
                self.fact(kind, self.coded(codes[0], 0.2), status="absent", date=self.written(day, 0.9))
        return leaf

    def longest_of(self, leaf):
        """Return a washout of the leaf as a duration: `for`, or half-lives of one of the medicines."""
        days = self.random.choice([22, 26, Fraction("0.6"), 5, max(HALF_LIVES.values())])
        by_half_lives = f"P{ceil(Fraction(str(leaf.get('half_lives', 0))) * days)}D"
        return self.random.choice([one for one in (leaf.get("for"), by_half_lives) if one and one != "P0D"])

    def dose_given(self, leaf, kind, codes, want):
        """Add a dose or a course that ends as its washout begins, just before or after, or is not over."""
        known = [HALF_LIVES[code] for code in codes if code in HALF_LIVES]
        window = self.longest_of(leaf)
        if known and leaf.get("half_lives") and self.chance(0.6):
            window = f"P{ceil(Fraction(str(leaf['half_lives'])) * known[0])}D"
        last = self.near(subtract(self.soon(), window))
        if want == "met" and self.chance(0.5):
            last -= timedelta(days=self.random.randint(0, 900))
        dated = {"date": self.written(last, 0.9)}
        if kind == "medication" and self.chance(0.8):
            start = last - timedelta(days=self.random.choice([0, 1, 30, 300]))
            dated = {"start": self.written(start, 0.92), "end": self.written(last, 0.92)}
            if self.chance(0.12):
                dated = {"start": dated["start"]}
            elif self.chance(0.05):
                dated["end"] = (self.as_of + timedelta(days=self.random.choice([0, 1, 30]))).isoformat()
            elif dated["end"] < dated["start"] or self.chance(0.03):
                del dated["start"]
        if self.chance(0.04):
            dated = {}
        self.fact(kind, codes, status=self.status_of(present=0.87), **dated)

    def say_nothing_else(self, leaf, kind, window):
        """Deny the codes of a leaf, or declare its domain complete, with a code that may be one of them."""
        if leaf.get("domain") and self.chance(0.6):
            self.declare(leaf["domain"], window)
            if self.chance(0.25):
                code = self.random.choice([*NOT_UNDERSTOOD, "ATC:B01", "ICD10:I10", "ORPHA:536"])
                self.fact(kind, code, date=self.written(self.edge(window)))
            return
        for code in leaf["codes"] if self.chance(0.8) else leaf["codes"][:1]:
            day = self.near(subtract(self.soon(), window)) if window and self.chance(0.5) else self.inside(window)
            self.fact(kind, self.coded(code, 0.1), status="absent", date=self.written(day, 0.9))

    def since_leaf(self, want):
        codes, kind, domain = self.random.choice(EVENTS)
        leaf = {"type": "since", "codes": codes, "op": self.random.choice(["<", "<=", "<=", ">", ">="])}
        leaf["value"] = self.random.choice(["P5Y", "P1Y", "P6M", "P2Y", "P30D"])
        if self.chance(0.7):
            leaf["domain"] = domain
        for _ in range(0 if want == "none" or self.chance(0.1) else self.random.choice([1, 1, 2, 3])):
            day = self.near(subtract(self.soon(), leaf["value"])) if self.chance(0.7) else self.inside("P7Y")
            status = self.status_of(present=0.85)
            dated = {"start" if kind == "condition" and self.chance(0.3) else "date": self.written(day, 0.85)}
            if self.chance(0.04):
                dated = {}
            self.fact(kind, self.coded(self.random.choice(codes), 0.3), status=status, **dated)
        if self.chance(0.6):
            self.say_nothing_else(leaf, kind, None)
        elif self.chance(0.3) and self.facts:
            day = self.beside(leaf["value"])
            self.fact(kind, self.coded(codes[0], 0.2), status="absent", date=self.written(day, 0.9))
        return leaf

    # --- delta, ratio, computed ---------------------------------------------------------------------------------------

    def result(self, code, day, number, **fields):
        """Add a measurement, sometimes announced, with a comparator, or of a partial date."""
        status = self.status_of(present=0.94)
        if self.chance(0.05):
            fields["comparator"] = self.random.choice(["<", "<=", ">", ">="])
        when = self.written(day, 0.94) if self.chance(0.98) else None
        made = self.fact("observation", self.coded(code, 0.2), status=status, date=when, value=number, **fields)
        if status == "ordered" and self.chance(0.5):
            del made["value"]
            made.pop("comparator", None)

    def delta_leaf(self, want):
        codes, unit, bound, usual, units = self.random.choice(CHANGES)
        leaf = {"type": "delta", "codes": codes, "over": self.random.choice(["P6M", "P30D", "P1Y", "P12W"])}
        leaf["op"] = self.random.choice(["<", "<=", ">", ">=", ">="])
        leaf["value"] = self.random.choice([bound, bound, -bound])
        if self.chance(0.3):
            leaf["basis"], leaf["value"] = "relative", self.random.choice([25, -25, 10])
        elif unit:
            leaf["unit"] = unit
        if self.chance(0.6):
            leaf["within"] = self.random.choice(WINDOWS)
        if want == "none":
            return leaf
        latest = self.inside(leaf.get("within")) if self.chance(0.6) else self.edge(leaf.get("within"))
        asked = Fraction(leaf["value"]) if leaf.get("basis") != "relative" else Fraction(usual * leaf["value"], 100)
        for number in range(self.random.choice([1, 2, 2, 3])):
            change = asked * self.random.choice([1, 1, Fraction(3, 2), Fraction(1, 2), 0, -1]) if number else asked
            self.measured_in(codes[0], latest, usual + change, units)
            if self.chance(0.07):
                continue  # several on the latest day
            first = subtract(latest, leaf["over"])
            before = self.random.choice([first, first - timedelta(days=1), first + timedelta(days=1), latest])
            if self.chance(0.5):
                before = first + timedelta(days=self.random.randint(0, max(0, (latest - first).days - 1)))
            self.measured_in(codes[0], before, usual if self.chance(0.93) else 0, units)
            if self.chance(0.7):
                break
        if codes == ["LOINC:4625-0"] and self.chance(0.3):
            self.spoil("procedure", "CLEIO:blood-transfusion", "P120D")
        return leaf

    def measured_in(self, code, day, number, units):
        unit, factor = units[0] if self.chance(0.75) else self.random.choice(units)
        number = Fraction(number) * (Fraction(str(factor)) if factor else MG_PER_DL_OF_CREATININE)
        self.result(code, day, round(float(number), 7), unit=unit)

    def ratio_leaf(self, want):
        numerator, denominator, bound, usual, units = self.random.choice(RATIOS)
        leaf = {"type": "ratio", "numerator": numerator, "denominator": denominator, "value": bound}
        leaf["op"] = self.random.choice(["<", "<=", ">", ">=", ">=", "="])
        if self.chance(0.7):
            leaf["within"] = self.random.choice(WINDOWS)
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 2])):
            day = self.inside(leaf.get("within")) if self.chance(0.6) else self.edge(leaf.get("within"))
            share = Fraction(str(bound)) * self.random.choice([1, 1, Fraction(5, 4), Fraction(3, 4)])
            unit = units[0] if self.chance(0.6) else self.random.choice(units)
            same = [unit] if self.chance(0.7) else units
            self.measured_in(numerator[0], day, usual * share, [unit])
            if self.chance(0.9):
                other = day if self.chance(0.88) else self.near(day)
                self.measured_in(denominator[0], other, usual if self.chance(0.93) else 0, same)
            if self.chance(0.1):
                again = usual * Fraction(str(bound)) * self.random.choice([1, 2])
                self.measured_in(numerator[0], day, again, [unit])
        if self.chance(0.08):
            self.result(self.random.choice([numerator[0], denominator[0]]), self.inside(leaf.get("within")), usual)
        return leaf

    def computed_leaf(self, want):
        formula = self.random.choice(list(FORMULAS))
        leaf = {"type": "computed", "formula": formula, "op": self.random.choice(["<", "<=", ">", ">=", "="])}
        leaf["value"] = self.random.choice(FORMULAS[formula])
        if self.chance(0.7):
            leaf["within"] = self.random.choice(WINDOWS)
        if not self.births and self.chance(0.8):
            self.births.append(self.birth_for(formula))
        day = self.inside(leaf.get("within")) if self.chance(0.6) else self.edge(leaf.get("within"))
        if self.births and self.chance(0.4):  # around a birthday at which the formula begins or ends to hold
            birthday = add(self.births[0], self.random.choice(["P1Y", "P18Y", "P19Y"]))
            day = self.near(birthday) if birthday <= self.as_of else day
        asked = OF_THE_ORACLE[formula]
        for codes, _unit in () if want == "none" else asked.inputs.values():
            for _ in range(self.random.choice([1] * 8 + [2, 2, 0])):
                self.input_measured(codes[0], day)
        if asked.recorded and self.chance(0.25):
            number = leaf["value"] + self.random.choice([0, 1, -1])
            unit = asked.unit if self.chance(0.85) else self.random.choice(["mL/min", None])
            self.result(asked.recorded[0], self.near(day), number, unit=unit)
        return leaf

    def birth_for(self, formula):
        years = {"egfr_schwartz_2009": [2, 10, 17, 18, 1], "egfr_ckd_epi_2021": [18, 19, 25, 40]}.get(formula, [10, 30])
        return self.near(subtract(self.as_of, f"P{self.random.choice(years)}Y")) - timedelta(
            days=self.random.choice([0, 0, 20, 200])
        )

    def input_measured(self, code, day):
        numbers, units = INPUTS[code]
        number, (unit, factor) = (
            self.random.choice(numbers),
            units[0] if self.chance(0.85) else self.random.choice(units),
        )
        if self.chance(0.02):
            number = self.random.choice([0, -1])
        number = Fraction(str(number)) * (Fraction(str(factor)) if factor else 1 / MG_PER_DL_OF_CREATININE)
        if self.chance(0.25):  # another day: up to a month apart, or just more
            day = self.near(self.random.choice([add(day, "P1M"), subtract(day, "P1M"), subtract(day, "P1Y"), day]))
        self.result(code, min(day, self.as_of), round(float(number), 7), unit=unit)

    # --- score --------------------------------------------------------------------------------------------------------

    def score_leaf(self, want):
        name, groups = self.random.choice(list(SCORES.items()))
        leaf = {"type": "score", "set": name, "op": self.random.choice([">=", ">=", ">", "<", "<=", "="])}
        leaf["value"] = self.random.choice([9, 9, 8, 10, 7])
        if self.chance(0.7):
            leaf["domain"] = "conditions"
            if self.chance(0.6):
                self.declare("conditions", None)
        for group in groups:
            for codes, _points in group:
                if self.chance({"met": 0.5, "none": 0}.get(want, 0.3)):
                    status = self.random.choice(["present", "present", "present", "absent", "absent", "unconfirmed"])
                    kind = self.random.choice(["condition", "observation"])
                    day = self.written(self.inside("P3Y"), 0.9)
                    self.fact(kind, self.coded(codes[0], 0.3), status=status, date=day)
        if self.chance(0.2):
            total = leaf["value"] + self.random.choice([-1, 0, 0, 1])
            self.result(name, self.inside("P3Y"), total, unit=self.random.choice([None, None, "1", "g/L"]))
        return leaf
