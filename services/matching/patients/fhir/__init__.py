"""Reads a FHIR R4 Bundle of one patient: one module for each group of resources. Pure."""
