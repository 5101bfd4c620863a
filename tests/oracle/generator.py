"""Generate small documents and patients with facts on the boundaries: `build(seed)`."""

from datetime import date, timedelta

from tests.oracle.days import add, possible_births
from tests.oracle.generated_courses import Courses
from tests.oracle.generated_derived import Derived
from tests.oracle.generated_findings import Findings
from tests.oracle.vocabulary import LABEL, SCALES, TERMINOLOGY

__all__ = ["SCALES", "TERMINOLOGY", "build"]


SHARES = {
    "age": 12,
    "sex": 4,
    "has": 28,
    "variant": 10,
    "titre": 8,
    "value": 18,
    "ordinal": 6,
    "count": 10,
    "stable": 10,
    "human": 6,
    "washout": 14,
    "since": 10,
    "delta": 10,
    "computed": 12,
    "ratio": 8,
    "score": 8,
}


class Maker(Findings, Derived, Courses):
    def leaf(self, want):
        kind = self.random.choices(list(SHARES), list(SHARES.values()))[0]
        if self.chance(0.2):
            want = self.random.choice(["met", "not_met", "none", "any"])
        return getattr(self, f"{kind}_leaf")(want)

    def expression(self, want, depth=0):
        if depth == 2 or self.chance(0.68 if depth == 0 else 0.75):
            return self.leaf(want)
        kind = self.random.choice(["all", "any", "at_least", "not", "if"])
        if kind == "not":
            flipped = {"met": "not_met", "not_met": "met"}.get(want, want)
            return {"not": self.expression(flipped, depth + 1)}
        if kind == "if":
            made = {"if": self.expression("any", depth + 1), "then": self.expression(want, depth + 1)}
            if self.chance(0.6):
                made["else"] = self.expression(want, depth + 1)
            return made
        inner = [self.expression(want, depth + 1) for _ in range(self.random.choice([2, 2, 3]))]
        if kind == "at_least":
            return {"at_least": self.random.randint(1, len(inner)), "of": inner}
        return {kind: inner}

    def criterion(self, number, cohorts):
        kind = self.random.choice(["include", "include", "exclude"])
        want = "any" if self.chance(0.12) else "not_met" if (kind == "exclude") != self.chance(0.12) else "met"
        made = {"id": f"{kind[0].upper()}{number}", "kind": kind, "text": LABEL, "expr": self.expression(want)}
        if self.chance(0.08):
            made["discretion"] = True
        if self.chance(0.08):
            made["stage"] = self.random.choice(["prescreen", "screening", "consent", "consent"])
        if len(cohorts) > 1 and self.chance(0.5):
            made["cohorts"] = [self.random.choice(cohorts)]
        if self.chance(0.05):
            made["countries"] = self.random.choice([["FR"], ["FR", "DE"], ["US"]])
        if self.chance(0.25):
            made["retest"] = self.random.choice(["P4W", "P3M", "P1D", "P1Y"])
        if self.chance(0.15):
            made["role"] = "indication"
        return made

    def document(self):
        cohorts = self.random.choice([[], [], ["1"], ["1", "2"], ["a", "b", "c"], ["a", "b", "c"]])
        made = {"trial": "NCT00000001", "version": 1, "grade": "registry"}
        if self.chance(0.85):
            made.update(grade="signed", authored_by="Author", signed_by="Signer", signed_at="2025-01-01T00:00:00Z")
        if self.chance(0.6):
            made["lead_time"] = self.random.choice(["P10W", "P1M", "P6M", "P1M15D", "P30D"])
        if cohorts:
            made["cohorts"] = [
                {"id": name, "label": {"fr": f"Cohorte {name}", "en": f"Cohort {name}"}} for name in cohorts
            ]
        number = 1 if self.chance(0.3) else self.random.randint(1, 6)
        made["criteria"] = [self.criterion(one, cohorts) for one in range(1, number + 1)]
        if made["grade"] == "registry" and self.chance(0.3):
            self.random.choice(made["criteria"])["kind"] = "unclear"
        return made

    def patient(self):
        made = {"as_of": self.as_of.isoformat()}
        birth = self.births[0] if self.births else self.as_of - timedelta(days=self.random.randint(0, 9000))
        shape = self.random.random()
        if shape < 0.82:
            made["birth_date"] = birth.isoformat()
        elif shape < 0.95:
            months = (self.as_of.year - birth.year) * 12 + self.as_of.month - birth.month - (self.as_of.day < birth.day)
            years = f"P{months // 12}Y"
            ages = [years, f"{years}{months % 12}M", f"P{months}M", f"{years}{months % 12}M3D"]
            made["age"] = self.random.choice(
                [age for age in ages if possible_births(age, self.as_of)]
            )  # 1 year 10 months 3 days may fit no birth
        if self.chance(0.3):
            made["gestation"] = self.random.choice(["P30W4D", "P36W6D", "P37W", "P40W", "P24W", "P36W"])
        sex = self.random.choice(["male"] * 5 + ["female", "female", "other", None])
        if sex:
            made["sex"] = sex
        if self.chance(0.02):
            made["deceased"] = self.random.choice([True, self.inside("P1Y").isoformat()])
        self.random.shuffle(self.facts)
        made["facts"] = self.facts
        if self.complete:
            made["domains_complete"] = self.complete
        return made


def build(seed):
    """Return (document, patient): the patient's facts are made for the document, most of them to satisfy it, on the
    boundaries.
    """
    maker = Maker(seed)
    document = maker.document()
    patient = maker.patient()
    if maker.chance(0.1):
        patient["dosing_date"] = add(maker.as_of, "P3M").isoformat()
    dosing_date = patient.pop("dosing_date", None)
    return document, patient, date.fromisoformat(dosing_date) if dosing_date else None
