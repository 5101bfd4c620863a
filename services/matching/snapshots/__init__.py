"""Matching's own copy of the registry: loaded from the export, kept current from the feed, and kept on disk so that it outlives both."""
