"""Seeded small criteria documents and patients whose facts sit on the boundaries: `build(seed)` gives (document, patient)."""

import random
from datetime import date, timedelta

from tests.oracle.days import add, parts, possible_births, possible_days, subtract

TERMINOLOGY = {
    "ORPHA:100": {},
    "ORPHA:110": {"parents": ["ORPHA:100"], "same_as": ["MONDO:110"]},
    "ORPHA:111": {"parents": ["ORPHA:110"]},
    "ORPHA:112": {"parents": ["ORPHA:110"]},
    "ORPHA:200": {"exclusive_with": ["ORPHA:110"]},
    "ORPHA:300": {},
    "MONDO:110": {"same_as": ["ORPHA:110"]},
    "MONDO:1111": {"parents": ["MONDO:110"]},
    "CLEIO:transplant": {},
    "CLEIO:allogeneic_transplant": {"parents": ["CLEIO:transplant"]},
    "CLEIO:gene_therapy": {},
    "CLEIO:transfusion": {},
    "CLEIO:vaccine": {},
    "CLEIO:live_vaccine": {"parents": ["CLEIO:vaccine"]},
    "CLEIO:yellow_fever_vaccine": {"parents": ["CLEIO:live_vaccine"]},
    "CLEIO:infection": {},
    "CLEIO:hiv": {"parents": ["CLEIO:infection"]},
    "CLEIO:crisis": {},
    "CLEIO:severe_crisis": {"parents": ["CLEIO:crisis"]},
    "CLEIO:chest_syndrome": {"parents": ["CLEIO:severe_crisis"]},
    "ATC:H02": {},
    "ATC:H02AB": {"parents": ["ATC:H02"]},
    "ATC:H02AB06": {"parents": ["ATC:H02AB"]},
    "ATC:H02AB07": {"parents": ["ATC:H02AB"]},
    "LOINC:1742-6": {},
    "LOINC:777-3": {},
    "LOINC:718-7": {},
    "LOINC:19868-9": {},
    "LOINC:98979-8": {},
    "CLEIO:anti_aav": {},
    "CLEIO:mgfa": {},
}
# What a family of codes is asked as, recorded as, and the domain that may be complete for it.
FAMILIES = [
    (["ORPHA:110"], "condition", "conditions"),
    (["ORPHA:111"], "condition", "conditions"),
    (["MONDO:110", "ORPHA:300"], "condition", "conditions"),
    (["ORPHA:200"], "condition", "conditions"),
    (["CLEIO:transplant"], "procedure", "procedures"),
    (["CLEIO:gene_therapy"], "procedure", "procedures"),
    (["CLEIO:gene_therapy", "CLEIO:allogeneic_transplant"], "procedure", "procedures"),
    (["CLEIO:live_vaccine"], "immunization", "immunizations"),
    (["CLEIO:hiv"], "observation", "observations"),
    (["ATC:H02AB"], "medication", "medications"),
]
RELATED = {
    "ORPHA:110": ["MONDO:110", "ORPHA:111", "ORPHA:112", "ORPHA:100", "ORPHA:200", "MONDO:1111"],
    "MONDO:110": ["ORPHA:110", "ORPHA:111", "ORPHA:100", "MONDO:1111"],
    "ORPHA:111": ["ORPHA:110", "MONDO:110", "ORPHA:100", "ORPHA:112", "ORPHA:200"],
    "ORPHA:300": ["ORPHA:100"],
    "ORPHA:200": ["ORPHA:110", "ORPHA:111", "MONDO:1111", "ORPHA:100"],
    "CLEIO:transplant": ["CLEIO:allogeneic_transplant"],
    "CLEIO:allogeneic_transplant": ["CLEIO:transplant"],
    "CLEIO:gene_therapy": ["CLEIO:transplant"],
    "CLEIO:live_vaccine": ["CLEIO:vaccine", "CLEIO:yellow_fever_vaccine"],
    "CLEIO:hiv": ["CLEIO:infection"],
    "ATC:H02AB": ["ATC:H02", "ATC:H02AB06", "ATC:H02AB07"],
    "CLEIO:severe_crisis": ["CLEIO:crisis", "CLEIO:chest_syndrome"],
}
AS_OF = [date(2025, 11, 22), date(2024, 2, 29), date(2024, 8, 31), date(2025, 1, 31), date(2025, 2, 28), date(2026, 3, 1), date(2025, 12, 31)]
WINDOWS = ["P7D", "P30D", "P4W", "P12W", "P1M", "P3M", "P6M", "P1Y", "P1Y6M", "P2Y", "P310D"]
LABEL = {"fr": "Critère", "en": "Criterion"}
VALUES = [  # codes, leaf's unit, bound, unit of the fact and its factor
    (["LOINC:777-3"], "10*9/L", 50, [("10*9/L", 1), ("10*3/uL", 1), ("/uL", 1000), ("g/L", 1), (None, 1)]),
    (["LOINC:718-7"], "g/L", 90, [("g/L", 1), ("g/dL", 0.1), ("%", 1)]),
    (["LOINC:1742-6"], "U/L", 120, [("U/L", 1), ("ukat/L", None), ("mg/dL", 1)]),
    (["LOINC:98979-8"], None, 17, [(None, 1), ("1", 1), ("{score}", 1), ("g/L", 1)]),
]
SCALES = {
    "CLEIO:mgfa": {
        "levels": ["I", "IIa", "IIb", "IIIa", "IIIb", "IVa", "IVb", "V"],
        "groups": {"II": ["IIa", "IIb"], "III": ["IIIa", "IIIb"], "IV": ["IVa", "IVb"], "2a": ["IIa"], "3": ["IIIa", "IIIb"]},
    }
}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.as_of = self.random.choice([*AS_OF, date(2025, 1, 1) + timedelta(days=self.random.randrange(500))])
        self.facts, self.complete, self.births = [], [], []
        self.questions = 0

    def chance(self, share):
        return self.random.random() < share

    # --- dates on the boundaries --------------------------------------------------------------------------------------

    def edge(self, window=None):
        """A day on or before `as_of` that leaves the window on, just before or just after an interesting day."""
        target = self.as_of + timedelta(days=self.random.choice([-1, 0, 0, 1, 2, 10, 40, 90, 200]))
        day = subtract(target, window or self.random.choice(WINDOWS)) + timedelta(days=self.random.choice([-1, 0, 0, 1]))
        return min(day, self.as_of)

    def inside(self, window=None):
        """A day surely in the window on `as_of`."""
        first = subtract(self.as_of, window or "P2Y")
        return first + timedelta(days=self.random.randint(0, (self.as_of - first).days))

    def written(self, day, full=0.93):
        if self.chance(full):
            return day.isoformat()
        return day.isoformat()[: self.random.choice([4, 7])]

    def fact(self, kind, code, **fields):
        made = {"id": f"f{len(self.facts) + 1}", "kind": kind, "codes": [code] if isinstance(code, str) else list(code)}
        made.update({name: value for name, value in fields.items() if value is not None})
        self.facts.append(made)
        return made

    def declare(self, domain, window=None):
        """The domain complete, with a tail on the edge of what is allowed and a start on the edge of the window."""
        tenth = 31 if window is None else min(31, (self.as_of - subtract(self.as_of, window)).days // 10)
        tail = self.random.choice([0, 0, 0, tenth - 1, tenth, tenth + 1, 30, 31, 32])
        to = self.as_of - timedelta(days=max(tail, 0)) if self.chance(0.95) else self.as_of + timedelta(days=20)
        start = None
        if self.chance(0.7):
            start = subtract(self.as_of, window or "P10Y") + timedelta(days=self.random.choice([-400, -60, -1, 0, 0, 1, 30]))
            if self.chance(0.3) and self.births:
                start = self.births[0]
        spans = [(start, to)]
        if start and self.chance(0.25) and (to - start).days > 5:
            middle = start + timedelta(days=self.random.randint(1, (to - start).days - 2))
            spans = [(start, middle), (middle + timedelta(days=self.random.choice([0, 1, 1, 2])), to)]
        for begin, end in spans:
            if begin is None or begin <= end:
                self.complete.append({"domain": domain, **({"from": begin.isoformat()} if begin else {}), "to": end.isoformat()})

    # --- leaves: each gives the leaf and records facts that make it `want`, or anything ----------------------------------

    def leaf(self, want):
        kind = self.random.choices(
            ["age", "sex", "has", "variant", "titre", "value", "ordinal", "count", "stable", "human"], [12, 4, 28, 8, 8, 18, 6, 10, 10, 6]
        )[0]
        if self.chance(0.2):
            want = self.random.choice(["met", "not_met", "none", "any"])
        return getattr(self, f"{kind}_leaf")(want)

    def age_leaf(self, want):
        leaf = {"type": "age"}
        low = self.random.choice(["P2M", "P6M", "P1Y", "P3Y", "P4Y", "P11Y6M", "P12Y", "P17Y"])
        high = add_durations(low, self.random.choice(["P3M", "P1Y", "P2Y", "P4Y", "P12Y"]))
        shape = self.random.choice(["both", "both", "min", "max"])
        if shape != "max":
            leaf["min"] = low
            if self.chance(0.25):
                leaf["min_inclusive"] = self.chance(0.3)
        if shape != "min":
            leaf["max"] = high
            if self.chance(0.25):
                leaf["max_inclusive"] = True
            elif self.chance(0.25):
                leaf["max_unclear_until"] = add_durations(high, self.random.choice(["P1Y", "P1M"]))
        if self.chance(0.2):
            leaf["at"] = "dosing"
        if not self.births:
            bound = leaf.get("min") or leaf.get("max")
            late = self.random.choice([-400, -200, -30, -1, 0, 0, 1, 1, 30, 60, 150, 300])
            if "min" not in leaf or (want == "met" and "max" in leaf and self.chance(0.4)):
                bound, late = leaf["max"], abs(late)
            elif want == "met":
                late = -abs(late)
            self.births.append(min(self.as_of, subtract(self.as_of + timedelta(days=late), bound)))
            if self.chance(0.15):
                twentyninth = [year for year in (2012, 2016, 2020, 2024) if abs(year - self.births[0].year) <= 2 and date(year, 2, 29) <= self.as_of]
                self.births = [date(twentyninth[0], 2, 29)] if twentyninth else self.births
        return leaf

    def sex_leaf(self, _want):
        return {"type": "sex", "value": self.random.choice(["male", "male", "female"])}

    def related(self, code, share=0.35):
        return self.random.choice(RELATED.get(code, [code])) if self.chance(share) else code

    def has_leaf(self, want):
        codes, kind, domain = self.random.choice(FAMILIES)
        leaf = {"type": "has", "codes": codes}
        window = self.random.choice(WINDOWS) if self.chance(0.45) else None
        if window:
            leaf["within"] = window
        if self.chance(0.6):
            leaf["domain"] = domain
        if self.chance(0.1):
            leaf["descendants"] = False
        relative = {"relative": "sibling"} if self.chance(0.06) else {}
        if relative:
            leaf = {**leaf, **relative}
            leaf.pop("domain", None)
        fields = dict(relative) if self.chance(0.8) else {}
        if self.chance(0.12):
            leaf["where"] = self.random.choice(
                [{"outcome": ["severe", "failed"]}, {"body_site": ["left"]}, {"severity": ["severe"]}, {"duration": "P3M"}]
            )
        if leaf.get("where") and self.chance(0.8):
            name, wanted = next(iter(leaf["where"].items()))
            if name != "duration":
                fields[name] = wanted[0] if self.chance(0.7) else "mild"
        self.has_facts(want, leaf, kind, domain, fields)
        return leaf

    def has_facts(self, want, leaf, kind, domain, fields):
        window, codes = leaf.get("within"), leaf["codes"]
        if want == "any":
            for _ in range(self.random.randint(1, 3)):
                code = self.related(self.random.choice(codes), 0.6)
                status = self.random.choice(["present", "present", "absent", "unconfirmed", "ordered", "entered_in_error"])
                self.has_fact(kind, code, leaf, self.edge(window), status, fields)
        elif want == "met":
            self.has_fact(
                kind,
                self.related(self.random.choice(codes), 0.2),
                leaf,
                self.inside(window) if self.chance(0.5) else self.edge(window),
                "present",
                fields,
            )
            if self.chance(0.07):
                self.has_fact(kind, self.related(codes[0], 0.2), leaf, self.edge(window), "absent", fields)
        elif want == "not_met":
            if leaf.get("domain") and self.chance(0.5):
                self.declare(domain, window)
            else:
                for code in codes if self.chance(0.8) else codes[:1]:
                    self.has_fact(
                        kind, self.related(code, 0.15), leaf, self.inside(window) if self.chance(0.5) else self.edge(window), "absent", fields
                    )
            if window and self.chance(0.4):
                self.has_fact(kind, self.related(codes[0], 0.3), leaf, self.edge(window), "present", fields)

    def has_fact(self, kind, code, leaf, day, status, fields):
        dated = {"date": self.written(day, 0.9)}
        if (status != "absent" or self.chance(0.03)) and (kind == "medication" or "duration" in leaf.get("where", {}) or self.chance(0.1)):
            dated = {"start": self.written(day, 0.92)}
            if self.chance(0.6):
                lasting = self.random.choice([0, 1, 30, 89, 90, 91, 92, 200])
                dated = {"start": self.written(day - timedelta(days=lasting), 0.92), "end": self.written(day, 0.95)}
                if self.chance(0.2):
                    dated["end"] = (self.as_of + timedelta(days=self.random.choice([0, 1, 20, 150]))).isoformat()
            if dated.get("end") and dated["end"] < dated["start"]:
                del dated["end"]
            if self.chance(0.06):
                dated.pop("start" if self.chance(0.5) and dated.get("end") else "end", None)
            if kind == "medication" and self.chance(0.03):
                dated = {}
        elif self.chance(0.06):
            dated = {}
        elif self.chance(0.03):
            dated = {"date": (self.as_of + timedelta(days=self.random.choice([1, 20]))).isoformat()}
        self.fact(kind, code, **({"status": status} if status != "present" or self.chance(0.2) else {}), **dated, **fields)

    def variant_leaf(self, want):
        leaf = {"type": "variant", "gene": self.random.choice(["DMD", "SMN2"])}
        if self.chance(0.6):
            leaf["types"] = self.random.choice([["deletion"], ["deletion", "duplication"], ["nonsense", "missense"], ["deletion", "nonsense"]])
        extra = self.random.choice(["exons", "overlaps", "zygosity", "copies", "frame", "hgvs", "none"])
        if extra == "exons":
            leaf["exons"] = {"within": [18, 50]}
        elif extra == "overlaps":
            leaf["exons"] = {"overlaps": [[1, 11], [42, 45]]}
        elif extra == "zygosity":
            leaf["zygosity"] = ["homozygous", "hemizygous"]
        elif extra == "copies":
            leaf["copies"] = {"op": self.random.choice(["<=", "=", ">="]), "value": 3}
        elif extra == "frame":
            leaf["frame"] = "out"
        elif extra == "hgvs":
            leaf["hgvs"] = ["NM_004006.3:c.8713C>T"]
        if self.chance(0.5):
            leaf["closed"] = True
        if self.chance(0.1):
            leaf["origin"] = "somatic"
        if want != "none":
            for _ in range(self.random.choice([1, 1, 2])):
                self.variant_fact(leaf, want)
        return leaf

    def variant_fact(self, leaf, want):
        told = {"gene": leaf["gene"] if self.chance(0.95) else "GAA"}
        good = self.chance(0.9 if want == "met" else 0.15 if want == "not_met" else 0.5)
        if want == "not_met" and self.chance(0.4):
            told["assay"] = self.random.choice(["mlpa", "array", "sequencing", "panel", "genome", "genome", "karyotype"])
            told["origin"] = "somatic" if leaf.get("origin") or self.chance(0.08) else "germline"
            if self.chance(0.15):
                told["type"] = self.random.choice(leaf.get("types", ["deletion"]))
            if self.chance(0.08):
                told["copies"] = 3
            self.fact("variant", [], status="absent", date=self.inside().isoformat(), variant=told)
            return
        if self.chance(0.85):
            told["type"] = self.random.choice(leaf.get("types", ["deletion"])) if good else self.random.choice(["missense", "other", "duplication"])
        if self.chance(0.8):
            told["exon_from"], told["exon_to"] = self.random.choice(
                [(45, 52), (18, 50), (17, 50), (46, 50), (11, 11), (12, 41), (3, 7), (45, 45), (20, 51)]
            )
        if self.chance(0.05):
            told.pop("exon_from", None)
        if self.chance(0.7):
            told["zygosity"] = "hemizygous" if good else "heterozygous"
        if self.chance(0.7):
            told["copies"] = self.random.choice([2, 3, 4])
        if self.chance(0.7):
            told["frame"] = "out" if good else "in"
        if self.chance(0.6):
            told["hgvs"] = "NM_004006.3:c.8713C>T" if good else "NM_004006.3:c.1A>G"
        if leaf.get("origin") or self.chance(0.1):
            told["origin"] = self.random.choice(["somatic", "somatic", "germline"])
        if self.chance(0.25):
            told["significance"] = self.random.choice(["pathogenic", "likely_pathogenic", "uncertain", "benign"])
        if self.chance(0.4):
            told["assay"] = self.random.choice(["mlpa", "sequencing"])
        status = self.random.choice([None] * 8 + ["unconfirmed", "absent"])
        self.fact("variant", [], status=status, date=self.inside().isoformat() if self.chance(0.9) else None, variant=told)

    def measured_at(self, window):
        day = self.inside(window) if self.chance(0.6) else self.edge(window)
        return self.written(day, 0.96) if not self.chance(0.02) else None

    def unsure_status(self):
        return self.random.choice([None] * 14 + ["unconfirmed", "ordered"])

    def titre_leaf(self, want):
        leaf = {"type": "titre", "codes": ["CLEIO:anti_aav"], "op": self.random.choice(["<", "<", "<=", ">="]), "reciprocal": 400}
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
                    "CLEIO:anti_aav",
                    status=self.unsure_status(),
                    date=self.measured_at(leaf.get("within")),
                    value=value,
                    comparator=comparator,
                    assay=assay,
                )
        return leaf

    def number(self, op, want, below, equal, above):
        if want == "any" or self.chance(0.15):
            return self.random.choice(below + equal + above)
        under = (op in ("<", "<=")) == (want == "met")
        return self.random.choice(below if under else above) if op != "=" else self.random.choice(equal if want == "met" else below + above)

    def value_leaf(self, want):
        basis = self.random.choices(["absolute", "xULN", "xLLN", "pct_predicted"], [5, 4, 1, 2])[0]
        leaf = {"type": "value", "op": self.random.choice(["<", "<=", ">", ">=", "<", ">=", "="] if basis == "absolute" else ["<", "<=", ">", ">="])}
        units = [(None, 1)]
        if basis == "absolute":
            leaf["codes"], leaf["unit"], bound, units = self.random.choice(VALUES)
        elif basis == "pct_predicted":
            leaf["codes"], bound, units = ["LOINC:19868-9"], 50, [("%", 1), ("%", 1), ("%", 1), ("g/L", 1), (None, 1)]
        else:
            leaf["codes"], bound, units = ["LOINC:1742-6"], 3, [("U/L", 1), ("ukat/L", None)]
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
                {"codes": ["CLEIO:transfusion"], "for": self.random.choice(["P7D", "P4W"]), **({"domain": "procedures"} if self.chance(0.7) else {})}
            ]
            if self.chance(0.6):
                self.declare("procedures", self.random.choice([None, "P1Y"]))
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 1, 2, 3])):
            self.value_fact(leaf, want, basis, bound, units)
        return leaf

    def value_fact(self, leaf, want, basis, bound, units):
        unit, factor = units[0] if self.chance(0.6) else self.random.choice(units)
        tiny = bound / 300
        number = self.number(
            leaf["op"], want, [round(bound - tiny, 4), round(bound * 0.7, 4)], [bound], [round(bound + tiny, 4), round(bound * 1.5, 4)]
        )
        fields = {}
        if basis in ("xULN", "xLLN"):
            reference = 35 if unit == "U/L" else 0.58
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
        self.fact("observation", leaf["codes"][0], status=self.unsure_status(), date=when, value=number, unit=unit, **fields)
        if self.facts[-1].get("status") == "ordered" and self.chance(0.5):
            del self.facts[-1]["value"]
            self.facts[-1].pop("comparator", None)
        if leaf.get("not_after") and when and len(when) == 10 and self.chance(0.5):
            gap = self.random.choice([-1, 0, 1, 6, 7, 8, 27, 28, 29])
            status = self.random.choice([None, None, "absent", "unconfirmed"])
            self.fact("procedure", "CLEIO:transfusion", status=status, date=self.written(date.fromisoformat(when) - timedelta(days=gap)))

    def ordinal_leaf(self, want):
        scale = "CLEIO:mgfa"
        levels, groups = SCALES[scale]["levels"], SCALES[scale]["groups"]
        leaf = {"type": "ordinal", "scale": scale}
        if self.chance(0.5):
            good = self.random.sample(levels, 3)
            leaf["in"] = good
        else:
            low = self.random.randint(0, 4)
            high = self.random.randint(low, 7)
            leaf["min"], leaf["max"], good = levels[low], levels[high], levels[low : high + 1]
            if self.chance(0.2):
                del leaf["max"]
        if self.chance(0.8):
            leaf["within"] = self.random.choice(WINDOWS)
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 2])):
            level = self.random.choice([*groups, *levels, "unheard"]) if self.chance(0.3) else self.random.choice(good if want == "met" else levels)
            self.fact("observation", scale, status=self.unsure_status(), date=self.measured_at(leaf.get("within")), value=level)
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
            for _ in range(self.random.choice([1, 3, 4, 5]) if leaf["op"] in (">=", ">") else self.random.choice([0, 1, 2])):
                day = self.edge(self.random.choice(windows)) if self.chance(0.6) else self.inside(leaf["within"])
                status = self.random.choice([None] * 14 + ["unconfirmed", "ordered", "absent"])
                if self.facts and self.facts[-1]["kind"] == "event" and self.facts[-1].get("date") and self.chance(0.1):
                    day = possible_days(self.facts[-1]["date"])[0]
                self.fact(
                    "event", self.related("CLEIO:severe_crisis", 0.12), status=status, date=self.written(day, 0.96) if self.chance(0.98) else None
                )
        return leaf

    def stable_leaf(self, want):
        leaf = {"type": "stable", "codes": ["ATC:H02AB"], "for": self.random.choice(["P12W", "P3M", "P30D", "P8W"])}
        if self.chance(0.7):
            leaf["domain"] = "medications"
        if self.chance(0.5):
            leaf["unit"] = "mg/d"
            leaf[self.random.choice(["min", "max", "max"])] = 10
            if self.chance(0.3):
                leaf["per_kg"] = True
        if want == "not_met" and self.chance(0.5):
            if "domain" in leaf:
                self.declare("medications", leaf["for"])
            else:
                self.fact("medication", "ATC:H02AB", status="absent", date=self.written(self.edge(leaf["for"])))
            return leaf
        if want == "none":
            return leaf
        start = self.edge(leaf["for"]) if self.chance(0.5) else subtract(self.as_of, leaf["for"]) - timedelta(days=self.random.randint(0, 300))
        dose = self.dose(leaf, want)
        code = self.related("ATC:H02AB", 0.4)
        end = None
        if self.chance(0.3):
            end = self.random.choice([self.as_of - timedelta(days=1), self.as_of, self.as_of + timedelta(days=60), self.edge(leaf["for"])])
            end = None if end < start else end
        self.fact("medication", code, status=self.unsure_status(), start=self.written(start), end=end and end.isoformat(), dose=dose)
        if self.chance(0.4):  # the course before
            before = start - timedelta(days=self.random.choice([0, 1, 1, 2, 20, 100]))
            earlier = before - timedelta(days=self.random.choice([10, 60, 200]))
            self.fact("medication", code, start=earlier.isoformat(), end=before.isoformat(), dose=dose if self.chance(0.7) else self.dose(leaf, want))
        return leaf

    def dose(self, leaf, want):
        if self.chance(0.1):
            return None
        good = 10 if want == "met" else self.random.choice([9, 10, 11])
        dose = {"value": good, "unit": "mg/d" if self.chance(0.93) else "mL/d"}
        if leaf.get("per_kg") and self.chance(0.9):
            dose["per_kg"] = True
        return dose

    def human_leaf(self, want):
        self.questions += 1
        leaf = {"type": "human", "question": f"question_{self.questions}", "role": self.random.choice(["investigator", "clinician"])}
        if self.chance(0.5):
            leaf["within"] = self.random.choice(WINDOWS)
        for _ in range(0 if want == "none" else self.random.choice([1, 1, 2])):
            answer = {"met": "yes", "not_met": "no"}.get(want) if self.chance(0.9) else None
            day = self.inside(leaf.get("within")) if self.chance(0.6) else self.edge(leaf.get("within"))
            made = self.fact("answer", [], date=day.isoformat(), question=leaf["question"], answer=answer or self.random.choice(["yes", "no"]))
            if self.facts[-2:-1] and self.facts[-2].get("question") == leaf["question"] and self.chance(0.3):
                made["date"] = self.facts[-2]["date"]
        return leaf

    # --- expressions, criteria, documents -----------------------------------------------------------------------------

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
        cohorts = self.random.choice([[], [], ["1"], ["1", "2"], ["a", "b", "c"]])
        made = {"trial": "NCT00000001", "version": 1, "grade": "registry"}
        if self.chance(0.85):
            made.update(grade="signed", authored_by="Author", signed_by="Signer", signed_at="2025-01-01T00:00:00Z")
        if self.chance(0.6):
            made["lead_time"] = self.random.choice(["P10W", "P1M", "P6M", "P1M15D", "P30D"])
        if cohorts:
            made["cohorts"] = [{"id": name, "label": {"fr": f"Cohorte {name}", "en": f"Cohort {name}"}} for name in cohorts]
        made["criteria"] = [self.criterion(number, cohorts) for number in range(1, self.random.randint(1, 6) + 1)]
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
            made["age"] = self.random.choice([age for age in ages if possible_births(age, self.as_of)])  # 1 year 10 months 3 days may fit no birth
        sex = self.random.choice(["male"] * 5 + ["female", "female", "other", None])
        if sex:
            made["sex"] = sex
        self.random.shuffle(self.facts)
        made["facts"] = self.facts
        if self.complete:
            made["domains_complete"] = self.complete
        return made


def add_durations(one, two):
    years, months = (a + b for a, b in zip(parts(one)[:2], parts(two)[:2], strict=True))
    return f"P{years}Y{months}M" if months and years else f"P{years}Y" if years else f"P{months}M"


def build(seed):
    """(document, patient): the patient's facts were made for the document, most of them to satisfy it, on the boundaries."""
    maker = Maker(seed)
    document = maker.document()
    patient = maker.patient()
    if maker.chance(0.1):
        patient["dosing_date"] = add(maker.as_of, "P3M").isoformat()
    dosing_date = patient.pop("dosing_date", None)
    return document, patient, date.fromisoformat(dosing_date) if dosing_date else None
