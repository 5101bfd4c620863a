"""Examples for the OpenAPI document. Trial, people and patient are invented."""

from typing import Any

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
PATIENT: dict[str, Any] = {
    "as_of": "2025-11-22",
    "birth_date": "2020-12-20",
    "facts": [{"id": "diagnosis", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2024-05-03"}],
}
DOCUMENTS: Any = {"two criteria": {"summary": "A document with two criteria", "value": DOCUMENT}}
DRY_RUNS: Any = {"native": {"summary": "With a native patient", "value": {"criteria": DOCUMENT, "patient": PATIENT}}}
CHECKED: dict[str, Any] = {"findings": [], "errors": 0, "warnings": 0}
TRIED: dict[str, Any] = {}
