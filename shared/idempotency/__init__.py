"""A POST that creates state is sent again without fear: the same key and body take effect once, and are answered the same for a day."""

from shared.idempotency.keys import IdempotencyKeys
from shared.idempotency.marks import idempotent, repeatable
from shared.idempotency.tables import IdempotencyLog

__all__ = ["IdempotencyKeys", "IdempotencyLog", "idempotent", "repeatable"]
