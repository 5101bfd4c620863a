"""The pure core: which criteria a patient meets, why, and on which days. No clock, no I/O, no framework.

Compile the criteria of a trial once, index a patient once, then match any trial with any patient.
"""

from services.matching.engine.ask import Question, ask_next, question_code
from services.matching.engine.evaluate import (
    DEFAULT_HORIZON,
    CompiledCriterion,
    CompiledTrial,
    compile_criteria,
    listing,
    match,
)
from services.matching.engine.expression import LeafExpression, leaves_of
from services.matching.engine.facts import CompleteDomain, DateBounds, Dose, Fact, Patient, Variant
from services.matching.engine.patient_index import PatientIndex, TooComplexError
from services.matching.engine.result import CohortResult, CriterionResult, Interval, Listing, TrialResult, Verdict
from services.matching.engine.terminology import Terminology

__all__ = [
    "DEFAULT_HORIZON",
    "CohortResult",
    "CompiledCriterion",
    "CompiledTrial",
    "CompleteDomain",
    "CriterionResult",
    "DateBounds",
    "Dose",
    "Fact",
    "Interval",
    "LeafExpression",
    "Listing",
    "Patient",
    "PatientIndex",
    "Question",
    "Terminology",
    "TooComplexError",
    "TrialResult",
    "Variant",
    "Verdict",
    "ask_next",
    "compile_criteria",
    "leaves_of",
    "listing",
    "match",
    "question_code",
]
