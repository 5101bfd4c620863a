"""An example of an answer for the OpenAPI document, shortened. The patient is invented."""

from typing import Any

from services.matching.answers.wording import PRE_SCREENING

ANSWER: dict[str, Any] = {
    "as_of": "2025-11-22",
    "country": "FR",
    "snapshot": "7eb5791e79eb1d05",
    "engine_version": "5",
    "terminology_version": "12755c04926a34f4",
    "pre_screening": PRE_SCREENING,
    "results": [
        {
            "id": "CL1000000002",
            "trial": "CLEIO-DEMO-0002",
            "title": {
                "fr": "[Fictif] Micro-dystrophine par vecteur AAV9 chez l'enfant atteint de Duchenne",
                "en": "[Fictitious] AAV9 micro-dystrophin in children with Duchenne muscular dystrophy",
            },
            "acronym": "DUCHENNE-DEMO",
            "recruitment": "open",
            "recruitment_text": {"fr": "recrute en France", "en": "recruiting in France"},
            "phase": "phase_1_2",
            "sponsor": "CLEIO",
            "contact": {
                "function": {"fr": "Unité fictive d'essais cliniques", "en": "Fictitious clinical trials unit"},
                "organisation": None,
                "email": "essais-cliniques@demo.example",
                "url": None,
            },
            "product": {
                "name": None,
                "atmp_class": "gene_therapy",
                "delivery": "in_vivo",
                "vector": "aav",
                "serotype": "AAV9",
                "genes": ["DMD"],
            },
            "links": [],
            "recruitment_status": "recruiting",
            "verdict": "possible",
            "from": "2025-11-22",
            "until": "2029-12-20",
            "until_because": [
                {
                    "criterion": "I-AGE-1",
                    "text": {"fr": "De 3 ans à moins de 8 ans.", "en": "From 3 to under 8 years."},
                    "asks": {
                        "fr": "Âge : au moins 3 ans et moins de 8 ans",
                        "en": "Age: at least 3 years and under 8 years",
                    },
                }
            ],
            "refer_before": "2029-10-11",
            "retest": None,
            "cohort": "1",
            "grade": "signed",
            "criteria_illustrative": True,
            "criteria_outdated": False,
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
                    "asks": {
                        "fr": "Dystrophie musculaire de Duchenne",
                        "en": "Duchenne muscular dystrophy",
                    },
                    "details": [
                        {
                            "asked": {
                                "fr": "Dystrophie musculaire de Duchenne",
                                "en": "Duchenne muscular dystrophy",
                            },
                            "state": "met",
                            "reasons": [],
                            "limits": [],
                            "found": [
                                {
                                    "fact": "diagnosis",
                                    "status": "present",
                                    "date": "2023-05-02",
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
                    "id": "X-HIV",
                    "kind": "exclude",
                    "role": None,
                    "stage": "screening",
                    "state": "unknown",
                    "satisfied": None,
                    "reason": "missing",
                    "text": {"fr": "Infection par le VIH.", "en": "HIV infection."},
                    "asks": {
                        "fr": "Exclut : Infection par le VIH, au cours des 6 mois précédents",
                        "en": "Excludes: HIV infection, within the past 6 months",
                    },
                    "details": [
                        {
                            "asked": {
                                "fr": "Infection par le VIH, au cours des 6 mois précédents",
                                "en": "HIV infection, within the past 6 months",
                            },
                            "state": "unknown",
                            "reasons": ["missing"],
                            "limits": [],
                            "found": [],
                            "computed": None,
                        }
                    ],
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
                    "recruitment": "open",
                    "verdict": "possible",
                    "from": "2025-11-22",
                    "until": "2029-12-20",
                    "refer_before": "2029-10-11",
                    "retest": None,
                    "timeline": [{"from": "2025-11-22", "until": "2029-12-20", "verdict": "possible"}],
                },
                {
                    "id": "2",
                    "label": {"fr": "Ne marchant plus, de 8 à 15 ans", "en": "Not walking, aged 8 to 15"},
                    "recruitment": "open",
                    "verdict": "not_yet",
                    "from": "2029-12-20",
                    "until": "2037-12-20",
                    "refer_before": "2037-10-11",
                    "retest": None,
                    "timeline": [{"from": "2029-12-20", "until": "2037-12-20", "verdict": "possible"}],
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
    "not_evaluated": 0,
    "consent": [
        {
            "code": "social-security",
            "text": {
                "fr": "Affiliation à un régime de sécurité sociale, ou bénéfice d'un tel régime",
                "en": "Affiliation to a social security scheme, or cover by one",
            },
        }
    ],
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
                    "text": None,
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
                    "over": None,
                    "duration": None,
                    "domain": None,
                }
            ],
        }
    ],
    "warnings": [],
}
