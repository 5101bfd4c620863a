"""Criteria of real trials against the text of their record: none is met, and none fails, against it."""

from datetime import date

import pytest

from tests.unit.registry.sample.test_worked_examples import answer, states

AS_OF = "2025-11-22"


def crisis(day):
    return {"id": f"voc-{day}", "kind": "event", "codes": ["CLEIO:voc-hospitalised"], "date": day}


def chest(day):
    return {"id": f"acs-{day}", "kind": "event", "codes": ["CLEIO:acute-chest-syndrome"], "date": day}


def yes(question):
    return {"id": question, "kind": "answer", "question": question, "answer": "yes", "date": "2025-11-20"}


def no(question):
    return {**yes(question), "answer": "no"}


def measured(code, value, unit=None, **more):
    return {"id": code, "kind": "observation", "codes": [code], "value": value, "date": "2025-11-01", **more} | (
        {"unit": unit} if unit else {}
    )


def absent(code, kind="observation"):
    return {"id": f"no-{code}", "kind": kind, "codes": [code], "status": "absent", "date": "2025-11-01"}


def exposure(start, end=None):
    return {
        "id": f"fviii-{start}",
        "kind": "medication",
        "codes": ["CLEIO:fviii-prophylaxis"],
        "start": start,
        **({"end": end} if end else {}),
    }


THREE_CRISES = [crisis("2024-03-01"), crisis("2024-11-01"), crisis("2025-06-01")]
TWO_CHEST_SYNDROMES = [chest("2023-03-01"), chest("2025-06-01")]
NO_HCV_RNA = absent("CLEIO:hcv-rna-positive")

DISEASE = {
    "NCT03964792": "ORPHA:275752",
    "NCT03370913": "ORPHA:98878",
    "NCT03461289": "ORPHA:83330",
    "NCT06298019": "ORPHA:221",
    "NCT03745287": "ORPHA:275752",
}

# (trial, criterion, facts, domains declared complete, state)
CASES = {
    "three crises, treatment not known": ("NCT03964792", "I-SEVERITY", THREE_CRISES, (), "unknown"),
    "three crises under hydroxyurea": (
        "NCT03964792",
        "I-SEVERITY",
        [*THREE_CRISES, yes("voc-under-treatment")],
        (),
        "met",
    ),
    "two chest syndromes, treatment not known": ("NCT03964792", "I-SEVERITY", TWO_CHEST_SYNDROMES, (), "unknown"),
    "two chest syndromes, one under hydroxyurea": (
        "NCT03964792",
        "I-SEVERITY",
        [*TWO_CHEST_SYNDROMES, yes("acs-under-hydroxyurea")],
        (),
        "met",
    ),
    "two priapisms before a transfusion programme": (
        "NCT03964792",
        "I-SEVERITY",
        [yes("priapism-before-transfusion-programme")],
        (),
        "met",
    ),
    "low platelets, perhaps after erythrapheresis": (
        "NCT03964792",
        "I-PLT",
        [measured("CLEIO:platelets", 90, "10*9/L")],
        (),
        "unknown",
    ),
    "normal INR says nothing of the PTT": ("NCT03964792", "I-PTT", [measured("LOINC:6301-6", 1)], (), "unknown"),
    "no word of a bleeding disorder": ("NCT03964792", "X-BLEEDING", [], ("conditions",), "unknown"),
    "cured hepatitis C is still a positive serology": (
        "NCT03964792",
        "X-HCV",
        [NO_HCV_RNA, yes("hcv-serology-positive")],
        (),
        "not_met",
    ),
    "no hepatitis C RNA, serology not known": ("NCT03964792", "X-HCV", [NO_HCV_RNA], (), "unknown"),
    "factor VIII in the unit of the protocol": (
        "NCT03370913",
        "I-FVIII",
        [measured("LOINC:3209-4", 0.5, "[IU]/dL")],
        (),
        "met",
    ),
    "factor VIII in per cent": ("NCT03370913", "I-FVIII", [measured("LOINC:3209-4", 0.5, "%")], (), "met"),
    "a year of prophylaxis long ago, and again since yesterday": (
        "NCT03370913",
        "I-PROPHYLAXIS",
        [exposure("2010-01-01", "2012-01-01"), exposure("2025-11-21")],
        ("medications",),
        "not_met",
    ),
    "prophylaxis for two years": ("NCT03370913", "I-PROPHYLAXIS", [exposure("2023-11-01")], (), "met"),
    "no coded infection, other signs not known": ("NCT03370913", "X-INFECTION", [], ("conditions",), "unknown"),
    "no word of an immunosuppressive disorder": ("NCT03370913", "X-IMMUNE", [], ("conditions",), "unknown"),
    "high ALT, perhaps of a benign liver condition": (
        "NCT03370913",
        "I-ALT",
        [measured("LOINC:1742-6", 120, "U/L", ref_high=40)],
        (),
        "unknown",
    ),
    "HIV infection, allowed by the first version": (
        "NCT03370913",
        "X-HIV",
        [{"id": "hiv", "kind": "condition", "codes": ["CLEIO:hiv-positive"], "date": "2025-11-01"}],
        (),
        "unknown",
    ),
    "hepatitis C RNA negative under antivirals": (
        "NCT03370913",
        "X-HCV",
        [
            NO_HCV_RNA,
            {"id": "antiviral", "kind": "medication", "codes": ["CLEIO:antiviral-hcv"], "start": "2025-10-01"},
        ],
        (),
        "not_met",
    ),
    "no scoliosis surgery done, plans not known": ("NCT03461289", "X-SCOLIOSIS", [], ("procedures",), "unknown"),
    "no scoliosis surgery done or planned": (
        "NCT03461289",
        "X-SCOLIOSIS",
        [no("scoliosis-surgery-planned")],
        ("procedures",),
        "met",
    ),
    "no treatment received, trials not known": ("NCT03461289", "X-TREATED", [], ("medications",), "unknown"),
    "skin disease alone needs no active muscle": (
        "NCT06298019",
        "I-ACTIVE",
        [measured("CLEIO:cdasi-activity", 20)],
        (),
        "met",
    ),
    "the genotype S/beta-plus is left to a person": (
        "NCT03745287",
        "I-GENOTYPE",
        [{"id": "s-beta-plus", "kind": "condition", "codes": ["ORPHA:695147"], "date": "2012-01-01"}],
        ("conditions",),
        "unknown",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_criterion_is_neither_met_nor_failed_against_the_text(case):
    trial, criterion, facts, complete, state = CASES[case]
    patient = {
        "as_of": AS_OF,
        "birth_date": "1995-05-01",
        "facts": [{"id": "disease", "kind": "condition", "codes": [DISEASE[trial]], "date": "2000-01-01"}, *facts],
        "domains_complete": [{"domain": domain, "from": "1995-05-01", "to": AS_OF} for domain in complete],
    }
    assert states(answer(patient, trial))[criterion] == state


def test_a_trial_that_was_read_in_part_is_at_best_possible():
    adult = {
        "as_of": AS_OF,
        "birth_date": "2000-01-01",
        "sex": "male",
        "facts": [
            {"id": "ss", "kind": "condition", "codes": ["ORPHA:232"], "date": "2001-01-01"},
            *(
                {"id": day, "kind": "event", "codes": ["CLEIO:severe-voc"], "date": day}
                for day in ("2024-02-01", "2024-06-01", "2025-02-01", "2025-06-01")
            ),
            yes("voc-despite-supportive-care"),
        ],
    }
    best = answer(adult, "NCT03745287").best
    assert (best.verdict, best.start) == ("possible", date(2025, 11, 22))
    adult["facts"].append(yes("other-criteria-nct03745287"))
    assert answer(adult, "NCT03745287").best.verdict == "compatible"
