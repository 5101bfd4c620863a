"""Generate `stable` leaves with courses of a medicine that give them the wanted state, or random ones."""

from datetime import timedelta

from tests.oracle.days import subtract
from tests.oracle.dice import Dice


class Courses(Dice):
    def stable_leaf(self, want):
        codes = self.random.choice([["ATC:H02AB"], ["ATC:H02AB07"], ["ATC:H02AB06", "ATC:H02AB07"]])
        leaf = {"type": "stable", "codes": codes, "for": self.random.choice(["P12W", "P3M", "P30D", "P8W"])}
        if self.chance(0.7):
            leaf["domain"] = "medications"
        if self.chance(0.6):
            leaf["unit"] = "mg/d"
            leaf[self.random.choice(["min", "max", "max"])] = 10
            if self.chance(0.15):
                leaf["min"], leaf["max"] = 8, 12
            if self.chance(0.3):
                leaf["per_kg"] = True
            if self.chance(0.5 if codes == ["ATC:H02AB"] else 0.2):
                leaf["equivalent"] = "prednisone"
        if want == "not_met" and self.chance(0.5):
            if "domain" in leaf:
                self.declare("medications", leaf["for"])
                if self.chance(0.3):
                    code = self.coded(codes[0], 0.9)
                    self.fact("medication", code, start=self.written(self.edge(leaf["for"])))
            else:
                for code in codes:
                    self.fact("medication", code, status="absent", date=self.written(self.edge(leaf["for"])))
            return leaf
        if want == "none":
            return leaf
        start = (
            self.edge(leaf["for"])
            if self.chance(0.5)
            else subtract(self.as_of, leaf["for"]) - timedelta(days=self.random.randint(0, 300))
        )
        medicine = ["ATC:H02AB04", "ATC:H02AB06", "ATC:H02AB07", "ATC:H02AB09", "ATC:H02AB13", "ATC:H02AB18"]
        code = self.random.choice(medicine) if leaf.get("equivalent") else self.coded(codes[0], 0.5)
        dose = self.dose(leaf, want)
        self.course(leaf, code, start, dose)
        if self.chance(0.4):  # the previous course, which may touch or overlap this one
            before = start - timedelta(days=self.random.choice([-5, 0, 1, 1, 2, 20, 100]))
            earlier = before - timedelta(days=self.random.choice([10, 60, 200]))
            self.fact(
                "medication",
                code,
                start=earlier.isoformat(),
                end=before.isoformat(),
                dose=dose if self.chance(0.7) else self.dose(leaf, want),
            )
        if self.chance(0.15):  # renewed early: both lines run for some days
            today = self.as_of + timedelta(days=self.random.choice([-1, 0, 0, 1, 30]))
            begun = self.as_of - timedelta(days=self.random.choice([0, 0, 1, 20]))
            self.fact(
                "medication", code, start=(begun - timedelta(days=100)).isoformat(), end=today.isoformat(), dose=dose
            )
            self.fact("medication", code, start=begun.isoformat(), dose=dose)
        for _ in range(self.random.choice([0, 0, 0, 1, 2])):  # further lines at the same time
            other = self.random.choice(medicine) if self.chance(0.5) else code
            line = start if self.chance(0.5) else start - timedelta(days=self.random.choice([1, 30, 200]))
            self.course(leaf, other, line, self.dose(leaf, want))
        return leaf

    def course(self, leaf, code, start, dose):
        end = None
        if self.chance(0.3):
            end = self.random.choice(
                [self.as_of - timedelta(days=1), self.as_of, self.as_of + timedelta(days=60), self.edge(leaf["for"])]
            )
            end = None if end < start else end
        status = self.random.choice([None] * 14 + ["unconfirmed", "ordered"])
        if self.chance(0.08):  # a prescription of one date
            self.fact("medication", code, status=status, date=self.written(start), dose=dose)
            return
        self.fact("medication", code, status=status, start=self.written(start), end=end and end.isoformat(), dose=dose)

    def dose(self, leaf, want):
        if self.chance(0.1):
            return None
        good = self.random.choice([5, 8, 10]) if want == "met" else self.random.choice([4, 5, 9, 10, 11])
        dose = {"value": good, "unit": "mg/d" if self.chance(0.93) else "mL/d"}
        if leaf.get("per_kg") and self.chance(0.9):
            dose["per_kg"] = True
        return dose
