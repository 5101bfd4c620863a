"""Reads one patient's rows of the OMOP Common Data Model: CSV files in a zip. Pure."""
