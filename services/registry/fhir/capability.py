"""What the FHIR interface can do (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from typing import Any

CAPABILITY: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-11-29",
    "publisher": "CLEIO",
    "kind": "instance",
    "implementation": {"description": "Published trials of advanced therapies, outside cancer."},
    "fhirVersion": "4.0.1",
    "format": ["application/fhir+json"],
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "ResearchStudy",
                    "interaction": [{"code": "read"}, {"code": "search-type"}],
                    "searchParam": [{"name": "_id", "type": "token"}, {"name": "identifier", "type": "token"}],
                    "operation": [
                        {
                            "name": "match",
                            "definition": "urn:cleio:operation:match",
                            "documentation": "POST ResearchStudy/$match with a Bundle, or Parameters with one.",
                        }
                    ],
                }
            ],
        }
    ],
}
