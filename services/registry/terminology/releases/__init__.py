"""Readers of the release files of terminologies, and the compiler that joins what they say into tables."""
