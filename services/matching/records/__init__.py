"""Reads a patient of any format as the native patient, for those who check it and add to it."""
