"""Ask the engine about the oracle's documents and patients, with the oracle's small terminology."""

from datetime import date

from services.matching.engine import PatientIndex, Terminology, compile_criteria, match
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from shared.terminology.graph import State
from tests.oracle.vocabulary import TERMINOLOGY

HORIZON = "P20Y"


def relation(name):
    return {code: concept[name] for code, concept in TERMINOLOGY.items() if name in concept}


def terminology_of_the_engine():
    states = {
        code: State(concept["state"], concept.get("longest"))
        for code, concept in TERMINOLOGY.items()
        if "state" in concept
    }
    return Terminology(
        relation("parents"),
        relation("same_as"),
        relation("exclusive_with"),
        covers=relation("covers"),
        states=states,
        codes=TERMINOLOGY,
    )


ENGINE_TERMINOLOGY = terminology_of_the_engine()


def asked_of_the_engine(document, patient, dosing_date=None, recruiting=None):
    as_of = date.fromisoformat(patient["as_of"])
    compiled = compile_criteria(CriteriaDocument.model_validate(document), ENGINE_TERMINOLOGY, "FR")
    mapped = to_engine(Patient.model_validate(patient), as_of)
    return match(compiled, PatientIndex(mapped.patient, ENGINE_TERMINOLOGY, as_of, dosing_date), HORIZON, recruiting)
