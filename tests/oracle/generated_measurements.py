"""Generate leaves over results and events, each with facts that give it the wanted state, or random ones."""

from datetime import date, timedelta

from tests.oracle.days import possible_days, subtract
from tests.oracle.dice import Dice
from tests.oracle.vocabulary import NOT_UNDERSTOOD, SCALES, VALUES, WINDOWS


class Measurements(Dice):
    def measured_at(self, window):
        day = self.inside(window) if self.chance(0.6) else self.edge(window)
        return self.written(day, 0.88) if not self.chance(0.02) else None

    def unsure_status(self):
        return self.random.choice([None] * 14 + ["unconfirmed", "ordered"])

    def titre_leaf(self, want):
        leaf = {
            "type": "titre",
            "codes": ["CLEIO:anti-aav9"],
            "op": self.random.choice(["<", "<", "<=", ">="]),
            "reciprocal": 400,
        }
        if self.chance(0.7):
            leaf["within"] = self.random.choice(WINDOWS)
        if self.chance(0.5):
            leaf["assay"] = "elisa"
        if want != "none":
            for _ in range(self.random.choice([1, 1, 2])):
                value = self.number(leaf["op"], want, [100, 399], [400], [401, 800])
                comparator = self.random.choice(["<", "<=", ">", ">="]) if self.chance(0.2) else None
                assay = self.random.choice(["elisa"] * 6 + ["neutralisation", None])
                self.fact(
                    "observation",
                    "CLEIO:anti-aav9",
                    status=self.unsure_status(),
                    date=self.measured_at(leaf.get("within")),
                    value=value,
                    comparator=comparator,
                    assay=assay,
                )
            if self.chance(0.15):
                self.spoil("immunization", "ATC:J06BA", "P6M")
        return leaf

    def spoil(self, kind, code, window):
        """Add what invalidates the last result, or just misses it."""
        text = self.facts[-1].get("date", "")
        if len(text) == 10:
            day = subtract(date.fromisoformat(text), window) + timedelta(days=self.random.choice([-1, 0, 0, 1, 20]))
            status = self.random.choice([None, None, None, "unconfirmed", "absent"])
            self.fact(kind, code, status=status, date=self.written(min(day, self.as_of), 0.9))

    def number(self, op, want, below, equal, above):
        if want == "any" or self.chance(0.15):
            return self.random.choice(below + equal + above)
        under = (op in ("<", "<=")) == (want == "met")
        return (
            self.random.choice(below if under else above)
            if op != "="
            else self.random.choice(equal if want == "met" else below + above)
        )

    def value_leaf(self, want):
        basis = self.random.choices(["absolute", "xULN", "xLLN", "pct_predicted"], [5, 4, 1, 2])[0]
        leaf = {
            "type": "value",
            "op": self.random.choice(
                ["<", "<=", ">", ">=", "<", ">=", "="] if basis == "absolute" else ["<", "<=", ">", ">="]
            ),
        }
        units = [(None, 1)]
        if basis == "absolute":
            leaf["codes"], leaf["unit"], bound, units = self.random.choice(VALUES)
        elif basis == "pct_predicted":
            leaf["codes"], bound, units = ["LOINC:19868-9"], 50, [("%", 1), ("%", 1), ("%", 1), ("g/L", 1), (None, 1)]
        else:
            leaf["codes"], bound, units = ["LOINC:1742-6"], 3, [("U/L", 1), ("ukat/L", None), ("g/L", 1)]
        leaf["value"] = bound
        if basis != "absolute" or self.chance(0.1):
            leaf["basis"] = basis
        if self.chance(0.85):
            leaf["within"] = self.random.choice(WINDOWS)
        if self.chance(0.35):
            leaf["pick"] = self.random.choice(["latest", "any", "all"])
        if self.chance(0.5 if leaf.get("pick") == "any" else 0.1):
            leaf["domain"] = "observations"
            self.declare("observations", leaf.get("within"))
        if self.chance(0.15):
            leaf["not_after"] = [
                {
                    "codes": ["CLEIO:blood-transfusion"],
                    "for": self.random.choice(["P7D", "P4W"]),
                    **({"domain": "procedures"} if self.chance(0.7) else {}),
                }
            ]
            if self.chance(0.6):
                self.declare("procedures", self.random.choice([None, "P1Y"]))
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 1, 2, 3])):
            self.value_fact(leaf, want, basis, bound, units)
        if leaf.get("pick") == "any" and self.chance(0.15):
            code = self.random.choice([*NOT_UNDERSTOOD, "LOINC:718-7"])
            self.fact("observation", code, date=self.measured_at(leaf.get("within")), value=bound)
        return leaf

    def value_fact(self, leaf, want, basis, bound, units):
        unit, factor = units[0] if self.chance(0.6) else self.random.choice(units)
        tiny = bound / 300
        number = self.number(
            leaf["op"],
            want,
            [round(bound - tiny, 4), round(bound * 0.7, 4)],
            [bound],
            [round(bound + tiny, 4), round(bound * 1.5, 4)],
        )
        fields = {}
        if basis in ("xULN", "xLLN"):
            reference = 0.58 if unit == "ukat/L" else 35
            number = round(number * reference, 6)
            if self.chance(0.93):
                fields["ref_high" if basis == "xULN" else "ref_low"] = reference
        elif unit == "ukat/L":
            number = 2 if number == bound else round(number / 60, 6)
        else:
            number = round(number * factor, 6)
        if self.chance(0.1):
            fields["comparator"] = self.random.choice(["<", "<=", ">", ">="])
        when = self.measured_at(leaf.get("within"))
        if self.facts and self.chance(0.08) and len(self.facts[-1].get("date", "")) == 10:
            when = self.facts[-1]["date"]
        self.fact(
            "observation", leaf["codes"][0], status=self.unsure_status(), date=when, value=number, unit=unit, **fields
        )
        if self.facts[-1].get("status") == "ordered" and self.chance(0.5):
            del self.facts[-1]["value"]
            self.facts[-1].pop("comparator", None)
        if "LOINC:4625-0" in leaf["codes"] and self.chance(0.5):
            cause = self.random.choice([("CLEIO:blood-transfusion", "P120D"), ("CLEIO:prior-allogeneic-hsct", "P1Y")])
            self.spoil("procedure", *cause)
        if leaf.get("not_after") and when and len(when) == 10 and self.chance(0.5):
            gap = self.random.choice([-1, 0, 1, 6, 7, 8, 27, 28, 29])
            status = self.random.choice([None, None, "absent", "unconfirmed"])
            self.fact(
                "procedure",
                "CLEIO:blood-transfusion",
                status=status,
                date=self.written(date.fromisoformat(when) - timedelta(days=gap)),
            )

    def ordinal_leaf(self, want):
        scale = self.random.choice(["CLEIO:mgfa", "CLEIO:mgfa", "CLEIO:ecog"])
        levels, groups = SCALES[scale]["levels"], SCALES[scale].get("groups", {})
        leaf = {"type": "ordinal", "scale": scale}
        if self.chance(0.5):
            good = self.random.sample(levels, 3)
            leaf["in"] = good
        else:
            low = self.random.randint(0, len(levels) - 3)
            high = self.random.randint(low, len(levels) - 1)
            leaf["min"], leaf["max"], good = levels[low], levels[high], levels[low : high + 1]
            if self.chance(0.2):
                del leaf["max"]
        if self.chance(0.8):
            leaf["within"] = self.random.choice(WINDOWS)
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 2])):
            level = (
                self.random.choice([*groups, *levels, "unheard"])
                if self.chance(0.3)
                else self.random.choice(good if want == "met" else levels)
            )
            self.fact(
                "observation",
                scale,
                status=self.unsure_status(),
                date=self.measured_at(leaf.get("within")),
                value=int(level) if level.isdigit() and scale == "CLEIO:ecog" and self.chance(0.6) else level,
            )
        return leaf

    def count_leaf(self, want):
        leaf = {
            "type": "count",
            "codes": ["CLEIO:severe_crisis"],
            "op": self.random.choice([">=", ">=", ">=", ">", "<=", "<", "="]),
            "value": self.random.choice([1, 2, 2, 3]),
        }
        leaf["within"] = self.random.choice(["P1Y", "P2Y", "P6M", "P310D"])
        if leaf["within"] != "P310D" and self.chance(0.5):
            leaf["each"] = {"P1Y": "P6M", "P2Y": "P1Y", "P6M": "P3M"}[leaf["within"]]
        if self.chance(0.8):
            leaf["domain"] = "encounters"
            if self.chance(0.85):
                self.declare("encounters", leaf["within"])
        if want != "none":
            windows = [leaf["within"], leaf.get("each", leaf["within"])]
            for _ in range(
                self.random.choice([1, 3, 4, 5]) if leaf["op"] in (">=", ">") else self.random.choice([0, 1, 2])
            ):
                day = self.edge(self.random.choice(windows)) if self.chance(0.6) else self.inside(leaf["within"])
                status = self.random.choice([None] * 14 + ["unconfirmed", "ordered", "absent"])
                if self.facts and self.facts[-1]["kind"] == "event" and self.facts[-1].get("date") and self.chance(0.1):
                    day = possible_days(self.facts[-1]["date"])[0]
                self.fact(
                    "event",
                    self.coded("CLEIO:severe_crisis", 0.12),
                    status=status,
                    date=self.written(day, 0.88) if self.chance(0.98) else None,
                )
        return leaf

    def human_leaf(self, want):
        self.questions += 1
        leaf = {
            "type": "human",
            "question": f"question_{self.questions}",
            "role": self.random.choice(["investigator", "clinician"]),
        }
        if self.chance(0.5):
            leaf["within"] = self.random.choice(WINDOWS)
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 2])):
            answer = {"met": "yes", "not_met": "no"}.get(want) if self.chance(0.9) else None
            day = self.inside(leaf.get("within")) if self.chance(0.6) else self.edge(leaf.get("within"))
            made = self.fact(
                "answer",
                [],
                date=day.isoformat(),
                question=leaf["question"],
                answer=answer or self.random.choice(["yes", "no"]),
            )
            if self.facts[-2:-1] and self.facts[-2].get("question") == leaf["question"] and self.chance(0.3):
                made["date"] = self.facts[-2]["date"]
        return leaf
