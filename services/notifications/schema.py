"""The notifications database's schema: every feature's tables hang on this metadata."""

from sqlalchemy import MetaData

from shared.audit import AuditLog
from shared.database import NAMING
from shared.idempotency import IdempotencyLog

METADATA = MetaData(naming_convention=NAMING)
AUDIT = AuditLog(METADATA)
KEYS = IdempotencyLog(METADATA)
