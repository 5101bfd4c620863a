"""Matches a patient against every published trial; stores no patient and owns no trial."""
