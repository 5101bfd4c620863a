"""Published trials as FHIR R4 ResearchStudy resources. Pure mapping; fictitious demonstration trials are left out."""
