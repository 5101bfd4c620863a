"""The registry's database schema: every feature's tables hang on this metadata, and the feed is written with them."""

from sqlalchemy import MetaData

from shared.audit import AuditLog
from shared.database import NAMING
from shared.feed import FeedLog
from shared.idempotency import IdempotencyLog

METADATA = MetaData(naming_convention=NAMING)
FEED = FeedLog(METADATA)
AUDIT = AuditLog(METADATA)
KEYS = IdempotencyLog(METADATA)
