"""Audit logs: who did what and when, append-only and in a signed hash chain, without any data about patients."""

from shared.audit.entries import Auditor, Entry
from shared.audit.tables import AuditLog

__all__ = ["AuditLog", "Auditor", "Entry"]
