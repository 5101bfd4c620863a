"""Readers of public registries: pure maps from a source's record to a trial."""
