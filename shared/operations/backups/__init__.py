"""Copies of an installation's databases: taken from the process that owns them, described by a manifest, checked before anything relies on them."""
