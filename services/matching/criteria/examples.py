"""Examples for the OpenAPI document. Trial, people and patient are invented."""

from typing import Any

from services.matching.answers.wording import PRE_SCREENING

DOCUMENT: dict[str, Any] = {
    "trial": "CLEIO-TEST-0001",
    "grade": "signed",
    "authored_by": "A. Martin",
    "signed_by": "B. Petit",
    "signed_at": "2025-11-01T09:00:00Z",
    "criteria": [
        {
            "id": "I-DX",
            "kind": "include",
            "role": "indication",
            "text": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"},
            "expr": {"type": "has", "codes": ["ORPHA:98896"]},
        },
        {
            "id": "I-AGE",
            "kind": "include",
            "text": {"fr": "De 4 à 7 ans", "en": "Aged 4 to 7 years"},
            "expr": {"type": "age", "min": "P4Y", "max": "P8Y"},
        },
    ],
}
COMBINED: dict[str, Any] = {
    **DOCUMENT,
    "criteria": [
        {
            "id": "I-DX",
            "kind": "include",
            "role": "indication",
            "text": {"fr": "Sclérodermie systémique", "en": "Systemic sclerosis"},
            "expr": {"type": "has", "codes": ["ORPHA:90291"]},
        },
        {
            "id": "I-RITUXIMAB",
            "kind": "include",
            "text": {
                "fr": "Pas de rituximab depuis 6 mois ou 5 demi-vies (le plus long des deux)",
                "en": "No rituximab for 6 months or 5 half-lives, whichever is longer",
            },
            "expr": {
                "type": "washout",
                "codes": ["ATC:L01FA01"],
                "for": "P6M",
                "half_lives": 5,
                "domain": "medications",
            },
        },
        {
            "id": "I-KIDNEY",
            "kind": "include",
            "text": {"fr": "DFG estimé d'au moins 60", "en": "Estimated GFR of at least 60"},
            "expr": {
                "type": "computed",
                "formula": "egfr_ckd_epi_2021",
                "op": ">=",
                "value": 60,
                "within": "P3M",
            },
        },
    ],
}
PATIENT: dict[str, Any] = {
    "as_of": "2025-11-22",
    "birth_date": "2020-12-20",
    "facts": [{"id": "diagnosis", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2024-05-03"}],
}
DOCUMENTS: Any = {
    "two criteria": {"summary": "A document with two criteria", "value": DOCUMENT},
    "washout and formula": {"summary": "A washout, and a value that a formula gives", "value": COMBINED},
}
DRY_RUNS: Any = {"native": {"summary": "With a native patient", "value": {"criteria": DOCUMENT, "patient": PATIENT}}}
CHECKED: dict[str, Any] = {
    "findings": [],
    "errors": 0,
    "warnings": 0,
    "sentences": [
        {
            "criterion": "I-DX",
            "sentence": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"},
        },
        {
            "criterion": "I-AGE",
            "sentence": {
                "fr": "Âge : au moins 4 ans et moins de 8 ans",
                "en": "Age: at least 4 years and under 8 years",
            },
        },
    ],
}
TRIED: dict[str, Any] = {
    "as_of": "2025-11-22",
    "engine_version": "5",
    "terminology_version": "12755c04926a34f4",
    "pre_screening": PRE_SCREENING,
    "listing": "listed",
    "verdict": "compatible",
    "from": "2025-11-22",
    "until": "2028-12-20",
    "refer_before": "2028-12-20",
    "retest": None,
    "cohort": None,
    "grade": "signed",
    "criteria_illustrative": False,
    "criteria_outdated": False,
    "criteria_version": None,
    "criteria": [
        {
            "id": "I-DX",
            "kind": "include",
            "role": "indication",
            "stage": "screening",
            "state": "met",
            "satisfied": True,
            "reason": None,
            "text": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"},
            "asks": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"},
            "details": [
                {
                    "asked": {"fr": "Dystrophie musculaire de Duchenne", "en": "Duchenne muscular dystrophy"},
                    "state": "met",
                    "reasons": [],
                    "limits": [],
                    "found": [
                        {
                            "fact": "diagnosis",
                            "status": "present",
                            "date": "2024-05-03",
                            "comparator": None,
                            "value": None,
                            "unit": None,
                            "not_counted": None,
                        }
                    ],
                    "computed": None,
                }
            ],
            "evidence": ["diagnosis"],
            "clears_on": None,
            "left_to_investigator": False,
        },
        {
            "id": "I-AGE",
            "kind": "include",
            "role": None,
            "stage": "screening",
            "state": "met",
            "satisfied": True,
            "reason": None,
            "text": {"fr": "De 4 à 7 ans", "en": "Aged 4 to 7 years"},
            "asks": {
                "fr": "Âge : au moins 4 ans et moins de 8 ans",
                "en": "Age: at least 4 years and under 8 years",
            },
            "details": [
                {
                    "asked": {
                        "fr": "âge : au moins 4 ans et moins de 8 ans",
                        "en": "age: at least 4 years and under 8 years",
                    },
                    "state": "met",
                    "reasons": [],
                    "limits": [
                        {"op": ">=", "value": "P4Y", "unit": None, "basis": "absolute"},
                        {"op": "<", "value": "P8Y", "unit": None, "basis": "absolute"},
                    ],
                    "found": [],
                    "computed": None,
                }
            ],
            "evidence": ["#birth"],
            "clears_on": None,
            "left_to_investigator": False,
        },
    ],
    "timeline": [{"from": "2025-11-22", "until": "2028-12-20", "verdict": "compatible"}],
    "cohorts": [
        {
            "id": "all",
            "verdict": "compatible",
            "from": "2025-11-22",
            "until": "2028-12-20",
            "refer_before": "2028-12-20",
            "retest": None,
            "timeline": [{"from": "2025-11-22", "until": "2028-12-20", "verdict": "compatible"}],
            "criteria": ["I-DX", "I-AGE"],
        }
    ],
    "ask_next": [],
    "warnings": [],
}
