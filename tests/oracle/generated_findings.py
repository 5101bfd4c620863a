"""Generate `age`, `sex`, `has` and `variant` leaves, each with facts that give it the wanted state, or random ones."""

from datetime import date, timedelta

from tests.oracle.days import parts, subtract
from tests.oracle.dice import Dice
from tests.oracle.vocabulary import ELSEWHERE, FAMILIES, RESULTS, TERMINOLOGY, TESTS, WINDOWS


def add_durations(one, two):
    years, months = (a + b for a, b in zip(parts(one)[:2], parts(two)[:2], strict=True))
    return f"P{years}Y{months}M" if months and years else f"P{years}Y" if years else f"P{months}M"


class Findings(Dice):
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
        if "max_unclear_until" not in leaf and self.chance(0.2):
            leaf["corrected"] = True
        if self.chance(0.2):
            leaf["at"] = "dosing"
        if not self.births:
            bound = leaf.get("min") or leaf.get("max")
            late = self.random.choice([-400, -200, -30, -1, 0, 0, 1, 1, 30, 60, 150, 300])
            if "min" not in leaf or (want == "met" and "max" in leaf and self.chance(0.4)):
                bound, late = leaf["max"], abs(late)
            elif want == "met":
                late = -abs(late)
            if leaf.get("corrected") and self.chance(0.6):  # days between the birth and the due date
                late += self.random.choice([22, 66, 112, 126, 28])
            self.births.append(min(self.as_of, subtract(self.as_of + timedelta(days=late), bound)))
            if self.chance(0.15):
                twentyninth = [
                    year
                    for year in (2012, 2016, 2020, 2024)
                    if abs(year - self.births[0].year) <= 2 and date(year, 2, 29) <= self.as_of
                ]
                self.births = [date(twentyninth[0], 2, 29)] if twentyninth else self.births
        return leaf

    def sex_leaf(self, _want):
        return {"type": "sex", "value": self.random.choice(["male", "male", "female"])}

    def has_leaf(self, want):
        codes, kind, domain = self.random.choice(FAMILIES)
        leaf = {"type": "has", "codes": codes}
        window = self.random.choice(WINDOWS) if self.chance(0.45) else None
        if window:
            leaf["within"] = window
        if self.chance(0.25):
            leaf["evidence_within"] = self.random.choice(WINDOWS)
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
                [
                    {"outcome": ["severe", "failed"]},
                    {"body_site": ["left"]},
                    {"severity": ["severe"]},
                    *([{"duration": "P3M"}] if not any(TERMINOLOGY[code].get("state") for code in codes) else []),
                ]
            )
        if leaf.get("where") and self.chance(0.8):
            name, wanted = next(iter(leaf["where"].items()))
            if name != "duration":
                fields[name] = wanted[0] if self.chance(0.7) else "mild"
        self.has_facts(want, leaf, kind, domain, fields)
        if self.chance(0.12):
            self.open_or_announced(codes, kind)
        return leaf

    def has_facts(self, want, leaf, kind, domain, fields):
        window, codes = leaf.get("within"), leaf["codes"]
        if self.chance(0.3):  # on the border of a passing state, and of its window
            window = next((TERMINOLOGY[code]["longest"] for code in codes if "longest" in TERMINOLOGY[code]), window)
        if want == "any":
            for _ in range(self.random.randint(1, 3)):
                code = self.coded(self.random.choice(codes), 0.6)
                status = self.random.choice(
                    ["present", "present", "absent", "unconfirmed", "ordered", "entered_in_error"]
                )
                self.has_fact(kind, code, leaf, self.edge(window), status, fields)
        elif want == "met":
            self.has_fact(
                kind,
                self.coded(self.random.choice(codes), 0.2),
                leaf,
                self.inside(window) if self.chance(0.5) else self.edge(window),
                "present",
                fields,
            )
            if self.chance(0.25):
                self.has_fact(kind, self.related(codes[0], 0.2), leaf, self.beside(window), "absent", fields)
        elif want == "not_met":
            if leaf.get("domain") and self.chance(0.5):
                self.declare(domain, window)
                if self.chance(0.6):  # what the complete domain may or may not speak of
                    code = self.coded(self.random.choice([*codes, *ELSEWHERE.get(domain, [])]), 0.9)
                    other = self.random.choice(["condition", "observation"]) if domain == "conditions" else kind
                    self.has_fact(other, code, leaf, self.edge(window), "present", fields)
            else:
                for code in codes if self.chance(0.8) else codes[:1]:
                    self.has_fact(
                        kind,
                        self.coded(code, 0.15),
                        leaf,
                        self.inside(window) if self.chance(0.5) else self.edge(window),
                        "absent",
                        fields,
                    )
            if window and self.chance(0.4):
                self.has_fact(kind, self.coded(codes[0], 0.3), leaf, self.beside(window), "present", fields)

    def beside(self, window):
        """Return the day of the last fact, the day before or after, or any other."""
        last = self.facts[-1] if self.facts else {}
        text = last.get("date") or last.get("start") or ""
        if len(text) == 10 and self.chance(0.5):
            return min(self.as_of, date.fromisoformat(text) + timedelta(days=self.random.choice([-1, 0, 0, 1])))
        return self.edge(window)

    def test_of(self, codes, day, status, fields):
        """Add a test that shows the concept, with a result, without one, or only ordered."""
        code = self.random.choice(TESTS.get(codes[0], codes))
        value = self.random.choice(["unclear", 12, None, "positive", "negative"])
        if status in RESULTS and self.chance(0.9):
            value, status = self.random.choice(RESULTS[status]), None
        elif status in RESULTS:
            status = None
        when = self.written(day, 0.93) if self.chance(0.95) else None
        self.fact("observation", code, status=status, date=when, value=value, **fields)

    def open_or_announced(self, codes, kind):
        """Add what a record often holds: an ordered test, a condition or medicine without end, a fact without date."""
        code = self.coded(self.random.choice(codes), 0.4)
        tested = [one for one in codes if one in TESTS]
        if tested and self.chance(0.6):
            status = self.random.choice(["ordered", "ordered", "unconfirmed", "present"])
            self.test_of([tested[0]], self.inside("P1Y"), status, {})
        elif self.chance(0.6):
            kind = kind if kind == "medication" else "condition"
            status = self.random.choice([None, None, "unconfirmed", "absent"])
            self.fact(kind, code, status=status, start=self.written(self.inside("P3Y"), 0.85))
        else:
            self.fact(kind, code, status=self.random.choice([None, "absent", "unconfirmed", "ordered"]))

    def has_fact(self, kind, codes, leaf, day, status, fields):
        if kind == "observation" and self.chance(0.5):
            self.test_of([codes] if isinstance(codes, str) else codes, day, status, fields)
            return
        dated = {"date": self.written(day, 0.9)}
        if (status != "absent" or self.chance(0.03)) and (
            kind == "medication" or "duration" in leaf.get("where", {}) or self.chance(0.1)
        ):
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
        elif self.chance(0.08):
            dated = {}
        elif self.chance(0.03):
            dated = {"date": (self.as_of + timedelta(days=self.random.choice([1, 20]))).isoformat()}
        if kind == "medication" and dated.get("start") and not dated.get("end") and self.chance(0.2):
            dated = {"date": dated["start"]}  # the date of a prescription
        self.fact(
            kind, codes, **({"status": status} if status != "present" or self.chance(0.2) else {}), **dated, **fields
        )

    def variant_leaf(self, want):
        leaf = {"type": "variant", "gene": self.random.choice(["DMD", "SMN2", "ARSA", "ARSA", "HBB"])}
        if self.chance(0.6):
            leaf["types"] = self.random.choice(
                [["deletion"], ["deletion", "duplication"], ["nonsense", "missense"], ["deletion", "nonsense"]]
            )
        extra = self.random.choice(["exons", "overlaps", "zygosity", "copies", "frame", "hgvs", "none", "amenable"])
        if extra == "exons":
            leaf["exons"] = {"within": [18, 50]}
        elif extra == "overlaps":
            leaf["exons"] = {"overlaps": [[1, 11], [42, 45]]}
        elif extra == "zygosity":
            leaf["zygosity"] = self.random.choice(
                [["homozygous", "hemizygous"], ["homozygous", "compound_heterozygous"], ["compound_heterozygous"]]
            )
        elif extra == "copies":
            leaf["copies"] = {"op": self.random.choice(["<=", "=", ">="]), "value": 3}
        elif extra == "frame":
            leaf["frame"] = "out"
        elif extra == "amenable":
            leaf["gene"], leaf["amenable_to"] = "DMD", {"skip": self.random.choice([51, 53, 45, 44, 2, 78])}
        elif extra == "hgvs":
            leaf["hgvs"] = self.random.choice(
                [["NM_004006.3:c.8713C>T"], ["c.20A>T"], ["NM_000487.6:c.20A>T", "c.1A>G"], ["p.Glu7Val"]]
            )
        if self.chance(0.5):
            leaf["closed"] = True
        if self.chance(0.1):
            leaf["origin"] = "somatic"
        if want != "none":
            for _ in range(self.random.choice([1, 1, 2, 2, 3])):
                self.variant_fact(leaf, want)
            if leaf.get("zygosity") and self.chance(0.5):  # two alleles, each seen once
                for hgvs in self.random.sample(["c.20A>T", "c.465+1G>A", "NM_000487.6:c.20A>T", None], 2):
                    described = {"gene": leaf["gene"], "zygosity": "heterozygous", "type": "missense"}
                    self.fact("variant", [], variant={**described, **({"hgvs": hgvs} if hgvs else {})})
        return leaf

    def variant_fact(self, leaf, want):
        variant = {"gene": leaf["gene"] if self.chance(0.95) else "GAA"}
        good = self.chance(0.9 if want == "met" else 0.15 if want == "not_met" else 0.5)
        if want == "not_met" and self.chance(0.4):
            variant["assay"] = self.random.choice(
                ["mlpa", "array", "sequencing", "panel", "genome", "genome", "karyotype"]
            )
            variant["origin"] = "somatic" if leaf.get("origin") or self.chance(0.08) else "germline"
            if self.chance(0.15):
                variant["type"] = self.random.choice(leaf.get("types", ["deletion"]))
            if self.chance(0.08):
                variant["copies"] = 3
            self.fact("variant", [], status="absent", date=self.inside().isoformat(), variant=variant)
            return
        if self.chance(0.85):
            variant["type"] = (
                self.random.choice(leaf.get("types", ["deletion"]))
                if good
                else self.random.choice(["missense", "other", "duplication"])
            )
        if self.chance(0.8):
            variant["exon_from"], variant["exon_to"] = self.random.choice(
                [(45, 52), (18, 50), (17, 50), (46, 50), (11, 11), (12, 41), (3, 7), (45, 45), (20, 51)]
            )
        if leaf.get("amenable_to") and self.chance(0.7):
            if self.chance(0.7):
                variant["type"] = "deletion"
            variant["exon_from"], variant["exon_to"] = self.beside_the_exon(leaf["amenable_to"]["skip"])
        if self.chance(0.05):
            variant.pop("exon_from", None)
        if self.chance(0.7):
            variant["zygosity"] = "hemizygous" if good else self.random.choice(["heterozygous", "homozygous"])
        if self.chance(0.7):
            variant["copies"] = self.random.choice([2, 3, 4])
        if self.chance(0.7):
            variant["frame"] = "out" if good else "in"
        if self.chance(0.6):
            variant["hgvs"] = self.hgvs(leaf, good)
        if leaf.get("origin") or self.chance(0.1):
            variant["origin"] = self.random.choice(["somatic", "somatic", "germline"])
        if self.chance(0.25):
            variant["significance"] = self.random.choice(["pathogenic", "likely_pathogenic", "uncertain", "benign"])
        if self.chance(0.4):
            variant["assay"] = self.random.choice(["mlpa", "sequencing"])
        status = self.random.choice([None] * 8 + ["unconfirmed", "absent"])
        self.fact(
            "variant", [], status=status, date=self.inside().isoformat() if self.chance(0.9) else None, variant=variant
        )

    def beside_the_exon(self, skipped):
        """Return the exons of a deletion that ends before the exon or begins after it, or nearly does."""
        length = self.random.choice([1, 1, 2, 3, 4, 6])
        last, first = skipped - self.random.choice([1, 1, 1, 2, 0]), skipped + self.random.choice([1, 1, 1, 2, 0])
        found = self.random.choice([(last - length + 1, last), (first, first + length - 1)])
        return found if 1 <= found[0] <= found[1] <= 79 else (1, 1)

    def hgvs(self, leaf, good):
        """Return a description: one that is asked or another, with the same, another or no transcript."""
        texts = leaf.get("hgvs") or ["NM_004006.3:c.8713C>T"]
        description = self.random.choice(texts).split(":")[-1] if good else self.random.choice(["c.1A>G", "p.Arg5Ter"])
        transcripts = ["NM_004006.3", "NM_000487.6", "NM_000487.5(ARSA)", "NM_000518.5", "NM_999999.1", None]
        transcript = self.random.choice(transcripts)
        if self.chance(0.3):
            return self.random.choice(texts)
        return f"{transcript}:{description}" if transcript else description
