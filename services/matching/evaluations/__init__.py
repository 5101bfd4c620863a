"""Matches one patient with every published trial; stores nothing of the patient."""
