"""What this server offers over CDS Hooks (https://cds-hooks.hl7.org/2.0/#discovery)."""

from typing import Any, Final

SERVICE: Final = "trials"
PATIENT: Final = "patient"
PREFETCH: Final = {
    PATIENT: "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "laboratory": "Observation?patient={{context.patientId}}&category=laboratory",
    "medications": "MedicationStatement?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
    "immunizations": "Immunization?patient={{context.patientId}}",
}
SERVICES: Final[dict[str, Any]] = {
    "services": [
        {
            "hook": "patient-view",
            "id": SERVICE,
            "title": "Essais de thérapie innovante / Advanced therapy trials",
            "description": "Trials of gene and cell therapy for this patient, outside cancer. A pre-screening aid: a "
            "clinician decides.",
            "prefetch": PREFETCH,
            "usageRequirements": "Send the prefetch: this service never calls the FHIR server of the EHR.",
        }
    ]
}
