"""What national law adds to every trial at consent: lines for the investigator, never computed as met. Pure.

France: Code de la santé publique, articles L. 1121-5 to L. 1121-8-1 and L. 1122-2 (protected persons and minors).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from services.matching.engine import PatientIndex
from shared.criteria.durations import add, parse
from shared.values.wire import Label

ADULT = parse("P18Y")


class ConsentLine(NamedTuple):
    """One line: its code, its text, and for whom it is shown."""

    code: str
    text: Label
    concerns: Callable[[PatientIndex], bool]


def _may_be_minor(patient: PatientIndex) -> bool:
    return patient.birth is None or add(patient.birth.latest, ADULT) > patient.as_of


def _may_be_adult(patient: PatientIndex) -> bool:
    return patient.birth is None or add(patient.birth.earliest, ADULT) <= patient.as_of


def _may_breastfeed(patient: PatientIndex) -> bool:
    return patient.sex != "male" and (patient.birth is None or patient.birth.earliest < _years_ago(patient.as_of))


def _years_ago(day: date) -> date:
    return day.replace(year=day.year - 10, day=min(day.day, 28))


_FRANCE = (
    ConsentLine(
        "parental-authority",
        Label(
            fr="Mineur : accord des deux titulaires de l'autorité parentale, et avis de l'enfant ; à 18 ans, son "
            "propre consentement",
            en="Minor: agreement of both holders of parental authority, and the child's own opinion; at 18, the "
            "person's own consent",
        ),
        _may_be_minor,
    ),
    ConsentLine(
        "legal-protection",
        Label(
            fr="Tutelle, curatelle ou incapacité d'exprimer son consentement : seulement si l'essai le prévoit",
            en="Guardianship, curatorship or inability to consent: only if the trial allows it",
        ),
        _may_be_adult,
    ),
    ConsentLine(
        "social-security",
        Label(
            fr="Affiliation à un régime de sécurité sociale, ou bénéfice d'un tel régime",
            en="Affiliation to a social security scheme, or cover by one",
        ),
        lambda _: True,
    ),
    ConsentLine(
        "liberty",
        Label(
            fr="Personne privée de liberté ou hospitalisée sans consentement : seulement si l'essai le prévoit",
            en="Person deprived of liberty or in hospital without consent: only if the trial allows it",
        ),
        lambda _: True,
    ),
    ConsentLine(
        "breastfeeding",
        Label(
            fr="Grossesse, accouchement récent ou allaitement : seulement si l'essai le prévoit",
            en="Pregnancy, recent childbirth or breastfeeding: only if the trial allows it",
        ),
        _may_breastfeed,
    ),
)
LINES: Mapping[str, tuple[ConsentLine, ...]] = {"FR": _FRANCE}


def consent_lines(country: str, patient: PatientIndex) -> list[dict[str, Any]]:
    """Return the lines of a country that may concern the patient (`schemas.ConsentLineAnswer`)."""
    return [
        {"code": line.code, "text": {"fr": line.text.fr, "en": line.text.en}}
        for line in LINES.get(country, ())
        if line.concerns(patient)
    ]
