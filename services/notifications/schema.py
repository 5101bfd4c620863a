"""The notifications database's schema: every feature's tables hang on this metadata."""

from sqlalchemy import MetaData

from shared.audit import AuditLog
from shared.idempotency import IdempotencyLog
from shared.persistence import NAMING

METADATA = MetaData(naming_convention=NAMING)
AUDIT = AuditLog(METADATA)
KEYS = IdempotencyLog(METADATA)
