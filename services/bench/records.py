"""Records of ClinicalTrials.gov for measurements: as long as real full records, 12 to 20 kB of text each."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

DISEASES = (
    "Duchenne Muscular Dystrophy", "Sickle Cell Disease", "Hemophilia A", "Hemophilia B", "Spinal Muscular Atrophy",
    "Leber Congenital Amaurosis", "Retinitis Pigmentosa", "Epidermolysis Bullosa", "Fabry Disease", "Pompe Disease",
)  # fmt: skip
CRITERIA = (
    "Age {0} to {1} years at the time of consent", "Documented pathogenic variant in the {2} gene",
    "Neutralizing antibody titre against the capsid below 1:{0}", "Adequate hepatic function with ALT below {0} U/L",
    "Platelet count of at least {0} x 10^9/L within {1} days before dosing", "Able to walk {0} metres without support",
    "Prior gene therapy or hematopoietic stem cell transplantation", "Active infection with HIV, hepatitis B or C",
    "Treatment with systemic corticosteroids within {0} days of screening", "Pregnancy or breastfeeding",
    "Participation in another interventional study within {0} days", "Left ventricular ejection fraction below {0} %",
)  # fmt: skip
WORDS = (
    "patients", "treatment", "dose", "safety", "efficacy", "vector", "gene", "therapy", "infusion", "cohort", "visit",
    "baseline", "protein", "level", "expression", "endpoint", "primary", "secondary", "outcome", "week", "month",
    "clinical", "functional", "improvement", "response", "adverse", "event", "follow-up",
)  # fmt: skip
CITIES = ("Paris", "Lyon", "Lille", "Nantes", "Berlin", "London", "Boston", "Madrid", "Milan", "Tokyo")
SITES = (
    "France",
    "France",
    "France",
    "France",
    "Germany",
    "United Kingdom",
    "United States",
    "Spain",
    "Italy",
    "Japan",
)


def records(count: int, seed: int = 1) -> Iterator[bytes]:
    """Return that many records, one line of JSON each. The same seed gives the same records."""
    chance = Random(seed)  # noqa: S311  data of a measurement
    for number in range(count):
        yield json.dumps({"protocolSection": _protocol(chance, f"NCT8{number:07d}")}).encode()


def _protocol(chance: Random, number: str) -> dict[str, Any]:
    disease = chance.choice(DISEASES)
    title = f"AAV Gene Therapy {chance.choice(WORDS)} {number} for {disease}"
    places = [chance.randrange(len(CITIES)) for _ in range(chance.randint(5, 30))]
    description = _text(chance, chance.randint(500, 1_300))
    return {
        "identificationModule": {"nctId": number, "briefTitle": title, "officialTitle": f"A Study of {title}"},
        "statusModule": {"overallStatus": chance.choice(("RECRUITING", "COMPLETED", "NOT_YET_RECRUITING"))},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": f"Sponsor {number[-2:]}", "class": "INDUSTRY"}},
        "descriptionModule": {"briefSummary": _text(chance, 150), "detailedDescription": description},
        "conditionsModule": {"conditions": [disease], "keywords": chance.sample(WORDS, 5)},
        "armsInterventionsModule": {
            "armGroups": [{"label": f"Cohort {n}", "description": _text(chance, 30)} for n in range(3)],
            "interventions": [
                {"type": "GENETIC", "name": "AAV9 gene therapy", "description": f"AAV9 vector. {_text(chance, 40)}"}
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [{"measure": _text(chance, 12), "timeFrame": "52 weeks"} for _ in range(3)],
            "secondaryOutcomes": [{"measure": _text(chance, 12), "timeFrame": "5 years"} for _ in range(10)],
        },
        "eligibilityModule": {
            "sex": "ALL",
            "minimumAge": f"{chance.randint(1, 18)} Years",
            "maximumAge": f"{chance.randint(19, 80)} Years",
            "eligibilityCriteria": eligibility(chance, 20),
        },
        "contactsLocationsModule": {
            "locations": [
                {"facility": f"University Hospital {n}", "city": CITIES[n], "country": SITES[n], "status": "RECRUITING"}
                for n in places
            ]
        },
    }  # fmt: skip


def _text(chance: Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."


def eligibility(chance: Random, count: int) -> str:
    """Return a text with that many inclusion criteria and as many exclusion criteria."""

    def lines() -> str:
        return "\n".join(
            f"* {chance.choice(CRITERIA).format(chance.randint(2, 400), chance.randint(2, 60), 'DMD')}"
            for _ in range(count)
        )

    return f"Inclusion Criteria:\n\n{lines()}\n\nExclusion Criteria:\n\n{lines()}"
