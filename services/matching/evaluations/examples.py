"""An example of an answer for the OpenAPI document, shortened. The patient is invented."""

from typing import Any

from services.matching.answers.wording import PRE_SCREENING

ANSWER: dict[str, Any] = {
    "as_of": "2025-11-22",
    "country": "FR",
    "snapshot": "7eb5791e79eb1d05",
    "engine_version": "3",
    "terminology_version": "12755c04926a34f4",
    "pre_screening": PRE_SCREENING,
    "results": [
        {
            "trial": "CLEIO-DEMO-0002",
            "title": {
                "fr": "[Fictif] Micro-dystrophine par vecteur AAV9 chez l'enfant atteint de Duchenne",
                "en": "[Fictitious] AAV9 micro-dystrophin in children with Duchenne muscular dystrophy",
            },
            "acronym": "DUCHENNE-DEMO",
            "recruitment": "open",
            "recruitment_status": "recruiting",
            "verdict": "possible",
            "from": "2025-11-22",
            "until": "2029-12-20",
            "refer_before": "2029-10-11",
            "retest": None,
            "cohort": "1",
            "grade": "signed",
            "criteria_illustrative": True,
            "criteria_version": 1,
            "illustrative": True,
            "criteria": [
                {
                    "id": "I-DX",
                    "kind": "include",
                    "role": "indication",
                    "stage": "screening",
                    "state": "met",
                    "satisfied": True,
                    "reason": None,
                    "text": {"fr": "Duchenne confirmé.", "en": "Confirmed Duchenne muscular dystrophy."},
                    "evidence": ["diagnosis"],
                    "clears_on": None,
                    "left_to_investigator": False,
                },
                {
                    "id": "X-HIV",
                    "kind": "exclude",
                    "role": None,
                    "stage": "screening",
                    "state": "unknown",
                    "satisfied": None,
                    "reason": "missing",
                    "text": {"fr": "Infection par le VIH.", "en": "HIV infection."},
                    "evidence": [],
                    "clears_on": None,
                    "left_to_investigator": False,
                },
            ],
            "timeline": [{"from": "2025-11-22", "until": "2029-12-20", "verdict": "possible"}],
            "cohorts": [
                {
                    "id": "1",
                    "label": {"fr": "Marchant, de 3 à 7 ans", "en": "Able to walk, aged 3 to 7"},
                    "verdict": "possible",
                    "from": "2025-11-22",
                    "until": "2029-12-20",
                    "refer_before": "2029-10-11",
                    "retest": None,
                    "timeline": [
                        {"from": "2025-11-22", "until": "2029-12-20", "verdict": "possible"},
                        {"from": "2029-12-20", "until": None, "verdict": "excluded"},
                    ],
                    "recruitment": "open",
                },
                {
                    "id": "2",
                    "label": {"fr": "Ne marchant plus, de 8 à 15 ans", "en": "Not walking, aged 8 to 15"},
                    "verdict": "not_now",
                    "from": None,
                    "until": None,
                    "refer_before": None,
                    "retest": "2029-12-20",
                    "timeline": [{"from": "2025-11-22", "until": None, "verdict": "not_now"}],
                    "recruitment": "open",
                },
            ],
            "sites": [
                {
                    "centre": "fr-lille",
                    "name": "CHU de Lille – Hôpital Roger-Salengro",
                    "city": "Lille",
                    "status": "recruiting",
                    "slots": [{"cohort": "1", "open": 1}, {"cohort": "2", "open": 1}],
                    "stale": False,
                    "distance_km": 45,
                }
            ],
        }
    ],
    "total": 3,
    "next": "7eb5791e79eb1d05-1",
    "undetermined": 15,
    "not_indicated": 0,
    "ask_next": [
        {
            "code": "nsaa-total",
            "text": {"fr": "Quel est le score NSAA, et sa date ?", "en": "What is the NSAA score, and its date?"},
            "who": "clinician",
            "cost": 1,
            "trials": 2,
            "facts": [
                {
                    "field": None,
                    "kind": "observation",
                    "codes": ["CLEIO:nsaa-total"],
                    "question": None,
                    "statuses": ["present"],
                    "value": "number",
                    "values": [],
                    "comparisons": [
                        {"op": ">=", "value": 12, "basis": "absolute"},
                        {"op": ">", "value": 16, "basis": "absolute"},
                        {"op": "<", "value": 29, "basis": "absolute"},
                    ],
                    "unit": None,
                    "per_kg": False,
                    "reference_range": False,
                    "assay": None,
                    "variant": None,
                    "attributes": None,
                    "relative": None,
                    "within": "P3M",
                    "each": None,
                    "duration": None,
                    "domain": None,
                }
            ],
        }
    ],
    "ignored_facts": [],
}
