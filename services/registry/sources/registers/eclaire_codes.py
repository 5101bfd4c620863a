"""The codes of ECLAIRE (French register): status, phase, regulation."""

from collections.abc import Mapping
from typing import Final

from services.registry.model.trial import Phase, StudyType
from shared.vocabulary.recruitment import RecruitmentStatus

# The state in the source system, which the server keeps in its narrative. It separates an expired authorisation from an
# abandoned study, which both become `withdrawn`.
STATE: Final[Mapping[str, RecruitmentStatus | None]] = {
    "a_demarrer": "not_yet_recruiting",
    "en_cours": None,
    "suspendue": "suspended",
    "prorogee": None,
    "expiree": "expired",
    "terminee": "completed",
    "terminee_fin_anticipee": "terminated",
    "archivee": "completed",
    "abandonnee": "withdrawn",
}
# None: open, so the recruitment status decides.
STATUS: Final[Mapping[str, RecruitmentStatus | None]] = {
    "active": None,
    "approved": "not_yet_recruiting",
    "in-review": "in_review",
    "disapproved": "refused",
    "temporarily-closed-to-accrual": "suspended",
    "temporarily-closed-to-accrual-and-intervention": "suspended",
    "closed-to-accrual": "active_not_recruiting",
    "closed-to-accrual-and-intervention": "active_not_recruiting",
    "completed": "completed",
    "administratively-completed": "terminated",
    "withdrawn": "withdrawn",
}
RECRUITMENT: Final[Mapping[str, RecruitmentStatus]] = {
    "recruiting": "recruiting",
    "upcoming": "not_yet_recruiting",
    "completed-recruiting": "active_not_recruiting",
}
# Both code systems: that of FHIR, and that of the source, which the server sends in its place. `jarde-early` is phase 1
# or 1/2: the guide maps it to both.
PHASE: Final[Mapping[str, Phase | None]] = {
    "n-a": "n-a",
    "early-phase-1": "early-phase-1",
    "phase-1": "phase-1",
    "phase-2": "phase-2",
    "phase-3": "phase-3",
    "phase-4": "phase-4",
    "phase-1-phase-2": "phase-1-phase-2",
    "phase-2-phase-3": "phase-2-phase-3",
    "phase-3-phase-4": "phase-3-phase-4",
    "jarde-early": None,
    "phase-i-first-admin": "phase-1",
    "phase-i-bioequivalence": "phase-1",
    "phase-i-other": "phase-1",
    "phase-i-ii-first-admin": "phase-1-phase-2",
    "phase-i-ii-first-bioequivalence": "phase-1-phase-2",
    "phase-i-ii-other": "phase-1-phase-2",
    "phase-ii": "phase-2",
    "phase-ii-iii": "phase-2-phase-3",
    "phase-iii": "phase-3",
    "phase-iii-iv": "phase-3-phase-4",
    "phase-iv": "phase-4",
}
# By regulation, and by its precision: the third category of the French law is not interventional.
STUDY_TYPE: Final[Mapping[str, StudyType]] = {
    "reg536": "interventional",
    "study-ctis": "interventional",
    "study-low-inter-ctis": "interventional",
    "cat1-jarde": "interventional",
    "cat2-jarde": "interventional",
    "cat3-jarde": "observational",
    "cat3-questionnaire-jarde": "observational",
}
UNITS: Final[Mapping[str, str]] = {
    "a": "Y",
    "year": "Y",
    "years": "Y",
    "an": "Y",
    "ans": "Y",
    "mo": "M",
    "month": "M",
    "months": "M",
    "mois": "M",
    "wk": "W",
    "week": "W",
    "weeks": "W",
    "d": "D",
    "day": "D",
    "days": "D",
    "jour": "D",
    "jours": "D",
}
CONDITION_SYSTEMS: Final[Mapping[str, str]] = {
    "http://www.orpha.net": "ORPHA",
    "http://purl.obolibrary.org/obo/mondo.owl": "MONDO",
    "http://hl7.org/fhir/sid/icd-10": "ICD10",
}
