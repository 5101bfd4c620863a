"""Examples of patients for the OpenAPI document. The patients are invented."""

from typing import Any

PATIENT: dict[str, Any] = {
    "as_of": "2025-11-22",
    "birth_date": "2021-12-20",
    "sex": "male",
    "place": "62",
    "facts": [
        {"id": "diagnosis", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2024-05-03"},
        {
            "id": "variant",
            "kind": "variant",
            "date": "2024-05-03",
            "variant": {"gene": "DMD", "type": "deletion", "exon_from": 45, "exon_to": 50, "assay": "mlpa"},
        },
        {
            "id": "alt",
            "kind": "observation",
            "codes": ["LOINC:1742-6"],
            "date": "2025-11-03",
            "value": 412,
            "unit": "U/L",
            "ref_high": 40,
        },
        {
            "id": "prednisone",
            "kind": "medication",
            "codes": ["ATC:H02AB07"],
            "start": "2025-10-10",
            "dose": {"value": 0.75, "unit": "mg/d", "per_kg": True},
        },
    ],
    "domains_complete": [{"domain": "medications", "to": "2025-11-22"}],
}
PHENOPACKET: dict[str, Any] = {
    "id": "example",
    "subject": {"id": "invented", "sex": "MALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P7Y"}}},
    "diseases": [{"term": {"id": "ORPHA:98896", "label": "Duchenne muscular dystrophy"}}],
    "metaData": {"created": "2025-11-22T09:00:00Z", "createdBy": "example", "phenopacketSchemaVersion": "2.0"},
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "2019-05-03"}},
        {
            "resource": {
                "resourceType": "Condition",
                "subject": {"reference": "Patient/p"},
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "code": {"coding": [{"system": "http://www.orpha.net", "code": "98896"}]},
                "onsetDateTime": "2022-02",
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "subject": {"reference": "Patient/p"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "1742-6"}]},
                "effectiveDateTime": "2025-11-03",
                "valueQuantity": {"value": 412, "unit": "UI/L"},
                "referenceRange": [{"high": {"value": 40, "unit": "UI/L"}}],
            }
        },
    ],
}
EXAMPLES: Any = {
    "native": {"summary": "A native patient", "value": PATIENT},
    "phenopacket": {"summary": "A Phenopacket v2", "value": PHENOPACKET},
    "fhir": {"summary": "A FHIR R4 Bundle", "value": BUNDLE},
}
