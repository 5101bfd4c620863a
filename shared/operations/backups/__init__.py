"""Backups of an installation's databases: online copies, described by a manifest and verified before use."""
