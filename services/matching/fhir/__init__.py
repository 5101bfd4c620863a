"""The match over FHIR R4: `ResearchStudy/$match`, and the request of the CodeX trial matching services."""
