"""Audit logs: who did what and when, append-only and in a signed hash chain, without any data about patients."""

from shared.audit.acts import Act, Auditor, Entry
from shared.audit.tables import AuditLog

__all__ = ["Act", "AuditLog", "Auditor", "Entry"]
