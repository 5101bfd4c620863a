"""Who did what and when: an append-only record beside the data, sealed into a signed chain. It never says anything of a patient."""

from shared.audit.entries import Auditor, Entry
from shared.audit.tables import AuditLog

__all__ = ["AuditLog", "Auditor", "Entry"]
