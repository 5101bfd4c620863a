"""The registry's database schema: every feature's tables hang on this metadata, and the feed is written with them."""

from sqlalchemy import MetaData

from shared.audit import AuditLog
from shared.feed import FeedLog
from shared.idempotency import IdempotencyLog
from shared.persistence import NAMING

METADATA = MetaData(naming_convention=NAMING)
FEED = FeedLog(METADATA)
AUDIT = AuditLog(METADATA)
KEYS = IdempotencyLog(METADATA)
