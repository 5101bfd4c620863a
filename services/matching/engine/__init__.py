"""The pure core: who is eligible, why, and from which day until which. No clock, no I/O, no framework.

Compile a trial's criteria once, open a patient's chart once, then match any one with any other.
"""

from services.matching.engine.ask import Question, ask_next, question_code
from services.matching.engine.evaluate import DEFAULT_HORIZON, CompiledTrial, compile_criteria, match
from services.matching.engine.facts import CompleteDomain, DateBounds, Dose, Fact, Patient, Variant
from services.matching.engine.patient_index import PatientIndex, TooComplexError
from services.matching.engine.result import CohortResult, CriterionResult, Interval, Listing, TrialResult, Verdict
from services.matching.engine.terminology import Terminology

__all__ = [
    "DEFAULT_HORIZON",
    "CohortResult",
    "CompiledTrial",
    "CompleteDomain",
    "CriterionResult",
    "DateBounds",
    "Dose",
    "Fact",
    "Interval",
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
    "match",
    "question_code",
]
